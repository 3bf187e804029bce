#include <algorithm>
#include <cmath>
#include <cstdio>

#include "app/cli/corpus.h"
#include "app/cli/coverage.h"
#include "app/cli/devices.h"
#include "app/cli/interrupt.h"
#include "app/cli/search.h"
#include "app/report/rate.h"
#include "app/scenario/kernel_spec.h"
#include "app/scenario/words.h"

namespace app::cli {

namespace {

std::string reproduce_hunt(const Session& session) {
    const Settings& settings = session.settings;
    std::string line = "reproduce: interleaf hunt";
    for (const std::string& word : session.parsed.arguments)
        line += " " + (scenario::is_glob(word) ? "'" + word + "'" : word);
    for (const std::string& group : session.parsed.all("group"))
        line += " --group " + group;
    line += " " + scenario::kernel_options(settings.kernel) + " --strategy " +
            settings.strategy.name() + " --seed " + std::to_string(settings.seed);
    if (!settings.until_new || session.has("count"))
        line += " --count " + std::to_string(settings.count);
    if (settings.until_new) line += " --until-new " + session.parsed.last("until-new");
    if (settings.seeds)
        line += " --seeds " + std::to_string(settings.seeds->first) + ".." +
                std::to_string(settings.seeds->second);
    if (settings.grain == sim::Grain::Fine) line += " --grain fine";
    if (keeps_going(session)) line += " --keep-going";
    if (settings.each_execution) line += " --dedup execution";
    line += devices_options(session);
    return line + "\n";
}

std::string number_text(double number, const char* format = "%.2g") {
    char text[32];
    std::snprintf(text, sizeof text, format, number);
    return text;
}

/// Six digits: the last ones of a double differ between libraries.
double rounded(double number) {
    return std::stod(number_text(number, "%.6g"));
}

/// What PCT promises for this program, to be compared with what was found.
struct Guarantee {
    unsigned depth = 0;
    std::uint32_t tasks = 0, steps = 0;
    double least = 0;  // probability of each execution to meet a failure of that depth
    /// Whether none was longer, or had more tasks. Unknown where the hunt stopped: what ran by then
    /// depends on the workers.
    std::optional<bool> holds;

    std::string text() const {
        std::string text = "      guaranteed for a failure of depth " + std::to_string(depth) +
                           ": " + number_text(least) + " of all at least, in executions of up to " +
                           std::to_string(tasks) + " tasks and " + std::to_string(steps) +
                           " steps\n";
        if (holds == false) text += "      but some were longer or had more: it does not hold\n";
        return text;
    }
    Json json() const {
        return {{"depth", depth},
                {"tasks", tasks},
                {"steps", steps},
                {"probability", rounded(least)},
                {"holds", holds ? Json(*holds) : Json()}};
    }
};

std::optional<Guarantee> guarantee_of(const report::StrategyRun& run,
                                      const sim::SearchReport& search, bool stopped) {
    if (run.strategy.kind != sim::StrategySpec::Kind::Pct) return std::nullopt;
    Guarantee guarantee{
        .depth = run.strategy.depth,
        .tasks = run.tasks,
        .steps = run.steps,
        .least = sim::pct_guarantee(
            {.seed = 0, .depth = run.strategy.depth, .tasks = run.tasks, .steps = run.steps}),
        .holds = {}};
    if (!stopped) guarantee.holds = search.max_tasks <= run.tasks && search.max_steps <= run.steps;
    return guarantee;
}

std::string rate_text(const report::Rate& rate) {
    const std::string confidence = ", with 95% confidence";
    if (rate.executions == 0) return "";
    if (!rate.estimate)
        return "      fewer than " + number_text(rate.upper) + " of all executions fail" +
               confidence + "\n";
    return "      " + grouped(rate.failures) + " of " + grouped(rate.executions) +
           " executions failed" + (rate.stopped ? ", the last" : "") + ": " +
           number_text(*rate.estimate) + " of all" + confidence + " between " +
           number_text(rate.lower) + " and " + number_text(rate.upper) + "\n";
}

Json rate_json(const report::Rate& rate) {
    return {{"failures", rate.failures},
            {"executions", rate.executions},
            {"estimate", rate.estimate ? Json(rounded(*rate.estimate)) : Json()},
            {"lower", rounded(rate.lower)},
            {"upper", rounded(rate.upper)},
            {"confidence", report::Rate::confidence}};
}

/// Hunts in one scenario after the other and adds up.
class Hunt {
  public:
    explicit Hunt(Session& session) : session_(session) {}

