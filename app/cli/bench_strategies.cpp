#include "app/cli/bench.h"
#include "bench/programs/philosophers.h"
#include "sim/explorer.h"

namespace app::cli {

void measure_strategies(std::vector<Metric>& metrics) {
    using programs::Philosophers;
    for (const char* name : {"random", "walk", "pos", "pct:3", "portfolio"}) {
        sim::HuntOptions options;
        options.execution.grain = sim::Grain::Fine;
        options.strategy = *sim::StrategySpec::parse(name);
        options.seed = 1;
        options.count = 100'000;
        options.keep_going = true;
        const sim::SearchReport report = sim::hunt(
            [] { return std::make_unique<Philosophers>(8U, Philosophers::Order::LeftFirst); },
            options);
        const std::uint64_t found = report.failures.empty() ? 0 : report.failures[0].count;
        metrics.push_back({std::string("hunt/philosophers-8/") + name + "/deadlocks-in-100000",
                           static_cast<double>(found), "1"});
    }
}

}  // namespace app::cli
