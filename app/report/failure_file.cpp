#include "app/report/failure_file.h"

#include "app/json.h"
#include "app/report/checksum.h"
#include "app/report/hex.h"
#include "app/scenario/kernel_spec.h"
#include "app/scenario/words.h"

namespace app::report {

namespace {

constexpr const char* failure_format = "interleaf failure";
constexpr int failure_version = 1;
constexpr sim::OpKind last_operation = sim::OpKind::Expire;

Json schedule_json(const Token& token) {
    if (token.run)
        return {{"strategy", token.run->strategy.name()},
                {"seed", token.run->seed},
                {"tasks", token.run->tasks},
                {"steps", token.run->steps}};
    Json departures = Json::array();
    for (const sim::Departure& departure : token.schedule.departures)
        departures.push_back(Json::array({departure.ordinal, departure.index}));
    return {{"departures", std::move(departures)}};
}

void read_schedule(const Json& json, Token& token) {
    if (json.contains("strategy")) {
        StrategyRun run;
        const auto strategy = sim::StrategySpec::parse(json.at("strategy").get<std::string>());
        if (!strategy) throw Json::other_error::create(501, "unknown strategy", nullptr);
        run.strategy = *strategy;
        run.seed = json.at("seed").get<std::uint64_t>();
        run.tasks = json.at("tasks").get<std::uint32_t>();
        run.steps = json.at("steps").get<std::uint32_t>();
        token.run = run;
        return;
    }
    for (const Json& entry : json.at("departures"))
        token.schedule.departures.push_back({.ordinal = entry.at(0).get<std::uint32_t>(),
                                             .index = entry.at(1).get<std::uint16_t>()});
}

Json meaning_json(const sim::Meaning& meaning) {
    return Json::array({meaning.task, sim::to_string(meaning.op), meaning.object_class, meaning.key,
                        meaning.occurrence});
}

sim::Meaning read_meaning(const Json& json) {
    sim::Meaning meaning{.task = json.at(0).get<std::string>(),
                         .op = sim::OpKind::Start,
                         .object_class = json.at(2).get<std::string>(),
                         .key = json.at(3).get<std::uint64_t>(),
                         .occurrence = json.at(4).get<std::uint32_t>()};
    for (int op = 0; op <= static_cast<int>(last_operation); ++op)
        if (json.at(1).get<std::string>() == sim::to_string(static_cast<sim::OpKind>(op)))
            meaning.op = static_cast<sim::OpKind>(op);
    return meaning;
}

FailureFile read_body(const Json& json) {
    FailureFile file;
    Token& token = file.token;
    token.revision = json.at("model_revision").get<std::uint32_t>();
    token.scenario = json.at("scenario").get<std::string>();
    const Json& content = json.at("content");
    const auto part = [&](const char* key) {
        return static_cast<std::uint32_t>(from_hex(content.at(key)));
    };
    token.content = {.fs = part("fs"), .prepare = part("prepare"), .tasks = part("tasks")};
    const auto spec = scenario::parse_kernel_spec(json.at("kernel").get<std::string>());
    const auto kernel =
        spec ? spec->resolve()
             : scenario::KernelSpec{.release = "", .with = {}, .without = {}}.resolve();
    if (!kernel.ok())
        throw Json::other_error::create(
            501, "its kernel cannot be made here: " + kernel.error().message, nullptr);
    token.kernel = kernel.value();
    token.fine = json.at("grain").get<std::string>() == "fine";
    if (json.contains("split")) json.at("split").get_to(token.split);
    read_schedule(json.at("schedule"), token);
    file.verdict = json.at("verdict").get<std::string>();
    file.signature = json.at("signature").get<std::string>();
    file.text = json.at("text").get<std::string>();
    file.trace_hash = from_hex(json.at("trace_hash"));
    token.trace_hash = short_hash(file.trace_hash);
    for (const Json& step : json.at("steps"))
        file.steps.push_back(read_meaning(step));
    if (json.contains("definition")) file.definition = json.at("definition").dump(2) + "\n";
    return file;
}

}  // namespace

std::string to_text(const FailureFile& file) {
    const Token& token = file.token;
    const auto wide = [](std::uint32_t part) {
        return hex(std::uint64_t{part} << 32).substr(0, 8);
    };
    Json json = {{"format", failure_format},
                 {"version", failure_version},
                 {"model_revision", token.revision},
                 {"scenario", token.scenario},
                 {"content",
                  {{"fs", wide(token.content.fs)},
                   {"prepare", wide(token.content.prepare)},
                   {"tasks", wide(token.content.tasks)}}},
                 {"kernel", token.kernel.name()},
                 {"grain", token.fine ? "fine" : "coarse"},
                 {"schedule", schedule_json(token)},
                 {"verdict", file.verdict},
                 {"signature", file.signature},
                 {"text", file.text},
                 {"trace_hash", hex(file.trace_hash)}};
    Json steps = Json::array();
    for (const sim::Meaning& step : file.steps)
        steps.push_back(meaning_json(step));
    json["steps"] = std::move(steps);
    if (!token.split.empty()) json["split"] = token.split;
    if (!file.definition.empty())
        json["definition"] = Json::parse(file.definition, nullptr, true, true);
    add_checksum(json);
    return json.dump(1) + "\n";
}

sim::Result<FailureFile, TokenError> parse_failure_file(std::string_view text) {
    const auto json = open_artefact(text, failure_format, failure_version, "a failure file");
    if (!json.ok()) return json.error();
    try {
        return read_body(json.value());
    } catch (const Json::exception& error) {
        return TokenError{std::string("the failure file cannot be read: ") + error.what()};
    }
}

}  // namespace app::report
