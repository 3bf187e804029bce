#include "app/cli/devices.h"
#include "app/cli/recording.h"
#include "app/report/step_table.h"
#include "app/scenario/kernel_spec.h"
#include "app/scenario/words.h"
#include "sim/meaning.h"

namespace app::cli {

namespace {

std::string reproduce_replay(const Session& session, const Recording& recording,
                             const scenario::Scenario& scenario) {
    std::string line =
        "reproduce: interleaf replay " + recording.word + options_of(session, recording, scenario);
    if (session.settings.kernel_given)
        line += " " + scenario::kernel_options(session.settings.kernel);
    if (session.has("on-divergence"))
        line += " --on-divergence " + session.parsed.last("on-divergence");
    return line + "\n";
}

std::string seed_text(const report::Token& token) {
    if (!token.run)
        return "schedule of " + counted(token.schedule.departures.size(), "choice") + "  seed none";
    return "strategy " + token.run->strategy.name() + "  seed " + std::to_string(token.run->seed);
}

Json seed_json(const report::Token& token) {
    return token.run ? Json(token.run->seed) : Json();
}

/// Replays as often as asked, and compares.
sim::Result<sim::ExecutionResult, Failure>
replay_times(const Session& session, const Recording& recording, const ScenarioPtr& scenario) {
    auto first = replay_exactly(session, recording, scenario, session.has("trace"));
    for (std::uint64_t i = 1; first.ok() && i < session.settings.times; ++i) {
        const auto again = replay_exactly(session, recording, scenario, false);
        if (!again.ok()) return again.error();
        if (again.value().trace_hash != first.value().trace_hash)
            return differs("replay " + std::to_string(i + 1) +
                           " made another execution than the first: trace " +
                           scenario::hex_digits(again.value().trace_hash, 16) + " and " +
                           scenario::hex_digits(first.value().trace_hash, 16));
    }
    return first;
}

sim::Result<sim::OnDivergence, Failure> divergence_mode(const Session& session) {
    const std::string word =
        session.has("on-divergence") ? session.parsed.last("on-divergence") : "stop";
    if (word == "stop") return sim::OnDivergence::Stop;
    if (word == "continue") return sim::OnDivergence::Continue;
    if (word == "nearest") return sim::OnDivergence::Nearest;
    const std::vector<std::string> known{"stop", "continue", "nearest"};
    return usage_failure("--on-divergence \"" + word + "\": expected stop, continue or nearest",
                         scenario::nearest(word, known));
}

void describe_divergences(Report& report, const std::vector<sim::Divergence>& divergences) {
    Json list = Json::array();
    for (const sim::Divergence& divergence : divergences) {
        report.text += "step " + std::to_string(divergence.step) + "   divergence: recorded \"" +
                       divergence.recorded + "\" is not possible\n         took \"" +
                       divergence.taken + "\"\n";
        list.push_back({{"step", divergence.step},
                        {"recorded", divergence.recorded},
                        {"taken", divergence.taken}});
    }
    report.text += std::to_string(divergences.size()) +
                   (divergences.size() == 1 ? " divergence\n" : " divergences\n");
    report.document["divergences"] = std::move(list);
}

/// The recorded steps by their meaning, on another kernel: first where they were made, to recover
/// the meanings.
VerbResult replay_elsewhere(const Session& session, const Recording& recording,
                            const ScenarioPtr& scenario) {
    const Settings& settings = session.settings;
    const auto mode = divergence_mode(session);
    if (!mode.ok()) return mode.error();
    const auto original = replay_exactly(session, recording, scenario, true);
    if (!original.ok()) return original.error();
    const sim::ExecutionOptions options =
        execution_options(settings, recording.token, session.has("trace"));
    auto execution = prepare(scenario, settings.kernel, options,
                             watch_devices(session, *scenario, settings.kernel));
    if (!execution.ok()) return execution.error();
    sim::MeaningReplay strategy(sim::meanings(original.value().trace), mode.value());
    strategy.next_execution();
    const sim::ExecutionResult& result = execution.value()->run(strategy);
    if (result.outcome == sim::Outcome::Nondeterministic && !strategy.divergences().empty()) {
        const sim::Divergence& first = strategy.divergences().front();
        return differs("recorded with " + recording.token.kernel.name() + ", replayed with " +
                       settings.kernel.name() + ": step " + std::to_string(first.step) + " \"" +
                       first.recorded +
                       "\" is not possible there (--on-divergence nearest goes on)");
    }

    Report report;
    report.text = heading(*scenario, settings.kernel, seed_text(recording.token)) +
                  reproduce_replay(session, recording, *scenario) + "\nrecorded with " +
                  recording.token.kernel.name() + ", replaying with " + settings.kernel.name() +
                  "\n";
    report.document = {{"seed", seed_json(recording.token)},
                       {"recorded_kernel", recording.token.kernel.name()}};
    describe_divergences(report, strategy.divergences());
    if (session.has("trace"))
        report.text += report::step_table(result.trace,
                                          report::Columns(*scenario, report::Columns::By::Task)) +
                       "\n";
    const auto token = recording_of(session, scenario, settings.kernel, result);
    if (!token.ok()) return token.error();
    report.document["token"] = token.value();
    describe(report, *scenario, settings.kernel, result);
    if (report.verdict == Verdict::Clean)
        report.text += "      one execution; interleaf explore decides\n";
    return report;
}

}  // namespace

VerbResult replay(Session& session) {
    const auto recording = load_recording(session.argument(0));
    if (!recording.ok()) return recording.error();
    const auto scenario = scenario_of(session, recording.value());
    if (!scenario.ok()) return scenario.error();
    const report::Token& token = recording.value().token;
    if (session.settings.kernel_given && session.settings.kernel != token.kernel)
        return replay_elsewhere(session, recording.value(), scenario.value());

    const auto replayed = replay_times(session, recording.value(), scenario.value());
    if (!replayed.ok()) return replayed.error();
    const sim::ExecutionResult& result = replayed.value();
    if (session.has("save"))
        if (auto failure =
                save_recording(session, session.parsed.last("save"), scenario.value(), token))
            return *failure;
    Report report;
    report.text = heading(*scenario.value(), token.kernel, seed_text(token)) +
                  reproduce_replay(session, recording.value(), *scenario.value()) + "\n";
    if (session.has("trace"))
        report.text +=
            report::step_table(result.trace,
                               report::Columns(*scenario.value(), report::Columns::By::Task)) +
            "\n";
    report.document = {{"seed", seed_json(token)}, {"token", recording.value().word}};
    describe(report, *scenario.value(), token.kernel, result);
    if (result.failed())
        report.text += "next: interleaf explain " + recording.value().word +
                       options_of(session, recording.value(), *scenario.value()) + "\n";
    return report;
}

}  // namespace app::cli
