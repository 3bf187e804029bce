#include "app/cli/bench.h"
#include "app/scenario/words.h"
#include "bench/programs/counters.h"
#include "bench/programs/file_system.h"
#include "bench/programs/indexer.h"
#include "bench/programs/last_zero.h"
#include "bench/programs/philosophers.h"
#include "bench/programs/readers.h"
#include "sim/execution.h"
#include "sim/explorer.h"
#include "sim/strategies.h"
#include "sim/strategy_dfs.h"

namespace app::cli {

namespace {

using programs::AtomicCounter;
using programs::FileSystem;
using programs::Indexer;
using programs::LastZero;
using programs::Philosophers;
using programs::RacyCounter;
using programs::Readers;

struct Classic {
    std::string name;
    unsigned n;            // tasks, or what the literature calls N
    std::uint64_t traces;  // published, or known from the definition
    sim::ProgramFactory factory;
};

template <class Program, class... Args> sim::ProgramFactory make(Args... args) {
    return [=] { return std::make_unique<Program>(args...); };
}

std::vector<Classic> classics() {
    using Order = Philosophers::Order;
    return {
        {"atomic-2x10", 2, 184'756, make<AtomicCounter>(2U, 10U)},
        {"atomic-3x4", 3, 34'650, make<AtomicCounter>(3U, 4U)},
        {"racy-2x2", 2, 34, make<RacyCounter>(2U, 2U)},
        {"racy-2x3", 2, 328, make<RacyCounter>(2U, 3U)},
        {"racy-2x4", 2, 3334, make<RacyCounter>(2U, 4U)},
        {"racy-2x5", 2, 34'904, make<RacyCounter>(2U, 5U)},
        {"readers-13", 13, 8192, make<Readers>(13U)},
        {"lastzero-10", 10, 3328, make<LastZero>(10U)},
        {"lastzero-15", 15, 147'456, make<LastZero>(15U)},
        {"file-system-6", 6, 1, make<FileSystem>(6U)},
        {"file-system-18", 18, 32, make<FileSystem>(18U)},
        {"file-system-26", 26, 8192, make<FileSystem>(26U)},
        {"indexer-6", 6, 1, make<Indexer>(6U)},
        {"indexer-12", 12, 8, make<Indexer>(12U)},
        {"indexer-15", 15, 4096, make<Indexer>(15U)},
        {"philosophers-4-ordered", 4, 14, make<Philosophers>(4U, Order::LowerFirst)},
        {"philosophers-4", 4, 15, make<Philosophers>(4U, Order::LeftFirst)},
        {"philosophers-8-ordered", 8, 254, make<Philosophers>(8U, Order::LowerFirst)},
        {"philosophers-8", 8, 255, make<Philosophers>(8U, Order::LeftFirst)},
    };
}

constexpr std::uint64_t enough_steps = 1000;  // to tell what one costs

struct Measured {
    sim::SearchReport report;
    double seconds = 0;
};

constexpr std::uint64_t no_limit = ~std::uint64_t{0};

Measured search(const sim::ProgramFactory& factory, std::uint64_t max_executions) {
    sim::ExploreOptions options;
    options.execution.grain = sim::Grain::Fine;
    options.max_deviations = sim::DfsStrategy::unbounded;
    options.reduction = sim::Reduction::Dpor;
    options.keep_going = true;
    options.limits.max_executions = max_executions;
    const double began = cpu_seconds();
    Measured measured{.report = sim::explore(factory, options)};
    measured.seconds = cpu_seconds() - began;
    return measured;
}

/// Nanoseconds that a step costs when nothing is searched: the default order, over and over.
double unreduced_step_ns(const sim::ProgramFactory& factory) {
    constexpr unsigned executions = 4096;
    sim::Execution execution(factory, {.grain = sim::Grain::Fine});
    const auto strategy = sim::make_default();
    std::uint64_t steps = 0;
    const double began = cpu_seconds();
    for (unsigned i = 0; i < executions; ++i)
        steps += execution.run(*strategy).steps;
    return (cpu_seconds() - began) * 1e9 / static_cast<double>(steps);
}

void measure(const Classic& classic, unsigned repeat, ClassicResults& results) {
    Measured first, all;
    std::vector<double> beginning, times, unreduced;
    for (unsigned i = 0; i < repeat; ++i) {
        first = search(classic.factory, 1);
        beginning.push_back(first.seconds);
        all = search(classic.factory, no_limit);
        times.push_back(all.seconds);
        results.as_published = results.as_published && all.report.executions == classic.traces &&
                               all.report.blocked == 0;
        unreduced.push_back(unreduced_step_ns(classic.factory));
    }
    const sim::SearchReport& report = all.report;
    const double took = median(times);
    results.programs.push_back({{"name", classic.name},
                                {"n", classic.n},
                                {"published", classic.traces},
                                {"executions", report.executions},
                                {"blocked", report.blocked},
                                {"steps", report.steps},
                                {"seconds", took}});
    const auto add = [&](const char* figure, double value, const char* unit) {
        results.metrics.push_back({"classic/" + classic.name + "/" + figure, value, unit});
    };
    add("published", static_cast<double>(classic.traces), "1");
    add("counted", static_cast<double>(report.executions), "1");
    add("cut", static_cast<double>(report.blocked), "1");
    add("time", took * 1e3, "ms");
    add("time-to-first", median(beginning) * 1e6, "us");
    const std::uint64_t further = report.steps - first.report.steps;
    if (further >= enough_steps)
        add("time-per-step", (took - median(beginning)) * 1e9 / static_cast<double>(further), "ns");
    add("time-per-step-unreduced", median(unreduced), "ns");
}

}  // namespace

ClassicResults classic_suite(const std::string& pattern, unsigned repeat) {
    ClassicResults results;
    for (const Classic& classic : classics())
        if (scenario::glob_match(pattern, classic.name)) measure(classic, repeat, results);
    return results;
}

}  // namespace app::cli
