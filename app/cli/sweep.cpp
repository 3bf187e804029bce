#include <algorithm>
#include <cmath>
#include <set>

#include "app/cli/executions.h"
#include "app/cli/interrupt.h"
#include "app/cli/output.h"
#include "app/cli/search.h"
#include "app/report/sweep.h"
#include "app/scenario/kernel_spec.h"
#include "app/scenario/words.h"

namespace app::cli {

namespace {

/// All at once and undisturbed, tasks would never meet in some places.
constexpr sim::TimedNoise noise{.start_within_ns = 50'000, .stall_one_in = 40, .stall_ns = 30'000};
constexpr std::uint64_t usual_count = 20'000;
/// Executions that are looked at for the functions that there are.
constexpr unsigned surveyed = 20;

/// --delay FUNCTION=A..B.
struct DelayRange {
    std::string function;
    std::uint64_t from_ns = 0, to_ns = 0;
};

/// "0", "250ns", "100us", "2ms", "1s".
std::optional<std::uint64_t> parse_delay(std::string_view text) {
    static constexpr std::pair<std::string_view, std::uint64_t> units[] = {
        {"ns", 1}, {"us", 1'000}, {"ms", 1'000'000}, {"s", 1'000'000'000}};
    constexpr std::uint64_t most = 3'600'000'000'000;
    if (text == "0") return 0;
    for (const auto& [unit, factor] : units) {
        if (!text.ends_with(unit)) continue;
        const auto number = scenario::parse_number(text.substr(0, text.size() - unit.size()));
        if (number && *number <= most / factor) return *number * factor;
    }
    return std::nullopt;
}

sim::Result<DelayRange, Failure> parse_range(const std::string& text) {
    const auto wrong = [&] {
        return usage_failure("--delay \"" + text +
                             "\": expected FUNCTION=A..B with delays as 0, 250ns, 100us or 2ms");
    };
    const std::size_t equals = text.find('='), dots = text.find("..");
    if (equals == std::string::npos || equals == 0 || dots == std::string::npos || dots < equals)
        return wrong();
    const auto from = parse_delay(std::string_view(text).substr(equals + 1, dots - equals - 1));
    const auto to = parse_delay(std::string_view(text).substr(dots + 2));
    if (!from || !to || *to < *from) return wrong();
    return DelayRange{.function = text.substr(0, equals), .from_ns = *from, .to_ns = *to};
}

sim::StrategySpec timed() {
    return {.kind = sim::StrategySpec::Kind::Timed, .noise = noise};
}

/// The functions that some executions of the scenario enter.
sim::Result<std::set<std::string>, Failure> functions_of(const Session& session,
                                                         const ScenarioPtr& scenario) {
    const auto execution =
        prepare(scenario, session.settings.kernel, execution_options(session.settings, true));
    if (!execution.ok()) return execution.error();
    std::set<std::string> functions;
    for (unsigned run = 0; run < surveyed; ++run) {
        const auto strategy =
            sim::make_strategy(timed(), sim::seed_of_run(session.settings.seed, run), nullptr);
        strategy->next_execution();
        for (const sim::Narration& told : execution.value()->run(*strategy).trace.narration())
            if (told.kind == sim::Narration::Kind::Enter &&
                told.text.find(' ') == std::string::npos)
                functions.insert(told.text);
    }
    return functions;
}

std::optional<Failure> check_function(const Session& session, const ScenarioPtr& scenario,
                                      const std::string& function) {
    const auto functions = functions_of(session, scenario);
    if (!functions.ok()) return functions.error();
    if (functions.value().contains(function)) return std::nullopt;
    const std::vector<std::string> known(functions.value().begin(), functions.value().end());
    return usage_failure("--delay: no execution of " + scenario->id +
                             " that was tried enters a function \"" + function + "\"; they enter " +
                             std::to_string(known.size()) + " others",
                         scenario::nearest(function, known));
}

std::uint64_t delay_at(const DelayRange& range, std::uint64_t step, std::uint64_t steps) {
    if (steps == 1) return range.from_ns;
    return range.from_ns + (range.to_ns - range.from_ns) * step / (steps - 1);
}

Json point_json(const report::SweepPoint& point) {
    const auto rounded = [](double share) { return std::round(share * 1e6) / 1e6; };
    return {{"delay_ns", point.delay_ns},
            {"failures", point.rate.failures},
            {"executions", point.rate.executions},
            {"probability", rounded(point.rate.estimate.value_or(0))},
            {"lower", rounded(point.rate.lower)},
            {"upper", rounded(point.rate.upper)},
            {"signatures", point.by_signature}};
}

Failure cannot_write(const std::string& error) {
    return {.exit = exit_code::internal, .message = error, .nearest = {}, .where = {}};
}

/// One scenario, one function, all delays.
class SweepRun {
  public:
    SweepRun(const Session& session, ScenarioPtr scenario, DelayRange range)
        : session_(session), scenario_(std::move(scenario)), range_(std::move(range)) {
        sweep_.title = scenario_->id + " on " + session.settings.kernel.name();
        sweep_.function = range_.function;
        steps_ = range_.from_ns == range_.to_ns ? 1 : session.settings.sweep_steps;
        count_ = session.has("count") ? session.settings.count : usual_count;
    }

