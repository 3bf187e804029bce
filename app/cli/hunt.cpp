#include <cstdio>

#include "app/cli/devices.h"
#include "app/cli/interrupt.h"
#include "app/cli/search.h"
#include "app/scenario/kernel_spec.h"
#include "app/scenario/words.h"

namespace app::cli {

namespace {

using Json = nlohmann::ordered_json;

std::string reproduce_line(const Session& session) {
    const Settings& settings = session.settings;
    std::string line = "reproduce: interleaf hunt";
    for (const std::string& word : session.parsed.arguments)
        line += " " + (scenario::is_glob(word) ? "'" + word + "'" : word);
    for (const std::string& group : session.parsed.all("group"))
        line += " --group " + group;
    line += " " + scenario::kernel_options(settings.kernel) + " --strategy " +
            settings.strategy.name() + " --seed " + std::to_string(settings.seed) + " --count " +
            std::to_string(settings.count);
    if (settings.seeds)
        line += " --seeds " + std::to_string(settings.seeds->first) + ".." +
                std::to_string(settings.seeds->second);
    if (settings.grain == sim::Grain::Fine) line += " --grain fine";
    if (session.has("keep-going")) line += " --keep-going";
    line += devices_options(session);
    return line + "\n";
}

/// What PCT promises for this program, to be compared with what was found.
std::string guarantee_text(const report::StrategyRun& run) {
    if (run.strategy.kind != sim::StrategySpec::Kind::Pct) return "";
    const double bound = sim::pct_guarantee(
        {.seed = 0, .depth = run.strategy.depth, .tasks = run.tasks, .steps = run.steps});
    char text[160];
    std::snprintf(text, sizeof text,
                  "      guaranteed for a bug of depth %u: at least 1 in %.3g executions (%u "
                  "tasks, %u steps)\n",
                  run.strategy.depth, bound > 0 ? 1 / bound : 0, run.tasks, run.steps);
    return text;
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
        report_.text += reproduce_line(session_) + "\n";
        Json ids = Json::array();
        for (const ScenarioPtr& scenario : scenarios) {
            ids.push_back(scenario->id);
            if (!scenario->exists_on(settings.kernel.release()) || interrupted_) continue;
            if (auto failure = hunt_in(scenario)) return *failure;
        }
        report_.document["scenario"] = ids.size() == 1 ? ids[0] : ids;
        report_.document["kernel"] = settings.kernel.name();
        report_.document["strategy"] = settings.strategy.name();
        report_.document["seed"] = settings.seed;
        report_.document["executions"] = executions_;
        report_.document["failures"] = std::move(failures_);
        if (interrupted_) {
            report_.document["interrupted"] = true;
            report_.forced_exit = interrupt_.exit_code();
        }
        return std::move(report_);
    }

  private:
    std::optional<Failure> hunt_in(const ScenarioPtr& scenario) {
        const Settings& settings = session_.settings;
        auto prepared = prepare(scenario, settings.kernel, execution_options(settings, false));
        if (!prepared.ok()) return prepared.error();
        report::StrategyRun strategy =
            strategy_run(*prepared.value(), settings.strategy, settings.seed);

        const bool keep_going = session_.has("keep-going");
        const auto devices = crash_search(session_);
        const sim::SearchReport search =
            hunt_scenario(session_, scenario, settings.kernel, keep_going, interrupt_.flag(),
                          crash::program_options(devices, settings.kernel, scenario->geometry));
        if (search.end == sim::SearchEnd::Nondeterministic)
            return differs(scenario->id + ": " + search.error);
        interrupted_ = search.end == sim::SearchEnd::Interrupted;
        const std::uint64_t executions = count(search, keep_going);
        executions_ += executions;

        Verdict verdict = search.failures.empty() ? Verdict::Clean : Verdict::Fail;
        if (verdict == Verdict::Clean &&
            (search.end == sim::SearchEnd::StepLimit || !search.unordered.empty()))
            verdict = Verdict::Inconclusive;
        if (verdict == Verdict::Fail || report_.verdict == Verdict::Clean)
            report_.verdict = verdict;
        report_.text += std::string(to_string(verdict)) + "  " + scenario->id + " on " +
                        settings.kernel.name() + ": " + grouped(executions) + " executions";
        const std::string end = end_text(search, settings);
        report_.text += (verdict == Verdict::Clean ? ", no violation in them" : "") +
                        (end.empty() ? "" : " (" + end + ")") + "\n";
        for (const std::string& race : search.unordered)
            report_.text += "      " + wrapped(race, 100, "      ");
        report_.text += guarantee_text(strategy);
        if (search.failures.empty()) describe_devices(report_, devices);
        for (const sim::Failure& failure : search.failures) {
            strategy.seed = sim::seed_of_run(settings.seed, failure.first_run);
            const auto shown =
                show_failure(session_, scenario, settings.kernel, failure, strategy, keep_going);
            if (!shown.ok()) return shown.error();
            Json json = shown.value().json;
            if (!keep_going) json["count"] = 1;
            json["scenario"] = scenario->id;
            json["run"] = failure.first_run;
            json["seed"] = strategy.seed;
            failures_.push_back(std::move(json));
            report_.text += "      run " + grouped(failure.first_run) + ", seed 0x" +
                            scenario::hex_digits(strategy.seed, 16) + "\n" + shown.value().text;
            if (!keep_going) break;
        }
        return std::nullopt;
    }

    /// How many ran beyond the first failure depends on the workers; up to it there is one number.
    std::uint64_t count(const sim::SearchReport& search, bool keep_going) const {
        if (keep_going || search.failures.empty()) return search.executions;
        return search.failures.front().first_run + 1 -
               (session_.settings.seeds ? session_.settings.seeds->first : 0);
    }

    Session& session_;
    const InterruptGuard interrupt_;
    Report report_;
    Json failures_ = Json::array();
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
