#include <unistd.h>

#include <iostream>

#include "app/cli/output.h"
#include "app/cli/step_branches.h"
#include "app/scenario/words.h"

namespace app::cli {

namespace {

/// "(interleaf) g 9" and what came of it, line by line; a comment begins with #.
sim::Result<std::string, Failure> run_batch(exporter::Stepper& stepper, const std::string& file) {
    const auto script = read_file(file);
    if (!script.ok()) return script.error();
    std::string text;
    std::size_t number = 0;
    for (const std::string& line : scenario::split(script.value(), '\n')) {
        ++number;
        if (line.empty() || line.starts_with('#')) continue;
        const auto answer = stepper.command(line);
        if (!answer.ok())
            return usage_failure(file + ":" + std::to_string(number) + ": " +
                                     answer.error().message,
                                 answer.error().nearest);
        text += "(interleaf) " + line + "\n" + answer.value();
        if (stepper.has_quit()) break;
    }
    return text;
}

/// Asks until the input ends. @return what went wrong with the output; empty: nothing
std::string converse(exporter::Stepper& stepper) {
    const bool prompts = ::isatty(STDIN_FILENO) == 1;
    std::string line, error;
    while (error.empty() && !stepper.has_quit()) {
        if (prompts) error = write_all(STDOUT_FILENO, "(interleaf) ");
        if (!std::getline(std::cin, line)) break;
        const auto answer = stepper.command(line);
        const std::string nearest = answer.ok() ? std::string() : answer.error().nearest;
        error = write_all(STDOUT_FILENO,
                          answer.ok()
                              ? answer.value()
                              : answer.error().message +
                                    (nearest.empty() ? "" : "; did you mean \"" + nearest + "\"?") +
                                    "\n");
    }
    return error;
}

}  // namespace

VerbResult step(Session& session) {
    auto recorded = record(session, session.argument(0));
    if (!recorded.ok()) return recorded.error();
    const auto runner = BranchRunner::start(session, std::move(recorded.value()));
    if (!runner.ok()) return runner.error();
    const RecordedRun& run = runner.value()->run();
    exporter::Stepper stepper(runner.value()->document(), *runner.value());

    Report report;
    report.document = {{"token", run.recording.word}};
    describe(report, *run.scenario, run.recording.token.kernel, run.recorded.result);
    if (!session.settings.exit_rule.expect) report.forced_exit = exit_code::as_expected;
    if (session.has("batch")) {
        const auto text = run_batch(stepper, session.parsed.last("batch"));
        if (!text.ok()) return text.error();
        report.text += text.value();
        report.document["position"] = stepper.position();
        return report;
    }
    std::string error = write_all(STDOUT_FILENO, report.text + "help lists the commands\n");
    if (error.empty()) error = converse(stepper);
    if (!error.empty()) return usage_failure("cannot write: " + error);
    report.text.clear();
    return report;
}

}  // namespace app::cli
