#include "app/cli/subject.h"

#include "app/cli/devices.h"

namespace app::cli {

sim::Result<Subject, Failure> subject_of(const Session& session, const std::string& word) {
    Subject subject{.scenario = {},
                    .kernel = session.settings.kernel,
                    .options = execution_options(session.settings, false),
                    .recording = {}};
    if (!report::looks_like_token(word) && !word.ends_with(".ilf")) {
        const auto scenario = session.library.find(word);
        if (!scenario.ok()) return scenario.error();
        subject.scenario = scenario.value();
        return subject;
    }
    auto recording = load_recording(word);
    if (!recording.ok()) return recording.error();
    const auto scenario = scenario_of(session, recording.value());
    if (!scenario.ok()) return scenario.error();
    subject.scenario = scenario.value();
    subject.kernel = recording.value().token.kernel;
    subject.options = execution_options(session.settings, recording.value().token, false);
    subject.recording = std::move(recording.value());
    return subject;
}

std::unique_ptr<sim::Strategy> choices_of(const Session& session, const Subject& subject,
                                          sim::Execution& execution) {
    if (!subject.recording)
        return make_strategy(
            strategy_run(execution, session.settings.strategy, session.settings.seed), execution);
    return make_strategy(subject.recording->token, execution);
}

sim::Result<Recording, Failure> recording_of(const Session& session, const Subject& subject) {
    if (subject.recording) {
        if (auto failure = other_kernel(session, *subject.recording)) return *failure;
        return *subject.recording;
    }
    const auto execution = prepare(subject.scenario, subject.kernel, subject.options,
                                   watch_devices(session, *subject.scenario, subject.kernel));
    if (!execution.ok()) return execution.error();
    const report::StrategyRun made_by =
        strategy_run(*execution.value(), session.settings.strategy, session.settings.seed);
    const auto choices = make_strategy(made_by, *execution.value());
    choices->next_execution();
    const sim::ExecutionResult& result = execution.value()->run(*choices);
    const auto word = recording_of(session, subject.scenario, subject.kernel, result, made_by);
    if (!word.ok()) return word.error();
    return load_recording(word.value());
}

}  // namespace app::cli