    VerbResult run() {
        AtomicFile plot;
        if (const std::string& file = session_.settings.result_file; !file.empty())
            if (const std::string error = plot.open(file); !error.empty())
                return cannot_write(error);
        if (auto failure = check_function(session_, scenario_, range_.function)) return *failure;
        const InterruptGuard interrupt;
        for (std::uint64_t step = 0; step < steps_ && interrupt.exit_code() == 0; ++step)
            if (auto failure = add_point(delay_at(range_, step, steps_), interrupt.flag()))
                return *failure;
        if (interrupt.exit_code() != 0) sweep_.points.pop_back();  // it is not whole
        if (plot.is_open() && interrupt.exit_code() == 0)
            if (const std::string error = plot.commit(report::sweep_svg(sweep_)); !error.empty())
                return cannot_write(error);
        return report(interrupt.exit_code());
    }

  private:
    std::optional<Failure> add_point(std::uint64_t delay_ns, const std::atomic<bool>* interrupted) {
        sim::HuntOptions options;
        options.execution = execution_options(session_.settings, false);
        options.execution.delay = {.function = range_.function, .ns = delay_ns};
        options.strategy = timed();
        options.seed = session_.settings.seed;  // the same at each point: only the delay differs
        options.count = count_;
        options.jobs = session_.settings.jobs;
        options.keep_going = true;
        options.limits.interrupted = interrupted;
        const auto progress = session_.progress(
            "sweep " + sweep_.title + " at " + report::delay_text(delay_ns), false);
        options.on_progress = [&](const sim::SearchProgress& state) { progress->show(state); };
        const auto search =
            sim::hunt(scenario::make_factory(scenario_, session_.settings.kernel), options);
        if (search.end == sim::SearchEnd::PreparationFailed) return invalid(search.error);
        report::SweepPoint point{.delay_ns = delay_ns, .rate = {}, .by_signature = {}};
        std::uint64_t failures = 0;
        for (const sim::Failure& failure : search.failures) {
            point.by_signature[failure.signature] = failure.count;
            failures += failure.count;
        }
        point.rate = report::rate_of(failures, search.executions);
        sweep_.points.push_back(std::move(point));
        return std::nullopt;
    }

    std::string reproduce_line() const {
        std::string line = "reproduce: interleaf sweep " + scenario_word(session_, *scenario_) +
                           " " + scenario::kernel_options(session_.settings.kernel) + " --delay " +
                           session_.parsed.last("delay") + " --steps " + std::to_string(steps_) +
                           " --count " + std::to_string(count_) + " --seed " +
                           std::to_string(session_.settings.seed);
        if (session_.settings.grain == sim::Grain::Fine) line += " --grain fine";
        return line + "\n";
    }

    VerbResult report(int interrupted) const {
        const Settings& settings = session_.settings;
        Report report;
        const bool failed = std::ranges::any_of(
            sweep_.points, [](const auto& point) { return point.rate.failures > 0; });
        report.verdict = failed ? Verdict::Fail : Verdict::Clean;
        // To measure is the success of this command; only --expect makes it judge.
        if (!settings.exit_rule.expect) report.forced_exit = exit_code::as_expected;
        if (interrupted != 0) report.forced_exit = interrupted;
        Json points = Json::array();
        for (const report::SweepPoint& point : sweep_.points)
            points.push_back(point_json(point));
        report.document = {{"scenario", scenario_->id},
                           {"kernel", settings.kernel.name()},
                           {"strategy", "timed"},
                           {"seed", settings.seed},
                           {"function", range_.function},
                           {"start_within_ns", noise.start_within_ns},
                           {"stall_one_in", noise.stall_one_in},
                           {"stall_ns", noise.stall_ns},
                           {"confidence", report::Rate::confidence},
                           {"points", std::move(points)}};
        report.text = heading(*scenario_, settings.kernel,
                              "strategy timed  seed " + std::to_string(settings.seed)) +
                      reproduce_line() + "\n" + grouped(count_) + " executions for each delay in " +
                      range_.function + "; tasks begin within " +
                      report::delay_text(noise.start_within_ns) + " of each other, one step in " +
                      std::to_string(noise.stall_one_in) + " takes up to " +
                      report::delay_text(noise.stall_ns) + " longer\n\n" + sweep_table(sweep_);
        if (!settings.result_file.empty() && interrupted == 0) {
            report.document["plot"] = settings.result_file;
            report.text += "\nplot " + settings.result_file + "\n";
        }
        return report;
    }

    const Session& session_;
    ScenarioPtr scenario_;
    DelayRange range_;
    std::uint64_t steps_ = 1, count_ = usual_count;
    report::Sweep sweep_;
};

}  // namespace

VerbResult sweep(Session& session) {
    if (!session.has("delay"))
        return usage_failure("sweep needs --delay FUNCTION=A..B, as "
                             "btrfs_free_tree_block=0..100us");
    auto range = parse_range(session.parsed.last("delay"));
    if (!range.ok()) return range.error();
    const auto scenario = session.library.find(session.argument(0));
    if (!scenario.ok()) return scenario.error();
    return SweepRun(session, scenario.value(), std::move(range.value())).run();
}

}  // namespace app::cli
