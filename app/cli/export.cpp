#include <algorithm>

#include "app/cli/output.h"
#include "app/cli/recorded.h"
#include "app/cli/states.h"
#include "app/scenario/words.h"

namespace app::cli {

namespace {

/// What a verb wrote, as it says so.
struct Written {
    std::string content;
    std::string said;  // "1,234 steps, 3 tasks"
};
using WrittenResult = sim::Result<Written, Failure>;

std::string bytes_text(std::size_t bytes) {
    constexpr std::size_t kib = 1024;
    return bytes < 10 * kib ? grouped(bytes) + " bytes" : grouped(bytes / kib) + " KiB";
}

WrittenResult as_json(const Session& session, const RecordedRun& run) {
    const auto described = about(session, run);
    if (!described.ok()) return described.error();
    return Written{.content = exporter::document_text(
                       exporter::trace_document(run.recorded, described.value())),
                   .said = counted(run.recorded.result.steps, "step") + ", " +
                           counted(run.recorded.result.tasks, "task")};
}

/// The state at every step, each from an execution of its own that was stopped there.
WrittenResult as_states(const Session& session, const RecordedRun& run) {
    std::string text;
    const std::uint32_t steps = run.recorded.result.steps;
    for (std::uint32_t step = 0; step <= steps; ++step) {
        const auto state = state_after(session, run, step);
        if (!state.ok()) return state.error();
        text += exporter::document_text({{"steps", step}, {"state", state.value()}});
    }
    return Written{.content = std::move(text), .said = counted(steps + 1, "state")};
}

using Exporter = WrittenResult (*)(const Session&, const RecordedRun&);
const std::vector<std::pair<std::string, Exporter>> exporters{{"json", as_json},
                                                              {"states", as_states}};

std::vector<std::string> exporter_names() {
    std::vector<std::string> names;
    for (const auto& entry : exporters)
        names.push_back(entry.first);
    return names;
}

/// To the file of -o; "-" is stdout.
std::optional<Failure> deliver(const std::string& file, const std::string& content,
                               Report& report) {
    if (file == "-") {
        report.text = content;
        return std::nullopt;
    }
    AtomicFile output;
    std::string error = output.open(file);
    if (error.empty()) error = output.commit(content);
    if (!error.empty())
        return Failure{
            .exit = exit_code::usage, .message = std::move(error), .nearest = {}, .where = {}};
    return std::nullopt;
}

}  // namespace

VerbResult export_execution(Session& session) {
    const std::string form = session.has("to") ? session.parsed.last("to") : "";
    const auto names = exporter_names();
    const auto found = std::find_if(exporters.begin(), exporters.end(),
                                    [&](const auto& entry) { return entry.first == form; });
    if (found == exporters.end())
        return usage_failure("--to \"" + form + "\": expected " + scenario::join(names, ", "),
                             scenario::nearest(form, names));
    const std::string& file = session.settings.result_file;
    if (file.empty()) return usage_failure("-o FILE is missing: where the result goes");
    const auto run = record(session, session.argument(0));
    if (!run.ok()) return run.error();
    const auto written = found->second(session, run.value());
    if (!written.ok()) return written.error();

    Report report;
    report.document = {{"token", run.value().recording.word}, {"to", form}, {"file", file}};
    describe(report, *run.value().scenario, run.value().recording.token.kernel,
             run.value().recorded.result);
    // To have written it is the success of this command; only --expect makes it judge.
    if (!session.settings.exit_rule.expect) report.forced_exit = exit_code::as_expected;
    report.text += "wrote " + file + ": " + written.value().said + "; " +
                   bytes_text(written.value().content.size()) + "\n";
    if (auto failure = deliver(file, written.value().content, report)) return *failure;
    return report;
}

}  // namespace app::cli
