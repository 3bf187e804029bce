#include <algorithm>

#include "app/cli/pages.h"
#include "app/cli/recorded.h"
#include "app/cli/result_file.h"
#include "app/cli/states.h"
#include "app/cli/why.h"
#include "app/export/dot.h"
#include "app/export/ftrace.h"
#include "app/export/perfetto.h"
#include "app/image/camera.h"
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

/// The state at every step.
WrittenResult as_states(const Session& session, const Told& told) {
    const RecordedRun& run = told.run;
    std::string text;
    const auto told_all =
        each_state(session, run, [&](std::uint32_t steps, const SortedJson& state) {
            text += exporter::document_text({{"steps", steps}, {"state", state}});
        });
    if (!told_all.ok()) return told_all.error();
    return Written{.content = std::move(text),
                   .said = counted(run.recorded.result.steps + 1, "state")};
}

WrittenResult as_html(const Session& session, const Told& told) {
    const auto page = page_of(session, told.run, told.other);
    if (!page.ok()) return page.error();
    std::string said = counted(told.run.recorded.result.steps, "step");
    if (!page.value().cut.empty()) said += ", of them " + page.value().cut;
    if (page.value().with_partner) said += ", with the nearest passing execution beside it";
    return Written{.content = page.value().content, .said = said};
}

WrittenResult as_perfetto(const Session&, const Told& told) {
    auto trace = exporter::perfetto_trace(told.run.recorded, *told.run.scenario);
    std::string said = counted(told.run.recorded.result.steps, "step") + ", " +
                       counted(trace.tasks, "task track") + ", " +
                       counted(trace.locks, "lock track") + ", " +
                       counted(trace.objects, "object track") + ", " +
                       counted(trace.flows, "flow") + ", " + counted(trace.counters, "counter");
    return Written{.content = std::move(trace.content), .said = std::move(said)};
}

WrittenResult as_ftrace_text(const Session&, const Told& told) {
    auto text = exporter::ftrace_text(told.run.recorded, *told.run.scenario);
    std::string said = counted(text.lines, "event") + ", " + grouped(text.tracepoints) +
                       " of them of btrfs and the block layer";
    return Written{.content = std::move(text.content), .said = std::move(said)};
}

/// The trees after so many steps.
WrittenResult as_trees(const Told& told, const std::string& when) {
    const auto moment = image::Moment::parse(when);
    using Kind = image::Moment::Kind;
    if (!moment || (moment->kind != Kind::End && moment->kind != Kind::Step))
        return usage_failure("--at \"" + when + "\": expected end or step:N");
    const exporter::Recorded& recorded = told.run.recorded;
    const std::uint64_t steps =
        moment->kind == Kind::End ? recorded.changes.size() : moment->number;
    if (steps > recorded.changes.size())
        return usage_failure("--at " + when + ": the execution has " +
                             counted(recorded.changes.size(), "step"));
    SortedJson state = recorded.first;
    for (std::uint64_t step = 0; step < steps; ++step)
        exporter::apply(state, recorded.changes[step]);
    auto graph = exporter::tree_graph(state);
    std::string said = "the trees after " + counted(steps, "step") + ", " +
                       counted(graph.blocks, "block") + ", " + grouped(graph.shared) +
                       " of them as last committed";
    return Written{.content = std::move(graph.content), .said = std::move(said)};
}

/// The trees at a moment if one is given, else what happens before what.
WrittenResult as_dot(const Session& session, const Told& told) {
    if (session.has("at")) return as_trees(told, session.parsed.last("at"));
    const RecordedRun& run = told.run;
    const auto why = find_why(session, run.recording, run.scenario, run.recorded.result);
    if (!why.ok()) return why.error();
    const auto& critical = why.value().critical;
    auto graph = exporter::race_graph(
        run.recorded, run.recording.token.fine ? sim::Grain::Fine : sim::Grain::Coarse,
        critical ? std::optional(critical->step) : std::nullopt);
    std::string said = counted(graph.pairs, "pair") + " of steps that could be reversed, " +
                       counted(graph.steps, "step") + " drawn";
    return Written{.content = std::move(graph.content), .said = std::move(said)};
}

using Exporter = WrittenResult (*)(const Session&, const Told&);
const std::vector<std::pair<std::string, Exporter>> exporters{
    {"html", as_html},         {"json", as_json},
    {"perfetto", as_perfetto}, {"ftrace-text", as_ftrace_text},
    {"dot", as_dot},           {"states", as_states}};

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
    if (session.has("at") && form != "dot")
        return usage_failure("--at is for --to dot: it draws the trees of a moment");
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
