#include "app/cli/recording.h"

#include "app/cli/devices.h"

#include "app/scenario/words.h"

namespace app::cli {

sim::Result<Recording, Failure> load_recording(const std::string& word) {
    if (report::looks_like_token(word)) {
        const auto token = report::decode(word);
        if (!token.ok()) return damaged(token.error().message);
        return Recording{.token = token.value(), .steps = {}, .word = word, .has_scenario = false};
    }
    const auto text = read_file(word);
    if (!text.ok()) {
        Failure failure = text.error();
        failure.message += "; expected a token (il1:...) or a failure file";
        return failure;
    }
    auto file = report::parse_failure_file(text.value());
    if (!file.ok()) return damaged(word + ": " + file.error().message);
    return Recording{.token = file.value().token,
                     .steps = std::move(file.value().steps),
                     .word = word,
                     .has_scenario = !file.value().definition.empty()};
}

sim::Result<ScenarioPtr, Failure> scenario_of(const Session& session, const Recording& recording) {
    const report::Token& token = recording.token;
    auto scenario = session.has("scenario")  ? load_scenario(session.parsed.last("scenario"))
                    : recording.has_scenario ? load_scenario(recording.word)
                                             : session.library.find(token.scenario);
    if (!scenario.ok()) return scenario;
    const std::string changed = report::changed_parts(token, scenario.value()->content);
    if (!changed.empty())
        return differs("scenario " + token.scenario + " has changed since this was recorded: " +
                       changed + " of " + scenario.value()->file + " differ from what they were");
    if (token.revision != report::model_revision)
        return differs("the model has changed since this was recorded: revision " +
                       std::to_string(token.revision) + " then, " +
                       std::to_string(report::model_revision) + " now");
    return scenario;
}

std::string options_of(const Session& session, const Recording& recording,
                       const scenario::Scenario& scenario) {
    return recording.has_scenario && recording.word == scenario.file
               ? devices_options(session)
               : replay_options(session, scenario);
}

std::optional<Failure> other_kernel(const Session& session, const Recording& recording) {
    if (!session.settings.kernel_given || session.settings.kernel == recording.token.kernel)
        return std::nullopt;
    return usage_failure("the recording is of kernel " + recording.token.kernel.name() +
                         "; interleaf replay --kernel makes one of another kernel");
}

sim::Result<sim::ExecutionResult, Failure> replay_exactly(const Session& session,
                                                          const Recording& recording,
                                                          const ScenarioPtr& scenario,
                                                          bool narrate) {
    const report::Token& token = recording.token;
    auto execution =
        prepare(scenario, token.kernel, execution_options(session.settings, token, narrate),
                watch_devices(session, *scenario, token.kernel));
    if (!execution.ok()) return execution.error();
    const sim::ExecutionResult* result = nullptr;
    if (auto failure = run_exactly(recording, *execution.value(), result)) return *failure;
    return *result;
}

std::optional<Failure> run_exactly(const Recording& recording, sim::Execution& execution,
                                   const sim::ExecutionResult*& result) {
    const report::Token& token = recording.token;
    const auto strategy = make_strategy(token, execution);
    strategy->next_execution();
    result = &execution.run(*strategy);
    if (result->outcome == sim::Outcome::Nondeterministic)
        return differs(
            "the recorded schedule does not fit: at step " + std::to_string(result->steps) +
            " a recorded choice is not there; the model has changed since this was recorded");
    if (token.trace_hash && *token.trace_hash != report::short_hash(result->trace_hash))
        return differs(
            "the recorded schedule fits, but makes another execution than it did (trace " +
            scenario::hex_digits(result->trace_hash, 4) + ", recorded " +
            scenario::hex_digits(std::uint64_t{*token.trace_hash} << 48, 4) +
            "); the model has changed since this was recorded");
    return std::nullopt;
}

}  // namespace app::cli
