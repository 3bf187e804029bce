#include "app/cli/recorded.h"

#include "app/cli/build_info.h"
#include "app/cli/devices.h"
#include "app/cli/why.h"
#include "app/report/columns.h"
#include "app/report/ladder.h"
#include "app/scenario/words.h"

namespace app::cli {

namespace {

sim::Result<std::uint64_t, Failure> branch_budget(const Session& session) {
    constexpr std::uint64_t usual = 2'000;
    if (!session.has("branches")) return usual;
    const std::string word = session.parsed.last("branches");
    const auto number = scenario::parse_number(word);
    if (!number) return usage_failure("--branches \"" + word + "\": expected a number");
    return *number;
}

sim::Result<exporter::BranchOutcomes, Failure> outcomes_of(const Session& session,
                                                           const RecordedRun& run, const Why& why,
                                                           std::optional<std::uint64_t> given) {
    const auto budget =
        given ? sim::Result<std::uint64_t, Failure>(*given) : branch_budget(session);
    if (!budget.ok()) return budget.error();
    const report::Token& token = run.recording.token;
    const auto execution =
        prepare(run.scenario, token.kernel, execution_options(session.settings, token, false),
                watch_devices(session, *run.scenario, token.kernel));
    if (!execution.ok()) return execution.error();
    const std::uint32_t around = why.critical ? why.critical->step : run.recorded.result.steps;
    return exporter::run_branches(*execution.value(), run.recorded, around, budget.value());
}

}  // namespace

sim::Result<RecordedRun, Failure> record(const Session& session, const std::string& word) {
    const auto subject = subject_of(session, word);
    if (!subject.ok()) return subject.error();
    auto recording = recording_of(session, subject.value());
    if (!recording.ok()) return recording.error();
    return record(session, std::move(recording.value()), subject.value().scenario);
}

sim::Result<RecordedRun, Failure> record(const Session& session, Recording recording,
                                         ScenarioPtr scenario) {
    RecordedRun run{
        .recording = std::move(recording), .scenario = std::move(scenario), .recorded = {}};
    exporter::Recorder* recorder = nullptr;
    const report::Token& token = run.recording.token;
    sim::ExecutionOptions options = execution_options(session.settings, token, true);
    options.observer = [&] {
        auto made = std::make_unique<exporter::Recorder>(run.recorded);
        recorder = made.get();
        return made;
    };
    auto execution = prepare(run.scenario, token.kernel, options,
                             watch_devices(session, *run.scenario, token.kernel));
    if (!execution.ok()) return execution.error();
    recorder->attach(static_cast<scenario::ScenarioProgram&>(execution.value()->program()).fs());
    const sim::ExecutionResult* result = nullptr;
    if (auto failure = run_exactly(run.recording, *execution.value(), result)) return *failure;
    return run;
}

sim::Result<RecordedRun, Failure> record_schedule(const Session& session,
                                                  const ScenarioPtr& scenario,
                                                  const model::KernelVersion& kernel,
                                                  const sim::Schedule& schedule) {
    sim::ExecutionResult chosen;
    chosen.schedule = schedule;
    report::Token token = make_token(*scenario, kernel, session.settings.grain, chosen);
    token.trace_hash.reset();  // the run is still to come
    auto run =
        record(session, {.token = std::move(token), .steps = {}, .word = "", .has_scenario = false},
               scenario);
    if (!run.ok()) return run;
    const auto word = recording_of(session, scenario, kernel, run.value().recorded.result);
    if (!word.ok()) return word.error();
    auto recording = load_recording(word.value());
    if (!recording.ok()) return recording.error();
    run.value().recording = std::move(recording.value());
    return run;
}

sim::Result<exporter::About, Failure> about(const Session& session, const RecordedRun& run,
                                            std::optional<std::uint64_t> branches) {
    const sim::ExecutionResult& result = run.recorded.result;
    const auto why = find_why(session, run.recording, run.scenario, result);
    if (!why.ok()) return why.error();
    auto outcomes = outcomes_of(session, run, why.value(), branches);
    if (!outcomes.ok()) return outcomes.error();
    Report told;
    describe_why(told, why.value(), result.trace);
    exporter::About about;
    about.scenario = run.scenario;
    about.kernel = run.recording.token.kernel.name();
    about.program = program_version();
    about.token = run.recording.word;
    about.command = "interleaf replay " + run.recording.word +
                    options_of(session, run.recording, *run.scenario);
    about.verdict = to_string(verdict_of(result));
    about.ladder =
        report::ladder(result.trace, report::Columns(*run.scenario, report::Columns::By::Cpu, 1),
                       {.width = session.settings.width,
                        .finding = result.violation ? result.violation->text : ""});
    about.why = SortedJson::parse(told.document.dump());
    about.outcomes = std::move(outcomes.value());
    return about;
}

}  // namespace app::cli
