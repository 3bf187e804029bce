#include "app/report/coverage_file.h"

#include <algorithm>

#include "app/report/checksum.h"
#include "model/invariants.h"
#include "model/probes.h"

namespace app::report {

namespace {

constexpr const char* coverage_format = "interleaf coverage";
constexpr int coverage_version = 1;

const char* operation_of(sim::AccessKind kind) {
    switch (kind) {
    case sim::AccessKind::Read:
        return "read";
    case sim::AccessKind::Write:
        return "write";
    case sim::AccessKind::Add:
        return "add";
    case sim::AccessKind::Insert:
        return "insert";
    case sim::AccessKind::Lookup:
        return "look up";
    case sim::AccessKind::Acquire:
        return "lock";
    case sim::AccessKind::AcquireShared:
        return "read-lock";
    case sim::AccessKind::Release:
    case sim::AccessKind::ReleaseShared:
        return "unlock";
    case sim::AccessKind::Queue:
        return "queue";
    }
    return "?";
}

ConflictingStep step_of(const sim::CoveredStep& step) {
    return {step.task, operation_of(step.access), step.object};
}

Json step_json(const ConflictingStep& step) {
    return {{"task", step.task}, {"operation", step.operation}, {"object", step.object}};
}

ConflictingStep read_step(const Json& json) {
    return {json.at("task").get<std::string>(), json.at("operation").get<std::string>(),
            json.at("object").get<std::string>()};
}

Json scenario_json(const ScenarioCoverage& coverage) {
    Json pairs = Json::array(), invariants = Json::array(), changes = Json::array();
    for (const ConflictPair& pair : coverage.pairs)
        pairs.push_back({{"first", step_json(pair.first)},
                         {"second", step_json(pair.second)},
                         {"in_order", pair.in_order},
                         {"reversed", pair.reversed}});
    for (const CountedName& invariant : coverage.invariants)
        invariants.push_back({{"name", invariant.name}, {"evaluated", invariant.count}});
    for (const CountedChange& change : coverage.changes)
        changes.push_back({{"id", change.id},
                           {"name", change.name},
                           {"present", change.present},
                           {"asked", change.count}});
    return {{"scenario", coverage.scenario},       {"kernel", coverage.kernel},
            {"executions", coverage.executions},   {"pairs", std::move(pairs)},
            {"invariants", std::move(invariants)}, {"changes", std::move(changes)}};
}

ScenarioCoverage read_scenario(const Json& json) {
    ScenarioCoverage coverage;
    coverage.scenario = json.at("scenario").get<std::string>();
    coverage.kernel = json.at("kernel").get<std::string>();
    coverage.executions = json.at("executions").get<std::uint64_t>();
    for (const Json& pair : json.at("pairs"))
        coverage.pairs.push_back({read_step(pair.at("first")), read_step(pair.at("second")),
                                  pair.at("in_order").get<std::uint64_t>(),
                                  pair.at("reversed").get<std::uint64_t>()});
    for (const Json& invariant : json.at("invariants"))
        coverage.invariants.push_back({invariant.at("name").get<std::string>(),
                                       invariant.at("evaluated").get<std::uint64_t>()});
    for (const Json& change : json.at("changes"))
        coverage.changes.push_back(
            {change.at("id").get<std::string>(), change.at("name").get<std::string>(),
             change.at("present").get<bool>(), change.at("asked").get<std::uint64_t>()});
    return coverage;
}

template <class List> std::size_t counted_in(const List& list) {
    return static_cast<std::size_t>(std::count_if(
        list.begin(), list.end(), [](const auto& entry) { return entry.count != 0; }));
}

}  // namespace

std::size_t ScenarioCoverage::one_order() const {
    return static_cast<std::size_t>(
        std::count_if(pairs.begin(), pairs.end(), [](const auto& pair) { return !pair.both(); }));
}
std::size_t ScenarioCoverage::evaluated() const {
    return counted_in(invariants);
}
std::size_t ScenarioCoverage::changes_run() const {
    return counted_in(changes);
}

ScenarioCoverage coverage_of(const sim::Coverage& coverage, const std::string& scenario,
                             const model::KernelVersion& kernel) {
    ScenarioCoverage result;
    result.scenario = scenario;
    result.kernel = kernel.name();
    result.executions = coverage.executions();
    for (const auto& [steps, pair] : coverage.pairs())
        result.pairs.push_back(
            {step_of(steps.first), step_of(steps.second), pair.in_order, pair.reversed});
    for (const model::Invariant& invariant : model::invariants())
        result.invariants.push_back(
            {invariant.name, coverage.probe(model::probe_of(std::string_view(invariant.name)))});
    for (const model::Fix& fix : model::fixes())
        result.changes.push_back(
            {fix.id(), fix.name, kernel.has(fix), coverage.probe(model::probe_of(fix))});
    return result;
}

std::string to_text(const std::vector<ScenarioCoverage>& coverage) {
    Json scenarios = Json::array();
    for (const ScenarioCoverage& entry : coverage)
        scenarios.push_back(scenario_json(entry));
    Json json = {{"format", coverage_format},
                 {"version", coverage_version},
                 {"scenarios", std::move(scenarios)}};
    add_checksum(json);
    return json.dump(1) + "\n";
}

bool looks_like_coverage(std::string_view text) {
    const Json json = Json::parse(text, nullptr, false);
    return json.is_object() && json.value("format", Json()) == coverage_format;
}

sim::Result<std::vector<ScenarioCoverage>, std::string> parse_coverage(std::string_view text) {
    const auto opened = open_artefact(text, coverage_format, coverage_version, "a coverage file");
    if (!opened.ok()) return opened.error().message;
    const Json& json = opened.value();
    try {
        std::vector<ScenarioCoverage> coverage;
        for (const Json& scenario : json.at("scenarios"))
            coverage.push_back(read_scenario(scenario));
        return coverage;
    } catch (const Json::exception& error) {
        return std::string("the coverage file cannot be read: ") + error.what();
    }
}

}  // namespace app::report
