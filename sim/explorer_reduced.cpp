#include "sim/explorer_reduced.h"

#include <set>
#include <thread>

#include "sim/search_collector.h"
#include "sim/strategy_dpor.h"

namespace sim {
namespace {

void search(const ProgramFactory& factory, const ExploreOptions& options,
            SearchCollector& collector) {
    Execution execution(factory, options.execution);
    if (!execution.preparation_error().empty())
        return collector.fail(SearchEnd::PreparationFailed, execution.preparation_error());
    DporStrategy strategy(options.reduction);
    std::set<std::uint64_t> final_states;
    for (std::uint64_t run = 0; !collector.stopped() && strategy.next_execution(); ++run) {
        const ExecutionResult& result = execution.run(strategy);
        collector.add(result, {.run = run, .path = {}});
        if (options.collect_final_states && result.state_hash != 0)
            final_states.insert(result.state_hash);
        if (result.failed() && !options.keep_going) break;
    }
    collector.add_final_states(final_states);
}

}  // namespace

SearchReport explore_reduced(const ProgramFactory& factory, const ExploreOptions& options) {
    SearchCollector collector(options.limits, options.on_progress);
    std::atomic<bool> over{false};
    std::thread worker([&] {
        search(factory, options, collector);
        over = true;
    });
    collector.watch(options.max_deviations, [&] { return over.load(); });
    worker.join();
    SearchReport report = collector.finish();
    if (report.end == SearchEnd::Complete && !report.failures.empty())
        report.end = SearchEnd::Found;
    report.bound = options.max_deviations;
    report.whole_space = report.end == SearchEnd::Complete;
    return report;
}

}  // namespace sim
