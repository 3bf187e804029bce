#include <algorithm>

#include "app/cli/why.h"
#include "app/report/ladder.h"
#include "app/report/lockdep.h"
#include "app/scenario/kernel_spec.h"
#include "app/scenario/words.h"

namespace app::cli {

namespace {

std::optional<report::Columns> columns_of(const Session& session,
                                          const scenario::Scenario& scenario) {
    const std::string kind = session.has("headers") ? session.parsed.last("headers") : "cpu1";
    if (kind == "cpu1") return report::Columns(scenario, report::Columns::By::Cpu, 1);
    if (kind == "cpu0") return report::Columns(scenario, report::Columns::By::Cpu, 0);
    if (kind == "task") return report::Columns(scenario, report::Columns::By::Task);
    return std::nullopt;
}

/// One line that can be pasted; on a line of its own when that keeps it short enough for a mail.
std::string reproduce_entry(const std::string& command, std::size_t width) {
    const std::string line = "Reproduce       " + command;
    return line.size() <= width ? line + "\n" : "Reproduce\n  " + command + "\n";
}

std::string first_sentence(const sim::ExecutionResult& result) {
    if (result.violation) return result.violation->text;
    if (result.outcome == sim::Outcome::TaskLimit)
        return "The execution does not come to an end: " + result.task_limit + ".";
    return result.outcome == sim::Outcome::StepLimit
               ? "The execution does not come to an end within the step limit."
               : "This execution shows no violation.";
}

/// The kernel's words keep their lines: they are what people search for.
std::string messages_entry(const std::vector<std::string>& messages, std::size_t width) {
    if (messages.empty()) return "";
    std::string text = "\nKernel messages\n";
    for (const std::string& message : messages)
        text += wrapped(message, width, "  ");
    return text;
}

Json narration_json(const sim::Trace& trace, const report::Columns& columns) {
    static constexpr const char* kinds[] = {"enter", "leave", "note", "message", "violation"};
    Json list = Json::array();
    for (const sim::Narration& entry : trace.narration())
        list.push_back({{"step", entry.step},
                        {"task", trace.task_name(entry.task)},
                        {"column", columns.of(trace, entry.task)},
                        {"kind", kinds[static_cast<int>(entry.kind)]},
                        {"text", entry.text}});
    return list;
}

Json lock_json(const sim::LockUse& use) {
    return {{"lock", use.lock},
            {"key", use.key},
            {"shared", use.shared},
            {"function", use.function},
            {"step", use.step == 0 ? Json() : Json(use.step)}};
}

/// A circle of locks as the kernel would report it.
VerbResult as_lockdep(const Session& session, const Recording& recording,
                      const scenario::Scenario& scenario, const sim::ExecutionResult& result) {
    if (!result.violation || result.violation->circle.empty())
        return usage_failure(
            "--as lockdep is for a circle of tasks that wait for locks: this execution " +
                (result.violation ? "fails with " + result.violation->signature
                                  : std::string("has none")),
            "--as ladder");
    const report::Token& token = recording.token;
    Report report;
    report.document = {{"token", recording.word}};
    describe(report, scenario, token.kernel, result);
    if (!session.settings.exit_rule.expect) report.forced_exit = exit_code::as_expected;
    report.document["circle"] = Json::array();
    for (const sim::CircularWaiter& task : result.violation->circle)
        report.document["circle"].push_back({{"task", task.task},
                                             {"wants", lock_json(task.wants)},
                                             {"holds", lock_json(task.holds)},
                                             {"held", task.held}});
    report.text =
        report::lockdep_text(result.violation->circle,
                             "scenario " + scenario.id + ", kernel " + token.kernel.name(),
                             session.settings.width) +
        reproduce_entry("interleaf replay " + recording.word +
                            options_of(session, recording, scenario),
                        session.settings.width);
    return report;
}

}  // namespace

VerbResult explain(Session& session) {
    const std::size_t width = session.settings.width;
    const std::string form = session.has("as") ? session.parsed.last("as") : "ladder";
    const std::vector<std::string> forms{"ladder", "json", "lockdep"};
    if (std::find(forms.begin(), forms.end(), form) == forms.end())
        return usage_failure("--as \"" + form + "\": expected ladder, json or lockdep",
                             scenario::nearest(form, forms));
    const auto recording = load_recording(session.argument(0));
    if (!recording.ok()) return recording.error();
    const auto scenario = scenario_of(session, recording.value());
    if (!scenario.ok()) return scenario.error();
    const report::Token& token = recording.value().token;
    if (auto failure = other_kernel(session, recording.value())) return *failure;
    const auto columns = columns_of(session, *scenario.value());
    if (!columns)
        return usage_failure("--headers \"" + session.parsed.last("headers") +
                             "\": expected cpu1, cpu0 or task");
    const auto replayed = replay_exactly(session, recording.value(), scenario.value(), true);
    if (!replayed.ok()) return replayed.error();
    const sim::ExecutionResult& result = replayed.value();

    if (form == "lockdep") return as_lockdep(session, recording.value(), *scenario.value(), result);

    const auto why = find_why(session, recording.value(), scenario.value(), result);
    if (!why.ok()) return why.error();

    const std::string command = "interleaf replay " + recording.value().word +
                                options_of(session, recording.value(), *scenario.value());
    const std::string diagram =
        report::ladder(result.trace, *columns,
                       {.width = width,
                        .full = session.has("full"),
                        .finding = result.violation ? result.violation->text : ""});
    Report report;
    report.document = {{"seed", token.run ? Json(token.run->seed) : Json()},
                       {"token", recording.value().word}};
    describe(report, *scenario.value(), token.kernel, result);
    // Telling why is the success of this command; only --expect makes it judge.
    if (!session.settings.exit_rule.expect) report.forced_exit = exit_code::as_expected;
    report.document["ladder"] = diagram;
    report.document["narration"] = narration_json(result.trace, *columns);
    describe_why(report, why.value(), result.trace);
    if (form == "json") {
        report.text = report.document.dump(2) + "\n";
        return report;
    }
    report.text = wrapped(heading(*scenario.value(), token.kernel, ""), width, "  ");
    report.text += reproduce_entry(command, width) + "\n" +
                   wrapped(first_sentence(result), width, "") + "\n" + diagram + "\n";
    report.text +=
        explain_entry("Verdict",
                      std::string(to_string(report.verdict)) +
                          (result.violation ? "  " + result.violation->signature + " at step " +
                                                  std::to_string(result.violation->step)
                                            : ""),
                      width);
    report.text += explain_entry(
        "Schedule",
        grouped(result.steps) + " steps, " + grouped(result.switches) + " context switches, " +
            counted(result.deviations, "deviation") + " from the default order",
        width);
    report.text += why_text(why.value(), result.trace, width);
    report.text += messages_entry(result.messages, width) + reproduce_entry(command, width);
    if (!why.value().passing.empty() && !why.value().passing.front().empty())
        report.text += "next: interleaf diff " + recording.value().word + " " +
                       why.value().passing.front() + replay_options(session, *scenario.value()) +
                       "\n";
    return report;
}

}  // namespace app::cli
