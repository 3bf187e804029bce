#include <algorithm>

#include "app/cli/pages.h"
#include "app/cli/recorded.h"
#include "app/cli/result_file.h"
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

/// One execution, and the other one to compare it with; null: none.
struct Told {
    const RecordedRun& run;
    const RecordedRun* other;
};

WrittenResult as_json(const Session& session, const Told& told) {
    const RecordedRun& run = told.run;
    const auto described = about(session, run);
    if (!described.ok()) return described.error();
    return Written{.content = exporter::document_text(
                       exporter::trace_document(run.recorded, described.value())),
                   .said = counted(run.recorded.result.steps, "step") + ", " +
                           counted(run.recorded.result.tasks, "task")};
}

/// The state at every step, each from an execution of its own that was stopped there.
WrittenResult as_states(const Session& session, const Told& told) {
    const RecordedRun& run = told.run;
    std::string text;
    const std::uint32_t steps = run.recorded.result.steps;
    for (std::uint32_t step = 0; step <= steps; ++step) {
        const auto state = state_after(session, run, step);
        if (!state.ok()) return state.error();
        text += exporter::document_text({{"steps", step}, {"state", state.value()}});
    }
    return Written{.content = std::move(text), .said = counted(steps + 1, "state")};
}

WrittenResult as_html(const Session& session, const Told& told) {
    const auto page = page_of(session, told.run, told.other);
    if (!page.ok()) return page.error();
    const std::uint32_t steps = told.run.recorded.result.steps;
    std::string said = counted(steps, "step");
    if (page.value().steps < steps)
        said = grouped(page.value().steps) + " of " + said + ", a window around the critical step";
    if (page.value().with_partner) said += ", with the nearest passing execution beside it";
    return Written{.content = page.value().content, .said = said};
}

using Exporter = WrittenResult (*)(const Session&, const Told&);
const std::vector<std::pair<std::string, Exporter>> exporters{
    {"html", as_html}, {"json", as_json}, {"states", as_states}};

std::vector<std::string> exporter_names() {
    std::vector<std::string> names;
    for (const auto& entry : exporters)
        names.push_back(entry.first);
    return names;
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
    std::optional<RecordedRun> other;
    if (session.parsed.arguments.size() > 1) {
        if (form != "html") return usage_failure("two executions go into a page only: --to html");
        auto second = record(session, session.argument(1));
        if (!second.ok()) return second.error();
        other = std::move(second.value());
    }
    const auto written = found->second(session, {run.value(), other ? &*other : nullptr});
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
