#include "app/cli/search.h"

#include "app/cli/self_check.h"
#include "app/scenario/kernel_spec.h"
#include "app/scenario/program.h"
#include "sim/strategy_dfs.h"

namespace app::cli {

namespace {

constexpr std::uint32_t own_bound = 2;  // when neither scenario nor user names one

sim::SearchLimits limits(const Settings& settings, const std::atomic<bool>* interrupted) {
    sim::SearchLimits limits;
    limits.max_executions = settings.max_executions;
    limits.time = settings.time;
    limits.interrupted = interrupted;
    return limits;
}

}  // namespace

std::optional<std::uint32_t> Bound::number() const {
    if (deviations == sim::DfsStrategy::unbounded) return std::nullopt;
    return deviations;
}

std::string Bound::text() const {
    return number() ? std::to_string(deviations) : "none";
}

Json Bound::json() const {
    if (!number()) return nullptr;
    return {{"preemptions", deviations}};
}

Bound bound_of(const scenario::Scenario& scenario, const Settings& settings) {
    if (settings.unbounded) return {.deviations = sim::DfsStrategy::unbounded, .accepted = true};
    if (settings.preemptions) return {.deviations = *settings.preemptions, .accepted = true};
    if (scenario.preemptions) return {.deviations = *scenario.preemptions, .accepted = true};
    return {.deviations = own_bound, .accepted = settings.accept_bounded};
}

sim::SearchReport explore_scenario(const Session& session, const ScenarioPtr& scenario,
                                   const model::KernelVersion& kernel, const Bound& bound,
                                   bool keep_going, const std::atomic<bool>* interrupted,
                                   const scenario::ProgramOptions& program,
                                   const std::shared_ptr<sim::Coverage>& coverage,
                                   const std::function<void(sim::ExploreOptions&)>& adjust) {
    const auto progress =
        session.progress("explore " + scenario->id + " on " + kernel.name(), true);
    sim::ExploreOptions options;
    options.execution = execution_options(session.settings, false);
    if (coverage) options.execution.observer = sim::Coverage::observer(coverage);
    options.max_deviations = bound.deviations;
    options.jobs = session.settings.jobs;
    options.limits = limits(session.settings, interrupted);
    options.keep_going = keep_going;
    options.split_unordered = true;
    options.in_parts = true;
    options.reduction = session.settings.reduction;
    options.cuts = session.settings.reduction != sim::Reduction::None &&
                   session.settings.crash_at.kind != crash::CrashSet::Kind::None;
    options.cache_entries = session.settings.state_cache;
    // Which of several equivalent executions the cache lets run depends on the workers.
    const bool cached = options.cache_entries != 0 && options.reduction == sim::Reduction::None;
    if (coverage && cached) options.jobs = 1;
    options.self_check = self_check_options(session, scenario, kernel);
    options.on_progress = [&progress](const sim::SearchProgress& state) { progress->show(state); };
    if (adjust) adjust(options);
    return sim::explore(scenario::make_factory(scenario, kernel, program), options);
}

sim::SearchReport hunt_scenario(const Session& session, const ScenarioPtr& scenario,
                                const model::KernelVersion& kernel, const Persistence& persistence,
                                const std::atomic<bool>* interrupted,
                                const scenario::ProgramOptions& program,
                                const std::shared_ptr<sim::Coverage>& coverage) {
    const auto progress = session.progress("hunt " + scenario->id + " on " + kernel.name(), false);
    sim::HuntOptions options;
    options.execution = execution_options(session.settings, false);
    if (coverage) options.execution.observer = sim::Coverage::observer(coverage);
    options.strategy = session.settings.strategy;
    options.seed = session.settings.seed;
    options.count = session.settings.count;
    if (session.settings.seeds) {
        options.first = session.settings.seeds->first;
        options.count = session.settings.seeds->second - options.first + 1;
    }
    options.jobs = session.settings.jobs;
    options.limits = limits(session.settings, interrupted);
    options.limits.until_new = session.settings.until_new;
    options.keep_going = persistence.keep_going;
    options.known = persistence.known;
    options.each_execution = session.settings.each_execution;
    options.on_progress = [&progress](const sim::SearchProgress& state) { progress->show(state); };
    return sim::hunt(scenario::make_factory(scenario, kernel, program), options);
}

sim::Result<ShownFailure, Failure> show_failure(const Session& session, const ScenarioPtr& scenario,
                                                const model::KernelVersion& kernel,
                                                const sim::Failure& failure,
                                                const std::optional<report::StrategyRun>& made_by,
                                                bool with_count) {
    const auto token = recording_of(session, scenario, kernel, failure.result, made_by);
    if (!token.ok()) return token.error();
    const std::string text = failure.result.violation ? failure.result.violation->text : "";
    ShownFailure shown{.json = {{"signature", failure.signature}},
                       .token = token.value(),
                       .summary = {},
                       .rest = {}};
    if (with_count) shown.json["count"] = failure.count;
    shown.json["token"] = token.value();
    shown.json["violation"] = text;
    shown.json["steps"] = failure.result.steps;
    shown.json["switches"] = failure.result.switches;
    shown.json["deviations"] = failure.result.deviations;
    shown.json["messages"] = failure.result.messages;
    shown.summary = "      " + failure.signature +
                    (with_count ? "  " + grouped(failure.count) + " times" : "") + "\n      " +
                    wrapped(text, 100, "      ") + "      with " +
                    counted(failure.result.deviations, "deviation") + " and " +
                    grouped(failure.result.switches) + " context switches" + ", in " +
                    grouped(failure.result.steps) + " steps\n";
    for (const std::string& message : failure.result.messages)
        shown.rest += "      " + message + "\n";
    const std::string again = token.value() + replay_options(session, *scenario) + "\n";
    shown.rest += "      interleaf replay " + again + "next: interleaf explain " + again;
    return shown;
}

namespace {

/// Where another limit than usual made an execution one that does not end.
std::string max_steps_option(const Settings& settings) {
    if (settings.max_steps == Settings{}.max_steps) return "";
    return " --max-steps " + std::to_string(settings.max_steps);
}

}  // namespace

sim::Result<ShownUnending, Failure> show_unending(const Session& session,
                                                  const ScenarioPtr& scenario,
                                                  const model::KernelVersion& kernel,
                                                  const sim::SearchReport& search) {
    if (!search.unending) return ShownUnending{};
    const auto token = recording_of(session, scenario, kernel, *search.unending, std::nullopt);
    if (!token.ok()) return token.error();
    const std::string options =
        replay_options(session, *scenario) + max_steps_option(session.settings);
    return ShownUnending{.token = token.value(),
                         .text = "      one that does not end: interleaf replay " + token.value() +
                                 options + "\nnext: interleaf explain " + token.value() + options +
                                 "\n"};
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

std::string end_text(const sim::SearchReport& report, const Settings& settings) {
    switch (report.end) {
    case sim::SearchEnd::Time:
        return "time limit " + format_time(settings.time.value_or(std::chrono::nanoseconds{}));
    case sim::SearchEnd::Executions:
        return "limit of " + grouped(settings.max_executions) + " executions";
    case sim::SearchEnd::StepLimit:
        return "step limit (--max-steps): " + report.error;
    case sim::SearchEnd::Interrupted:
        return "interrupted";
    case sim::SearchEnd::TaskLimit:
    case sim::SearchEnd::Nondeterministic:
    case sim::SearchEnd::PreparationFailed:
        return report.error;
    case sim::SearchEnd::NothingNew:
        return "nothing new for " +
               format_time(settings.until_new.value_or(std::chrono::nanoseconds{})) + "; --count " +
               std::to_string(report.executions) + " runs the same";
    case sim::SearchEnd::Complete:
    case sim::SearchEnd::Found:
    case sim::SearchEnd::Planned:
        return "";
    }
    return "";
}

}  // namespace app::cli