    VerbResult run(const std::vector<ScenarioPtr>& scenarios) {
        const Settings& settings = session_.settings;
        report_.verdict = Verdict::Clean;
        report_.text = "interleaf hunt  " + std::to_string(scenarios.size()) +
                       " scenarios  kernel " + scenario::kernel_label(settings.kernel) +
                       "  strategy " + settings.strategy.name() + "  seed " +
                       std::to_string(settings.seed) + "\n";
        if (scenarios.size() == 1)
            report_.text = heading(*scenarios[0], settings.kernel,
                                   "strategy " + settings.strategy.name() + "  seed " +
                                       std::to_string(settings.seed));
        report_.text += reproduce_hunt(session_) + "\n";
        auto coverage = CoverageOption::open(session_);
        if (!coverage.ok()) return coverage.error();
        coverage_ = std::move(coverage.value());
        if (session_.has("corpus"))
            if (auto failure = replay_corpus(scenarios)) return *failure;
        Json ids = Json::array();
        for (const ScenarioPtr& scenario : scenarios) {
            ids.push_back(scenario->id);
            if (!scenario->exists_on(settings.kernel.release()) || interrupted_) continue;
            if (auto failure = hunt_in(scenario)) return *failure;
        }
        if (auto failure = coverage_.write()) return *failure;
        report_.document["scenario"] = ids.size() == 1 ? ids[0] : ids;
        report_.document["kernel"] = settings.kernel.name();
        report_.document["strategy"] = settings.strategy.name();
        report_.document["seed"] = settings.seed;
        report_.document["executions"] = executions_;
        report_.document["scenarios"] = std::move(results_);
        report_.document["failures"] = std::move(failures_);
        if (session_.has("corpus")) report_.document["corpus"] = corpus_.json();
        if (interrupted_) {
            report_.document["interrupted"] = true;
            report_.forced_exit = interrupt_.exit_code();
        }
        return std::move(report_);
    }

  private:
    std::optional<Failure> replay_corpus(const std::vector<ScenarioPtr>& scenarios) {
        auto corpus = Corpus::replay(session_, session_.parsed.last("corpus"), scenarios);
        if (!corpus.ok()) return corpus.error();
        corpus_ = std::move(corpus.value());
        if (corpus_.fails()) report_.verdict = Verdict::Fail;
        report_.text += corpus_.text();
        return std::nullopt;
    }

    std::optional<Failure> hunt_in(const ScenarioPtr& scenario) {
        const Settings& settings = session_.settings;
        auto prepared = prepare(scenario, settings.kernel, execution_options(settings, false));
        if (!prepared.ok()) return prepared.error();
        const auto covered = coverage_.begin(session_);
        const auto devices = crash_search(session_);
        session_.events.started("hunt", *scenario, settings.kernel, settings.seed);
        const std::set<std::string> known = corpus_.known(scenario->id);
        const sim::SearchReport search = hunt_scenario(
            session_, scenario, settings.kernel, {keeps_going(session_), known}, interrupt_.flag(),
            crash::program_options(devices, settings.kernel, scenario->geometry), covered);
        if (search.end == sim::SearchEnd::Nondeterministic)
            return differs(scenario->id + ": " + search.error);
        interrupted_ = search.end == sim::SearchEnd::Interrupted;
        executions_ += search.executions;

        describe_search(*scenario, search);
        describe_rates(search, strategy_run(*prepared.value(), settings.strategy, settings.seed));
        coverage_.add(report_, *scenario, settings.kernel, covered.get());
        if (search.failures.empty()) describe_devices(report_, devices);
        const auto unending = show_unending(session_, scenario, settings.kernel, search);
        if (!unending.ok()) return unending.error();
        report_.text += unending.value().text;
        if (search.unending) results_.back()["unending"] = unending.value().token;
        for (const sim::Failure& failure : search.failures) {
            const report::StrategyRun made_by =
                strategy_run(*prepared.value(), settings.strategy.of_run(failure.first_run),
                             sim::seed_of_run(settings.seed, failure.first_run));
            if (auto wrong =
                    describe_failure(scenario, failure, made_by, known.contains(failure.signature)))
                return wrong;
        }
        return std::nullopt;
    }

