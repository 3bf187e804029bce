#include "app/cli/bench.h"

#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <cstdio>

#include "app/cli/build_info.h"
#include "app/cli/executions.h"
#include "app/scenario/program.h"
#include "app/scenario/words.h"
#include "bench/programs/counters.h"
#include "sim/strategy_dfs.h"

namespace app::cli {

namespace {

constexpr double seconds_for_each = 2;

/// Tells when the engine has come as far as having started an execution.
class StartClock final : public sim::Program {
  public:
    StartClock(std::unique_ptr<sim::Program> program, double& started)
        : program_(std::move(program)), started_(started) {}
    void prepare() override { program_->prepare(); }
    void start() override {
        program_->start();
        started_ = cpu_seconds();
    }
    void check_end() override { program_->check_end(); }
    std::uint64_t state_hash() override { return program_->state_hash(); }

  private:
    std::unique_ptr<sim::Program> program_;
    double& started_;
};

/// Two tasks of ten atomic increments: 20! / (10! 10!) schedules.
void measure_engine(unsigned repeat, std::vector<Metric>& metrics) {
    std::vector<double> per_step, per_second;
    std::uint64_t executions = 0;
    for (unsigned i = 0; i < repeat; ++i) {
        sim::ExploreOptions options;
        options.max_deviations = sim::DfsStrategy::unbounded;
        const double began = cpu_seconds();
        const sim::SearchReport report = sim::explore(
            [] { return std::make_unique<programs::AtomicCounter>(2U, 10U); }, options);
        const double time = cpu_seconds() - began;
        executions = report.executions;
        per_step.push_back(1e9 * time / static_cast<double>(report.steps));
        per_second.push_back(static_cast<double>(report.executions) / time);
    }
    metrics.push_back({"engine/atomic-2x10/executions", static_cast<double>(executions), "1"});
    metrics.push_back({"engine/atomic-2x10/time-per-step", median(per_step), "ns"});
    metrics.push_back({"engine/atomic-2x10/executions-per-second", median(per_second), "1/s"});
}

void measure_scenario(const ScenarioPtr& scenario, unsigned repeat, std::vector<Metric>& metrics) {
    double started = 0;
    const model::KernelVersion kernel;
    const auto factory = [&] {
        return std::make_unique<StartClock>(
            std::make_unique<scenario::ScenarioProgram>(scenario, kernel), started);
    };
    sim::Execution execution(factory, {});
    if (!execution.preparation_error().empty()) return;
    std::vector<double> steps_per_second, executions_per_second, start_us;
    for (unsigned i = 0; i < repeat; ++i) {
        std::uint64_t executions = 0, steps = 0;
        double starting = 0;
        const double began = cpu_seconds();
        while (cpu_seconds() - began < seconds_for_each) {
            const auto strategy = sim::make_random(sim::seed_of_run(i, executions));
            strategy->next_execution();
            const double run = cpu_seconds();
            steps += execution.run(*strategy).steps;
            starting += started - run;
            ++executions;
        }
        const double time = cpu_seconds() - began;
        steps_per_second.push_back(static_cast<double>(steps) / time);
        executions_per_second.push_back(static_cast<double>(executions) / time);
        start_us.push_back(1e6 * starting / static_cast<double>(executions));
    }
    metrics.push_back(
        {"random/" + scenario->id + "/steps-per-second", median(steps_per_second), "1/s"});
    metrics.push_back({"random/" + scenario->id + "/executions-per-second",
                       median(executions_per_second), "1/s"});
    metrics.push_back({"start/" + scenario->id + "/time", median(start_us), "us"});
}

/// Of the whole process, so far: a search as `explore` makes it by default, on one core.
void measure_memory(const ScenarioPtr& scenario, std::vector<Metric>& metrics) {
    sim::ExploreOptions options;
    options.max_deviations = 1;
    options.cache_entries = Settings{}.state_cache;
    sim::explore(scenario::make_factory(scenario, model::KernelVersion{}), options);
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    metrics.push_back({"explore/" + scenario->id + "/peak-memory",
                       static_cast<double>(usage.ru_maxrss) / 1024, "MiB"});
}

std::string figure_text(double value) {
    char text[48];
    std::snprintf(text, sizeof text, value < 1000 ? "%.1f" : "%.0f", value);
    return text;
}

}  // namespace

double cpu_seconds() {
    timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

std::vector<Metric> core_suite(const Library& library, unsigned repeat) {
    std::vector<Metric> metrics;
    measure_engine(repeat, metrics);
    measure_strategies(metrics);
    for (const char* id : {"commit/001", "replace/001"})
        if (const auto scenario = library.find(id); scenario.ok())
            measure_scenario(scenario.value(), repeat, metrics);
    for (const char* id : {"commit/001", "commit/002"})
        if (const auto scenario = library.find(id); scenario.ok())
            measure_devices(scenario.value(), repeat, metrics);
    if (const auto scenario = library.find("replace/001"); scenario.ok())
        measure_memory(scenario.value(), metrics);
    return metrics;
}

VerbResult bench(Session& session) {
    const std::string suite = session.has("suite") ? session.parsed.last("suite") : "core";
    if (session.has("program") && suite != "classic")
        return usage_failure("--program is for --suite classic");
    const std::vector<std::string> suites{"core", "classic"};
    if (suite != "core" && suite != "classic")
        return usage_failure("--suite \"" + suite + "\": expected core or classic",
                             scenario::nearest(suite, suites));
    const auto repeat = static_cast<unsigned>(session.settings.repeat);
    ClassicResults results;
    if (suite == "classic") {
        results =
            classic_suite(session.has("program") ? session.parsed.last("program") : "*", repeat);
        if (results.programs.empty())
            return usage_failure("--program \"" + session.parsed.last("program") +
                                 "\": no classic program has such a name");
    } else {
        results.metrics = core_suite(session.library, repeat);
    }
    Report report;
    report.verdict = results.as_published ? Verdict::Pass : Verdict::Fail;
    report.text = "interleaf " + program_version() + "  bench " + suite + "  " + compiler() +
                  "  seed none\nreproduce: interleaf bench --suite " + suite + "\n\n";
    Json metrics = Json::array();
    for (const Metric& metric : results.metrics) {
        std::string line = metric.name;
        line.resize(std::max<std::size_t>(52, line.size() + 1), ' ');
        const std::string value = figure_text(metric.value);
        line.append(value.size() < 12 ? 12 - value.size() : 0, ' ');
        report.text += line + value + " " + (metric.unit == "1" ? "" : metric.unit) + "\n";
        metrics.push_back({{"name", metric.name}, {"value", metric.value}, {"unit", metric.unit}});
    }
    report.document = {{"suite", suite}, {"metrics", std::move(metrics)}};
    if (suite == "classic") report.document["programs"] = results.programs;
    return report;
}

}  // namespace app::cli
