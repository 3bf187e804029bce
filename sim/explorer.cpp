#include "sim/explorer.h"

#include <algorithm>
#include <mutex>
#include <set>
#include <thread>

#include "sim/explorer_bounded.h"
#include "sim/explorer_checked.h"
#include "sim/explorer_reduced.h"
#include "sim/explorer_split.h"
#include "sim/frontier.h"
#include "sim/search_collector.h"
#include "sim/strategy_dfs.h"

namespace sim {
namespace {

/// All executions with at most `bound` deviations: workers, each with a simulation of its own,
/// share the tree.
class Level {
  public:
    Level(const ProgramFactory& factory, const ExploreOptions& options, std::uint32_t bound)
        : factory_(factory), options_(options), bound_(bound), frontier_(options.jobs),
          collector_(options.limits, options.on_progress) {}

    SearchReport run() {
        std::vector<std::thread> workers;
        for (unsigned i = 0; i < options_.jobs; ++i)
            workers.emplace_back([this] { work(); });
        collector_.watch(bound_, [this] { return frontier_.over(); });
        for (std::thread& worker : workers)
            worker.join();
        SearchOrder failure;
        const bool found = collector_.first_failure(failure);
        SearchReport report = collector_.finish();
        if (report.end == SearchEnd::Complete && found) report.end = SearchEnd::Found;
        report.bound = bound_;
        if (report.end == SearchEnd::Found && !options_.keep_going) {
            keep_first_failure(report);
            count_up_to(failure.path, report);
        }
        report.whole_space = report.end == SearchEnd::Complete && !left_out_;
        return report;
    }

  private:
    void work() {
        Execution execution(factory_, options_.execution);
        if (!execution.preparation_error().empty()) {
            collector_.fail(SearchEnd::PreparationFailed, execution.preparation_error());
            frontier_.close();
            return;
        }
        DfsStrategy strategy(bound_, options_.cache_entries);
        std::set<std::uint64_t> final_states;
        Prefix prefix;
        while (frontier_.take(prefix)) {
            strategy.begin(prefix);
            search_below(execution, strategy, final_states);
            if (collector_.stopped()) frontier_.close();
        }
        if (strategy.left_out_schedules()) left_out_ = true;
        collector_.add_final_states(final_states);
    }

    /// What a worker did in one go: executions that follow each other in the search's order.
    struct Part {
        std::vector<std::uint16_t> first;
        std::uint64_t executions = 0, blocked = 0, steps = 0;
        std::uint32_t depth = 0;
    };

    /// How many executions ran beyond the first failure depends on the workers; how many come up to
    /// it does not.
    void count_up_to(const std::vector<std::uint16_t>& failure, SearchReport& report) const {
        report.executions = report.blocked = report.steps = 0;
        report.max_depth = 0;
        for (const Part& part : parts_) {
            if (failure < part.first) continue;
            report.executions += part.executions;
            report.blocked += part.blocked;
            report.steps += part.steps;
            report.max_depth = std::max(report.max_depth, part.depth);
        }
    }

    void search_below(Execution& execution, DfsStrategy& strategy,
                      std::set<std::uint64_t>& final_states) {
        std::uint64_t failures_known = 0;
        double share_told = 0;
        Part part;
        while (!collector_.stopped() && strategy.next_execution()) {
            const ExecutionResult& result = execution.run(strategy);
            if (part.executions + part.blocked == 0) part.first = strategy.path();
            ++(result.outcome == Outcome::Cut ? part.blocked : part.executions);
            part.steps += result.steps;
            part.depth = std::max(part.depth, result.choice_points);
            SearchOrder order;
            if (result.failed()) order.path = strategy.path();
            collector_.add(result, order);
            if (options_.collect_final_states && result.state_hash != 0)
                final_states.insert(result.state_hash);
            if (!options_.keep_going && collector_.failures_seen() != failures_known) {
                failures_known = collector_.failures_seen();
                if (collector_.first_failure(order)) strategy.stop_after(order.path);
            }
            collector_.add_share(strategy.finished_share() - share_told);
            share_told = strategy.finished_share();
            if (frontier_.hungry()) frontier_.give(strategy.split());
        }
        const std::lock_guard guard(parts_mutex_);
        parts_.push_back(std::move(part));
    }

    const ProgramFactory& factory_;
    const ExploreOptions& options_;
    std::uint32_t bound_;
    Frontier frontier_;
    SearchCollector collector_;
    std::atomic<bool> left_out_{false};
    std::mutex parts_mutex_;
    std::vector<Part> parts_;
};

/// Whatever steps are merged.
SearchReport explore_merged(const ProgramFactory& factory, const ExploreOptions& options) {
    const bool bounded = options.max_deviations != DfsStrategy::unbounded;
    if (options.reduction == Reduction::Dpor && bounded) return explore_bounded(factory, options);
    if (options.reduction != Reduction::None) return explore_reduced(factory, options);
    const bool deepen = options.deepen && bounded;
    const auto began = std::chrono::steady_clock::now();
    ExploreOptions left = options;  // the limits are those of all bounds together
    std::uint64_t steps = 0;
    for (std::uint32_t bound = deepen ? 0 : options.max_deviations;; ++bound) {
        if (options.limits.time)
            left.limits.time = *options.limits.time - (std::chrono::steady_clock::now() - began);
        SearchReport report = Level(factory, left, bound).run();
        left.limits.max_executions -= std::min(left.limits.max_executions, report.executions);
        steps += report.steps;
        const bool found = !report.failures.empty() && !options.keep_going;
        if (report.end != SearchEnd::Complete && report.end != SearchEnd::Found) return report;
        if (found || report.whole_space || bound == options.max_deviations ||
            begins_anew(report, options)) {
            report.steps = steps;
            return report;
        }
    }
}

}  // namespace

SearchReport explore(const ProgramFactory& factory, const ExploreOptions& options) {
    ExploreOptions recalling = options;
    recalling.execution.recall = true;
    recalling.execution.final_state = options.collect_final_states;
    return explore_splitting(
        factory, recalling, [](const ProgramFactory& program, const ExploreOptions& now) {
            return now.self_check.rate > 0 ? explore_checked(program, now, explore_merged)
                                           : explore_merged(program, now);
        });
}

}  // namespace sim
