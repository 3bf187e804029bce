#include <chrono>

#include "app/cli/bench.h"
#include "app/cli/executions.h"
#include "app/crash/search.h"
#include "app/image/btrfs_check.h"
#include "model/fs_info.h"

namespace app::cli {

namespace {

using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point began) {
    return std::chrono::duration<double, std::milli>(Clock::now() - began).count();
}

/// One state exported and judged by btrfs check, both modes together; it is a process of its own.
double time_of_check(const ScenarioPtr& scenario, unsigned repeat) {
    constexpr unsigned checks = 20;
    sim::Execution execution(scenario::make_factory(scenario, model::KernelVersion{}), {});
    const auto strategy = sim::make_random(1);
    strategy->next_execution();
    execution.run(*strategy);
    const model::FsInfo& fs = static_cast<scenario::ScenarioProgram&>(execution.program()).fs();
    std::vector<double> times;
    for (unsigned i = 0; i < repeat * checks; ++i) {
        const Clock::time_point began = Clock::now();
        image::check_image(image::take_image(fs, model::visible_medium(fs)));
        times.push_back(milliseconds_since(began));
    }
    return median(times);
}

/// A number of random executions, stopped at every flush or not at all.
double time_of_search(const ScenarioPtr& scenario, crash::CrashSet::Kind where) {
    constexpr std::uint64_t executions = 2000;
    const model::KernelVersion kernel;
    const auto search = where == crash::CrashSet::Kind::None
                            ? nullptr
                            : std::make_shared<crash::CrashSearch>(crash::CrashSet{where, 0},
                                                                   crash::CheckImages::None, true);
    sim::HuntOptions options;
    options.count = executions;
    const double began = cpu_seconds();
    sim::hunt(scenario::make_factory(scenario, kernel,
                                     crash::program_options(search, kernel, scenario->geometry)),
              options);
    return cpu_seconds() - began;
}

}  // namespace

void measure_devices(const ScenarioPtr& scenario, unsigned repeat, std::vector<Metric>& metrics) {
    if (image::can_check())
        metrics.push_back(
            {"image/" + scenario->id + "/export-and-check", time_of_check(scenario, repeat), "ms"});
    std::vector<double> plain, stopped;
    for (unsigned i = 0; i < repeat; ++i) {
        plain.push_back(time_of_search(scenario, crash::CrashSet::Kind::None));
        stopped.push_back(time_of_search(scenario, crash::CrashSet::Kind::EveryFlush));
    }
    metrics.push_back({"crash/" + scenario->id + "/every-flush-to-none",
                       median(stopped) / median(plain), "ratio"});
}

}  // namespace app::cli
