#include "app/cli/devices.h"
#include "app/cli/interrupt.h"
#include "app/cli/search.h"
#include "app/scenario/kernel_spec.h"
#include "sim/strategy_dfs.h"

namespace app::cli {

namespace {

/// The line to paste. The number of jobs is not in it: it changes nothing.
std::string reproduce_line(const Session& session, const scenario::Scenario& scenario) {
    const Settings& settings = session.settings;
    std::string line = "reproduce: interleaf explore " + scenario_word(session, scenario) + " " +
                       scenario::kernel_options(settings.kernel);
    if (settings.unbounded && !session.has("reduction")) line += " --preemptions none";
    if (settings.preemptions) line += " --preemptions " + std::to_string(*settings.preemptions);
    if (session.has("reduction")) line += " --reduction " + session.parsed.last("reduction");
    if (session.has("state-cache"))
        line += " --state-cache " + std::to_string(settings.state_cache);
    if (settings.grain == sim::Grain::Fine) line += " --grain fine";
    if (session.has("keep-going")) line += " --keep-going";
    line += devices_options(session);
    return line + "\n";
}

const char* name_of(sim::Reduction reduction) {
    switch (reduction) {
    case sim::Reduction::Sleep:
        return "sleep";
    case sim::Reduction::Dpor:
        return "dpor";
    case sim::Reduction::None:
        break;
    }
    return "none";
}

std::string claim(const sim::SearchReport& report, Verdict verdict, const Bound& bound,
                  const Settings& settings) {
    const std::string executions = grouped(report.executions) + " executions";
    const std::string depth = ", depth " + grouped(report.max_depth);
    const std::string within = "every execution with at most " + counted(report.bound, "deviation");
    switch (verdict) {
    case Verdict::Pass:
        return "complete, " + executions +
               (report.blocked != 0 ? " (" + grouped(report.blocked) + " cut)" : "") + depth +
               ", no violation\n" +
               (settings.reduction == sim::Reduction::Dpor
                    ? "      checks over several objects saw the states of these executions only\n"
                    : "");
    case Verdict::PassBounded:
        return within + " was run: " + executions + depth + ", no violation\n";
    case Verdict::Fail:
        return "violation found" +
               (bound.deviations == sim::DfsStrategy::unbounded
                    ? std::string()
                    : " at bound " + std::to_string(report.bound)) +
               " after " + executions + "\n";
    default:
        break;
    }
    if (!report.unordered.empty())
        return "accesses without an order: steps were merged that must not be\n";
    if (report.end == sim::SearchEnd::Complete)
        return within + " was run, no violation: " + executions +
               "\n      interleaf chose this bound itself; --preemptions " +
               std::to_string(report.bound) + " or --accept-bounded accepts it\n";
    const bool unbounded = bound.deviations == sim::DfsStrategy::unbounded;
    return end_text(report, settings) + " after " + executions +
           (unbounded ? std::string() : " at bound " + std::to_string(report.bound)) +
           ", no violation so far\n";
}

}  // namespace

VerbResult explore(Session& session) {
    const Settings& settings = session.settings;
    const auto found = session.library.find(session.argument(0));
    if (!found.ok()) return found.error();
    const scenario::Scenario& scenario = *found.value();
    // Says at once what is wrong with the preparation, before workers start.
    if (auto prepared = prepare(found.value(), settings.kernel, execution_options(settings, false));
        !prepared.ok())
        return prepared.error();

    const Bound bound = bound_of(scenario, settings);
    const bool keep_going = session.has("keep-going");
    const InterruptGuard interrupt;
    const auto devices = crash_search(session);
    const sim::SearchReport search = explore_scenario(
        session, found.value(), settings.kernel, bound, keep_going, interrupt.flag(),
        crash::program_options(devices, settings.kernel, scenario.geometry));

    Report report;
    report.verdict = verdict_of(search, bound.accepted);
    report.document = {{"scenario", scenario.id},
                       {"kernel", settings.kernel.name()},
                       {"executions", search.executions},
                       {"blocked", search.blocked},
                       {"complete", search.end == sim::SearchEnd::Complete},
                       {"whole_space", search.whole_space},
                       {"bound", bound.json()},
                       {"completed_bound", search.bound},
                       {"cuts", search.cuts},
                       {"reduction", name_of(settings.reduction)},
                       {"state_cache", settings.state_cache},
                       {"steps", search.steps},
                       {"depth", search.max_depth}};
    report.text = heading(scenario, settings.kernel,
                          std::string("reduction ") + name_of(settings.reduction) +
                              (settings.reduction == sim::Reduction::None
                                   ? "  state cache " + std::to_string(settings.state_cache)
                                   : std::string()) +
                              "  bound " + bound.text() + "  seed none") +
                  reproduce_line(session, scenario) + "\n" + to_string(report.verdict) + "  " +
                  scenario.id + " on " + settings.kernel.name() + ": " +
                  claim(search, report.verdict, bound, settings);
    for (const std::string& race : search.unordered)
        report.text += "      " + wrapped(race, 100, "      ");
    if (!search.unordered.empty()) report.document["unordered"] = search.unordered;

    report.document["failures"] = nlohmann::ordered_json::array();
    for (const sim::Failure& failure : search.failures) {
        const auto shown = show_failure(session, found.value(), settings.kernel, failure,
                                        std::nullopt, keep_going);
        if (!shown.ok()) return shown.error();
        report.document["failures"].push_back(shown.value().json);
        report.text += shown.value().text;
        if (!keep_going) break;  // which others were met by the way depends on the workers
    }
    if (search.failures.empty()) describe_devices(report, devices);
    if (search.cuts != 0)
        report.text += "      " + grouped(search.cuts) +
                       " causally closed sets of flushes and promises were run to\n";
    if (search.end == sim::SearchEnd::Interrupted) report.document["interrupted"] = true;
    report.forced_exit = search.end == sim::SearchEnd::Interrupted ? interrupt.exit_code() : -1;
    if (report.verdict == Verdict::Inconclusive && search.end == sim::SearchEnd::Time &&
        bound.deviations != sim::DfsStrategy::unbounded && search.bound > 0)
        session.diagnostics.tip("--preemptions " + std::to_string(search.bound - 1) +
                                " was complete and would give PASS-BOUNDED");
    return report;
}

}  // namespace app::cli