    void describe_search(const scenario::Scenario& scenario, const sim::SearchReport& search) {
        const Settings& settings = session_.settings;
        Verdict verdict = search.failures.empty() ? Verdict::Clean : Verdict::Fail;
        if (verdict == Verdict::Clean &&
            (search.end == sim::SearchEnd::StepLimit || !search.unordered.empty()))
            verdict = Verdict::Inconclusive;
        if (verdict == Verdict::Fail || report_.verdict == Verdict::Clean)
            report_.verdict = verdict;
        report_.text += std::string(to_string(verdict)) + "  " + scenario.id + " on " +
                        settings.kernel.name() + ": " + grouped(search.executions) + " executions";
        const std::string end = end_text(search, settings);
        report_.text += (verdict == Verdict::Clean ? ", no violation in them" : "") +
                        (end.empty() ? "" : " (" + end + ")") + "\n";
        for (const std::string& race : search.unordered)
            report_.text += "      " + wrapped(race, 100, "      ");
        results_.push_back({{"scenario", scenario.id},
                            {"verdict", to_string(verdict)},
                            {"executions", search.executions}});
    }

    /// How often it failed, and what was promised of that.
    void describe_rates(const sim::SearchReport& search, const report::StrategyRun& run) {
        std::uint64_t failing = 0;
        for (const sim::Failure& failure : search.failures)
            failing += failure.count;
        const bool stopped = search.end == sim::SearchEnd::Found && !keeps_going(session_);
        const report::Rate rate = stopped ? report::rate_until_failure(search.executions)
                                          : report::rate_of(failing, search.executions);
        report_.text += rate_text(rate);
        results_.back()["rate"] = rate_json(rate);
        const std::optional<Guarantee> guarantee = guarantee_of(run, search, stopped);
        if (!guarantee) return;
        report_.text += guarantee->text();
        results_.back()["guarantee"] = guarantee->json();
    }

    std::optional<Failure> describe_failure(const ScenarioPtr& scenario,
                                            const sim::Failure& failure,
                                            const report::StrategyRun& made_by, bool known) {
        const Settings& settings = session_.settings;
        const auto shown_failure =
            show_failure(session_, scenario, settings.kernel, failure, made_by, failure.count > 1);
        if (!shown_failure.ok()) return shown_failure.error();
        session_.events.violation(*scenario, settings.kernel, failure, shown_failure.value().token);
        Json json = shown_failure.value().json;
        json["count"] = failure.count;
        json["scenario"] = scenario->id;
        json["run"] = failure.first_run;
        json["seed"] = made_by.seed;
        json["strategy"] = made_by.strategy.name();
        if (session_.has("corpus")) json["known"] = known;
        failures_.push_back(std::move(json));
        report_.text += std::string("      ") + (known ? "known: " : "") + "run " +
                        grouped(failure.first_run) + ", " + made_by.strategy.name() + ", seed 0x" +
                        scenario::hex_digits(made_by.seed, 16) + "\n" +
                        shown_failure.value().summary + shown_failure.value().rest;
        if (!session_.has("corpus") || known) return std::nullopt;
        return corpus_.add(session_, scenario, failure);
    }

    Session& session_;
    const InterruptGuard interrupt_;
    Report report_;
    Corpus corpus_;
    CoverageOption coverage_;
    Json results_ = Json::array(), failures_ = Json::array();
    std::uint64_t executions_ = 0;
    bool interrupted_ = false;
};

}  // namespace

VerbResult hunt(Session& session) {
    const auto scenarios = session.selection();
    if (!scenarios.ok()) return scenarios.error();
    return Hunt(session).run(scenarios.value());
}

}  // namespace app::cli
