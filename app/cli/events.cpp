#include "app/cli/events.h"

#include "app/cli/output.h"

namespace app::cli {

namespace {

/// How many executions failed: a search that stops at its first failure counts none.
std::uint64_t failing(const Json& failures) {
    std::uint64_t sum = 0;
    for (const auto& failure : failures)
        sum += failure.value("count", std::uint64_t{1});
    return sum;
}

}  // namespace

void EventStream::started(const std::string& verb, const scenario::Scenario& scenario,
                          const model::KernelVersion& kernel,
                          const std::optional<std::uint64_t>& seed) {
    write("started", {{"verb", verb},
                      {"scenario", scenario.id},
                      {"kernel", kernel.name()},
                      {"seed", seed ? Json(*seed) : Json()}});
}

void EventStream::violation(const scenario::Scenario& scenario, const model::KernelVersion& kernel,
                            const sim::Failure& failure, const std::string& token) {
    const auto& violation = failure.result.violation;
    write("violation", {{"scenario", scenario.id},
                        {"kernel", kernel.name()},
                        {"invariant", failure.signature.substr(0, failure.signature.find('/'))},
                        {"signature", failure.signature},
                        {"step", violation ? violation->step : failure.result.steps},
                        {"token", token}});
}

void EventStream::shard(const scenario::Scenario& scenario, std::uint64_t index,
                        std::uint64_t count, const Json& more) {
    Json members = {{"scenario", scenario.id}, {"index", index}, {"count", count}};
    members.update(more);
    write("shard", members);
}

void EventStream::finished(const Json& document) {
    Json members = Json::object();
    for (const char* key : {"verb", "scenario", "kernel", "verdict", "complete", "executions"})
        if (document.contains(key)) members[key] = document[key];
    if (document.contains("failures")) members["failing"] = failing(document["failures"]);
    for (const char* key : {"interrupted", "error", "exit"})
        if (document.contains(key)) members[key] = document[key];
    write("finished", members);
}

void EventStream::write(const char* event, const Json& members) {
    if (!is_on()) return;
    Json line = {{"schema", 1}, {"event", event}};
    line.update(members);
    write(line.dump(-1, ' ', false, Json::error_handler_t::replace));
}

void EventStream::write(const std::string& line) {
    for (const int descriptor : descriptors_)
        if (std::string error = write_all(descriptor, line + "\n");
            error_.empty() && !error.empty())
            error_ = std::move(error);
}

}  // namespace app::cli
