#include <algorithm>
#include <array>

#include "app/cli/certify.h"
#include "app/cli/costs.h"
#include "app/cli/coverage.h"
#include "app/cli/devices.h"
#include "app/cli/frontier.h"
#include "app/cli/interrupt.h"
#include "app/cli/search.h"
#include "app/cli/self_check.h"
#include "app/scenario/kernel_spec.h"
#include "app/scenario/words.h"
#include "sim/fewest_switches.h"
#include "sim/strategy_dfs.h"

namespace app::cli {

namespace {

constexpr std::uint64_t canonical_budget = 10'000;  // executions, for each signature

/// The line to paste. The number of jobs is not in it: it changes nothing.
std::string reproduce_explore(const Session& session, const scenario::Scenario& scenario) {
    const Settings& settings = session.settings;
    std::string line = "reproduce: interleaf explore " + scenario_word(session, scenario) + " " +
                       scenario::kernel_options(settings.kernel);
    if (settings.unbounded) line += " --preemptions none";
    if (settings.preemptions) line += " --preemptions " + std::to_string(*settings.preemptions);
    if (session.has("reduction")) line += " --reduction " + session.parsed.last("reduction");
    if (session.has("state-cache"))
        line += " --state-cache " + std::to_string(settings.state_cache);
    if (settings.grain == sim::Grain::Fine) line += " --grain fine";
    if (keeps_going(session)) line += " --keep-going";
    if (session.has("first")) line += " --first";
    if (session.has("costs")) line += " --costs";
    if (session.has("self-check")) line += " --self-check " + session.parsed.last("self-check");
    line += devices_options(session);
    return line + "\n";
}

std::string claim(const sim::SearchReport& report, Verdict verdict, const Bound& bound,
                  const Settings& settings) {
    const std::string executions = grouped(report.executions) + " executions";
    const std::string depth = ", depth " + grouped(report.max_depth);
    const bool reduced = settings.reduction == sim::Reduction::Dpor;
    const std::string within = "every execution with at most " +
                               counted(report.bound, "deviation") +
                               (reduced ? ", or an equivalent one," : "");
    const std::string sampled =
        reduced ? "      checks over several objects saw the states of these executions only\n"
                : "";
    switch (verdict) {
    case Verdict::Pass:
        return "complete, " + executions +
               (report.blocked != 0 ? " (" + grouped(report.blocked) + " cut)" : "") + depth +
               ", no violation\n" + sampled;
    case Verdict::PassBounded:
        return within + " was run: " + executions + depth + ", no violation\n" + sampled;
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

/// The failure to show for one that was found: the one with the fewest context switches, unless
/// --first wants none searched for.
struct Canonical {
    sim::Failure failure;
    bool searched = false, complete = false;
    std::uint32_t before = 0;
    std::uint64_t executions = 0;

    std::string text() const {
        const std::string fewest =
            complete ? "no execution within these deviations fails so with fewer context switches"
                     : "the fewest context switches that " + grouped(executions) +
                           " more executions found";
        return fewest + " (the first had " + grouped(before) + ")\n";
    }
};

Canonical fewest_switches(const Session& session, const ScenarioPtr& scenario,
                          const sim::Failure& first,
                          const std::shared_ptr<crash::CrashSearch>& devices) {
    Canonical canonical{.failure = first, .before = first.result.switches};
    if (session.has("first")) return canonical;
    const auto execution =
        prepare(scenario, session.settings.kernel, execution_options(session.settings, false),
                crash::program_options(devices, session.settings.kernel, scenario->geometry));
    if (!execution.ok()) return canonical;
    sim::FewestSwitches found =
        sim::find_fewest_switches(*execution.value(), first.result, canonical_budget);
    canonical.searched = true;
    canonical.complete = found.complete;
    canonical.executions = found.executions;
    canonical.failure.result = std::move(found.result);
    return canonical;
}

std::string shard_done(const sim::SearchReport& search, const report::Shard& shard) {
    return "shard " + std::to_string(shard.index) + " of " + std::to_string(shard.count) +
           " is done, " + grouped(search.executions) +
           " executions, no violation; interleaf merge gives the verdict of all\n";
}

/// The files of a plan instead of a search.
VerbResult planned(const Session& session, const ScenarioPtr& scenario, const Bound& bound,
                   bool keep_going, const sim::SavedSearch& left) {
    const auto names = write_plan(session, scenario,
                                  {.token = identity_of(session, *scenario),
                                   .deviations = bound.deviations,
                                   .bound_accepted = bound.accepted,
                                   .max_steps = session.settings.max_steps,
                                   .keep_going = keep_going,
                                   .shard = {},
                                   .search = left},
                                  session.settings.plan);
    if (!names.ok()) return names.error();
    Report report;
    report.verdict = left.found.empty() ? Verdict::Clean : Verdict::Fail;
    report.document = {{"scenario", scenario->id},
                       {"kernel", session.settings.kernel.name()},
                       {"executions", left.executions},
                       {"branches", left.tree.branches.size()},
                       {"plan", names.value()}};
    report.text = heading(*scenario, session.settings.kernel, "plan  bound " + bound.text()) +
                  reproduce_explore(session, *scenario) + "\n" + to_string(report.verdict) + "  " +
                  scenario->id + " on " + session.settings.kernel.name() + ": " +
                  grouped(left.tree.branches.size()) + " open branches after " +
                  grouped(left.executions) + " executions, in files to be run apart\n";
    for (std::size_t i = 0; i < names.value().size(); ++i) {
        report.text += "      interleaf explore --resume " + names.value()[i] + "\n";
        session.events.shard(*scenario, i + 1, names.value().size(), {{"file", names.value()[i]}});
    }
    report.text += "      then interleaf merge them\n";
    return report;
}

/// That the search began anew, and with which accesses as steps of their own.
void add_split(const sim::SearchReport& search, Report& report) {
    if (search.split.empty()) return;
    report.text +=
        "      " + wrapped("accesses of " + scenario::join(search.split, ", ") +
                               " had no order, though they are declared as made under locks: the "
                               "search began anew with each of them as a step of its own",
                           94, "      ");
    for (const std::string& race : search.split_unordered)
        report.text += "      " + wrapped("warning: " + race, 94, "      ");
    report.document["split"] = search.split;
    report.document["split_unordered"] = search.split_unordered;
    report.document["restarts"] = search.restarts;
}

/// What was left of a search.
VerbResult go_on(Session& session) {
    if (!session.parsed.arguments.empty())
        return usage_failure("--resume FILE names its scenario: \"" + session.argument(0) +
                             "\" is one too many");
    for (const char* other : {"coverage", "costs", "plan", "preemptions", "reduction", "kernel"})
        if (session.has(other))
            return usage_failure(std::string("--") + other +
                                 " cannot be changed in the middle of a search");
    const auto from = load_frontier(session.parsed.last("resume"));
    if (!from.ok()) return from.error();
    const auto scenario = scenario_of(session, from.value());
    if (!scenario.ok()) return scenario.error();
    const Settings settings = settings_of(session.settings, from.value());
    const Session same = session.with(settings);
    return explore(same, scenario.value(), &from.value());
}

/// Of several searches: what is worse says more.
unsigned rank(Verdict verdict) {
    constexpr std::array worst_last{Verdict::Pass, Verdict::PassBounded, Verdict::Clean,
                                    Verdict::Inconclusive, Verdict::Fail};
    const auto* const found = std::ranges::find(worst_last, verdict);
    return static_cast<unsigned>(found - worst_last.begin());
}

void add_search(Report one, Report& all) {
    if (rank(one.verdict) > rank(all.verdict)) all.verdict = one.verdict;
    all.text += (all.text.empty() ? "" : "\n") + one.text;
    all.forced_exit = one.forced_exit;
    auto& document = all.document;
    document["executions"] = document["executions"].get<std::uint64_t>() +
                             one.document["executions"].get<std::uint64_t>();
    for (Json failure : one.document["failures"]) {
        failure["scenario"] = one.document["scenario"];
        document["failures"].push_back(std::move(failure));
    }
    one.document.erase("failures");
    one.document["verdict"] = to_string(one.verdict);
    document["scenario"].push_back(one.document["scenario"]);
    document["scenarios"].push_back(std::move(one.document));
}

/// One search after the other.
VerbResult explore_each(Session& session, const std::vector<ScenarioPtr>& scenarios) {
    for (const char* option : {"plan", "checkpoint", "coverage"})
        if (session.has(option))
            return usage_failure(std::string("--") + option + " is for one scenario, not for " +
                                 std::to_string(scenarios.size()));
    Report all;
    all.verdict = Verdict::Pass;
    all.document = {{"scenario", Json::array()},
                    {"kernel", session.settings.kernel.name()},
                    {"executions", 0},
                    {"scenarios", Json::array()},
                    {"failures", Json::array()}};
    for (const ScenarioPtr& scenario : scenarios) {
        if (!scenario->exists_on(session.settings.kernel.release())) continue;
        auto one = explore(session, scenario, nullptr);
        if (!one.ok()) return one;
        add_search(std::move(one.value()), all);
        if (all.forced_exit >= 0) {
            all.document["interrupted"] = true;
            break;
        }
    }
    return all;
}

}  // namespace

VerbResult explore(Session& session) {
    if (session.has("canonical") && session.has("first"))
        return usage_failure("--canonical and --first exclude each other");
    if (session.has("resume")) return go_on(session);
    const Settings& settings = session.settings;
    const bool kept = settings.reduction == sim::Reduction::Dpor && !settings.unbounded;
    for (const char* option : {"plan", "checkpoint", "checkpoint-interval"})
        if (session.has(option) && !kept)
            return usage_failure(std::string("--") + option +
                                 " is for a search with a bound and --reduction dpor, without "
                                 "crash points");
    for (const char* option : {"coverage", "costs"})
        if (session.has("plan") && session.has(option))
            return usage_failure(std::string("--plan runs no whole search: it has no --") + option);
    if (session.parsed.arguments.empty())
        return usage_failure("explore needs a scenario, or --resume FILE");
    const auto found = session.library.select(session.parsed.arguments);
    if (!found.ok()) return found.error();
    if (found.value().size() > 1) return explore_each(session, found.value());
    return explore(session, found.value().front(), nullptr);
}

VerbResult explore(const Session& session, const ScenarioPtr& scenario_ptr,
                   const report::FrontierFile* from) {
    const Settings& settings = session.settings;
    const scenario::Scenario& scenario = *scenario_ptr;
    // Says at once what is wrong with the preparation, before workers start.
    if (auto prepared = prepare(scenario_ptr, settings.kernel, execution_options(settings, false));
        !prepared.ok())
        return prepared.error();

    Bound bound = bound_of(scenario, settings);
    if (from != nullptr) bound.accepted = from->bound_accepted;
    const bool keep_going = keeps_going(session) || (from != nullptr && from->keep_going);
    Checkpoints checkpoints(session, scenario_ptr, bound, keep_going, from);
    auto coverage = CoverageOption::open(session);
    if (!coverage.ok()) return coverage.error();
    const auto covered = coverage.value().begin(session);
    const InterruptGuard interrupt;
    const auto devices = crash_search(session);
    auto program = crash::program_options(devices, settings.kernel, scenario.geometry);
    program.asked = std::make_shared<model::QuestionLog>();
    session.events.started("explore", scenario, settings.kernel, std::nullopt);
    const sim::SearchReport search =
        explore_scenario(session, scenario_ptr, settings.kernel, bound, keep_going,
                         interrupt.flag(), program, covered, [&](sim::ExploreOptions& options) {
                             checkpoints.apply(options);
                             options.stop_at_first = session.has("first");
                             options.plan = from == nullptr ? settings.plan : 0;
                             options.deepen = options.plan == 0;
                         });
    if (search.end == sim::SearchEnd::Planned)
        return planned(session, scenario_ptr, bound, keep_going, *search.left);

    // What is shown and kept of it runs as the search did in the end.
    Settings as_searched = session.settings;
    as_searched.split = search.split;
    const Session seen = session.with(as_searched);
    Report report;
    const bool is_shard = from != nullptr && from->shard.count != 0;
    report.verdict = verdict_of(search, bound.accepted);
    // A shard speaks for its own executions only.
    if (is_shard && search.end == sim::SearchEnd::Complete && search.unordered.empty())
        report.verdict = Verdict::Clean;
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
    report.text =
        heading(scenario, settings.kernel,
                std::string("reduction ") + name_of(settings.reduction) +
                    (settings.reduction == sim::Reduction::None
                         ? "  state cache " + std::to_string(settings.state_cache)
                         : std::string()) +
                    "  bound " + bound.text() + "  seed none") +
        reproduce_explore(session, scenario) + "\n" + to_string(report.verdict) + "  " +
        scenario.id + " on " + settings.kernel.name() +
        (search.split.empty() ? "" : " with " + scenario::join(search.split, ", ") + " split") +
        ": " +
        (is_shard && report.verdict == Verdict::Clean
             ? shard_done(search, from->shard)
             : claim(search, report.verdict, bound, settings));
    for (const std::string& race : search.unordered)
        report.text += "      " + wrapped(race, 100, "      ");
    if (!search.unordered.empty()) report.document["unordered"] = search.unordered;
    add_split(search, report);
    if (auto failure = add_self_check(seen, scenario_ptr, search, report)) return *failure;
    const auto costs = costs_of(session, covered.get());
    if (costs) add_costs(*costs, report);
    coverage.value().add(report, scenario, settings.kernel, covered.get());
    if (auto failure = coverage.value().write()) return *failure;

    report.document["failures"] = Json::array();
    for (const sim::Failure& first : search.failures) {
        const auto canonical = fewest_switches(seen, scenario_ptr, first, devices);
        const sim::Failure& failure = canonical.failure;
        const auto shown =
            show_failure(seen, scenario_ptr, settings.kernel, failure, std::nullopt, keep_going);
        if (!shown.ok()) return shown.error();
        report.document["failures"].push_back(shown.value().json);
        session.events.violation(scenario, settings.kernel, failure, shown.value().token);
        report.text += shown.value().summary;
        if (canonical.searched) {
            report.document["failures"].back()["canonical"] = canonical.complete;
            report.text += "      " + canonical.text();
        }
        report.text += shown.value().rest;
        if (!keep_going) break;  // which others were met by the way depends on the workers
    }
    if (search.failures.empty()) describe_devices(report, devices);
    const auto unending = show_unending(seen, scenario_ptr, settings.kernel, search);
    if (!unending.ok()) return unending.error();
    report.text += unending.value().text;
    if (search.unending) report.document["unending"] = unending.value().token;
    if (is_shard)
        session.events.shard(scenario, from->shard.index, from->shard.count,
                             {{"executions", search.executions}});
    if (auto failure = checkpoints.finish(search, report)) return *failure;
    if (auto certificate =
            is_shard ? std::nullopt
                     : certificate_of(seen, scenario_ptr, bound, search, report.verdict)) {
        certificate->costs = costs;
        // Of what crashes left, and of an earlier part, the questions are not known.
        if (devices == nullptr && from == nullptr)
            certificate->asked = report::asked_of(program.asked->asked(), settings.kernel);
        if (auto failure = save_certificate(session, *certificate, report)) return *failure;
    }
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
