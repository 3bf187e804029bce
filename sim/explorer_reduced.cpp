#include "sim/explorer_reduced.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <set>
#include <thread>
#include <vector>

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

/// The tree in parts that workers take: its upper steps are expanded in full, but for what sleeps.
/// Which parts there are does not depend on who takes them.
class PartedSearch {
  public:
    PartedSearch(const ProgramFactory& factory, const ExploreOptions& options,
                 SearchCollector& collector)
        : factory_(factory), options_(options), collector_(collector) {}

    void run() {
        std::thread(&PartedSearch::divide, this).join();
        std::vector<std::thread> workers;
        for (unsigned i = 0; i < options_.jobs; ++i)
            workers.emplace_back([this] { work(); });
        for (std::thread& worker : workers)
            worker.join();
    }

    /// Of a search that stops at its first failure: how many executions ran beyond it depends on
    /// the workers; how many come up to it does not.
    void count_up_to(const SearchOrder& failure, SearchReport& report) const {
        report.executions = report.blocked = report.steps = 0;
        report.max_depth = 0;
        for (const Part& part : parts_) {
            if (part.number > failure.run) continue;
            report.executions += part.executions;
            report.blocked += part.blocked;
            report.steps += part.steps;
            report.max_depth = std::max(report.max_depth, part.depth);
        }
    }

  private:
    static constexpr std::size_t enough = 16;     // parts at least, so that workers end together
    static constexpr std::uint32_t deepest = 40;  // steps above them

    /// What was counted in it. One without a search of its own is an execution that came to its end
    /// above all parts.
    struct Part {
        std::uint64_t number = 0;  // in the search's order
        std::optional<DporPart> search;
        std::uint64_t executions = 0, blocked = 0, steps = 0;
        std::uint32_t depth = 0;
    };

    bool prepared(const Execution& execution) {
        if (execution.preparation_error().empty()) return true;
        collector_.fail(SearchEnd::PreparationFailed, execution.preparation_error());
        return false;
    }

    void divide() {
        Execution execution(factory_, options_.execution);
        if (!prepared(execution)) return;
        execution.set_observed(false);
        std::uint32_t depth = 1;
        for (; depth < deepest; ++depth) {
            const std::size_t parts = count_parts(execution, depth);
            if (parts == 0 || parts >= enough) break;
        }
        execution.set_observed(true);
        std::set<std::uint64_t> final_states;
        run_above(execution, depth, [&](const ExecutionResult& result, DporStrategy& strategy) {
            Part part{.number = parts_.size(), .search = strategy.take_part()};
            const bool goes_on = part.search || keep(result, part, {}, final_states);
            if (part.search) ++searches_;
            parts_.push_back(std::move(part));
            return goes_on;
        });
        collector_.add_final_states(final_states);
    }

    template <class See> void run_above(Execution& execution, std::uint32_t depth, See&& see) {
        DporStrategy strategy(Reduction::Sleep);
        strategy.split_at(depth);
        while (!collector_.stopped() && strategy.next_execution())
            if (!see(execution.run(strategy), strategy)) return;
    }

    std::size_t count_parts(Execution& execution, std::uint32_t depth) {
        std::size_t parts = 0;
        run_above(execution, depth, [&](const ExecutionResult&, DporStrategy& strategy) {
            parts += strategy.take_part() ? 1 : 0;
            return true;
        });
        return parts;
    }

    void work() {
        Execution execution(factory_, options_.execution);
        if (!prepared(execution)) return;
        DporStrategy strategy(options_.reduction);
        std::set<std::uint64_t> final_states;
        while (!collector_.stopped()) {
            const std::size_t index = next_.fetch_add(1);
            if (index >= parts_.size()) break;
            if (parts_[index].search) search(execution, strategy, parts_[index], final_states);
        }
        collector_.add_final_states(final_states);
    }

    void search(Execution& execution, DporStrategy& strategy, Part& part,
                std::set<std::uint64_t>& final_states) {
        strategy.begin(*part.search);
        std::uint64_t failures_known = ~std::uint64_t{0};
        for (std::uint64_t run = 0; !collector_.stopped(); ++run) {
            if (!options_.keep_going && collector_.failures_seen() != failures_known) {
                failures_known = collector_.failures_seen();
                SearchOrder first;
                if (collector_.first_failure(first) && first.run < part.number) break;
            }
            if (!strategy.next_execution()) break;
            const ExecutionResult& result = execution.run(strategy);
            if (!strategy.surprise().empty())
                collector_.fail(SearchEnd::Nondeterministic, strategy.surprise());
            if (!keep(result, part, digits(run), final_states)) break;
        }
        collector_.add_share(1.0 / static_cast<double>(searches_));
    }

    static std::vector<std::uint16_t> digits(std::uint64_t number) {
        std::vector<std::uint16_t> all;
        for (const unsigned shift : {48U, 32U, 16U, 0U})
            all.push_back(static_cast<std::uint16_t>(number >> shift));
        return all;
    }

    /// @return whether the part's search goes on
    bool keep(const ExecutionResult& result, Part& part, std::vector<std::uint16_t> place,
              std::set<std::uint64_t>& final_states) {
        ++(result.outcome == Outcome::Cut ? part.blocked : part.executions);
        part.steps += result.steps;
        part.depth = std::max(part.depth, result.choice_points);
        collector_.add(result, {.run = part.number, .path = std::move(place)});
        if (options_.collect_final_states && result.state_hash != 0)
            final_states.insert(result.state_hash);
        return !result.failed() || options_.keep_going;
    }

    const ProgramFactory& factory_;
    const ExploreOptions& options_;
    SearchCollector& collector_;
    std::vector<Part> parts_;
    std::size_t searches_ = 0;
    std::atomic<std::size_t> next_{0};
};

}  // namespace

SearchReport explore_reduced(const ProgramFactory& factory, const ExploreOptions& options) {
    SearchCollector collector(options.limits, options.on_progress);
    // Which sets of marks were run to is known to one worker.
    const bool in_parts = (options.jobs > 1 || options.in_parts) && !options.cuts;
    PartedSearch parts(factory, options, collector);
    std::atomic<bool> over{false};
    std::thread search([&] {
        if (in_parts)
            parts.run();
        else
            ReducedSearch(factory, options, collector).run();
        over = true;
    });
    collector.watch(options.max_deviations, [&] { return over.load(); });
    search.join();
    SearchOrder first;
    const bool found = collector.first_failure(first);
    SearchReport report = collector.finish();
    if (report.end == SearchEnd::Complete && found) report.end = SearchEnd::Found;
    if (in_parts && report.end == SearchEnd::Found && !options.keep_going) {
        keep_first_failure(report);
        parts.count_up_to(first, report);
    }
    report.bound = options.max_deviations;
    report.whole_space = report.end == SearchEnd::Complete;
    return report;
}

}  // namespace sim
