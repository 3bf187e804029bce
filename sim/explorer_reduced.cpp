#include "sim/explorer_reduced.h"

#include <set>
#include <thread>

#include "sim/cuts.h"
#include "sim/search_collector.h"
#include "sim/strategy_dpor.h"

namespace sim {
namespace {

/// The search of one worker.
class ReducedSearch {
  public:
    ReducedSearch(const ProgramFactory& factory, const ExploreOptions& options,
                  SearchCollector& collector)
        : options_(options), collector_(collector), execution_(factory, options.execution),
          strategy_(options.reduction) {}

    void run() {
        if (!execution_.preparation_error().empty())
            return collector_.fail(SearchEnd::PreparationFailed, execution_.preparation_error());
        while (!collector_.stopped() && strategy_.next_execution()) {
            const ExecutionResult& result = execution_.run(strategy_);
            const bool is_cut = result.outcome == Outcome::Cut;
            if (!strategy_.surprise().empty())
                collector_.fail(SearchEnd::Nondeterministic, strategy_.surprise());
            if (!keep(result)) break;
            if (options_.cuts && !is_cut && !run_cuts()) break;
        }
        collector_.add_final_states(final_states_);
    }

  private:
    /// @return whether the search goes on
    bool keep(const ExecutionResult& result) {
        collector_.add(result, {.run = run_++, .path = {}});
        if (options_.collect_final_states && result.state_hash != 0)
            final_states_.insert(result.state_hash);
        return !result.failed() || options_.keep_going;
    }

    /// Nothing but the marks is looked at: where the order that led to one goes on does not count.
    bool run_cuts() {
        cuts_.add(strategy_.order(), execution_.scheduler().trace());
        if (cuts_.overflowed())
            collector_.fail(SearchEnd::StepLimit, "an execution has more than " +
                                                      std::to_string(Cuts::most) +
                                                      " causally closed sets of marked steps");
        while (!collector_.stopped()) {
            auto steps = cuts_.next();
            if (!steps) return true;
            StepOrderStrategy order(std::move(*steps));
            order.next_execution();
            const ExecutionResult& result = execution_.run(order);
            collector_.add_cut();
            const bool counts = result.failed() || result.outcome == Outcome::Nondeterministic;
            if (counts && !keep(result)) return false;
        }
        return true;
    }

    const ExploreOptions& options_;
    SearchCollector& collector_;
    Execution execution_;
    DporStrategy strategy_;
    Cuts cuts_;
    std::set<std::uint64_t> final_states_;
    std::uint64_t run_ = 0;
};

}  // namespace

SearchReport explore_reduced(const ProgramFactory& factory, const ExploreOptions& options) {
    SearchCollector collector(options.limits, options.on_progress);
    std::atomic<bool> over{false};
    std::thread worker([&] {
        ReducedSearch(factory, options, collector).run();
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
