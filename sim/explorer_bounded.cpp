#include "sim/explorer_bounded.h"

#include <algorithm>
#include <mutex>
#include <thread>

#include "sim/explorer_split.h"
#include "sim/search_collector.h"
#include "sim/search_tree.h"
#include "sim/strategies.h"
#include "sim/strategy_bpor.h"

namespace sim {
namespace {

/// For each branch that the bound before refused, so many spend the last deviation in the end: 2.2
/// to 4.3 in the scenarios of the library at bound 1, and nearly as many again at the next.
constexpr double usual_growth = 3.3;

using Clock = std::chrono::steady_clock;  // for limits and checkpoints only

/// An execution's place among those of its bound: fewest deviations first, then context switches,
/// then by what it departs from.
SearchOrder order_of(const ExecutionResult& result) {
    SearchOrder order;
    order.run = (std::uint64_t{result.deviations} << 32) | result.switches;
    for (const Departure& departure : result.schedule.departures) {
        order.path.push_back(static_cast<std::uint16_t>(departure.ordinal >> 16));
        order.path.push_back(static_cast<std::uint16_t>(departure.ordinal));
        order.path.push_back(departure.index);
    }
    return order;
}

/// All that races ask for with at most `bound` deviations.
class BoundedLevel {
  public:
    BoundedLevel(const ProgramFactory& factory, const ExploreOptions& options, std::uint32_t bound,
                 const SavedSearch* from, std::uint64_t expected)
        : factory_(factory), options_(options), bound_(bound),
          tree_(from == nullptr ? SearchTree(options.jobs) : SearchTree(options.jobs, from->tree)),
          collector_(options.limits, options.on_progress), expected_(expected),
          checkpoint_at_(next_checkpoint()) {
        if (from == nullptr) return;
        refused_ = from->refused;
        expected_ = from->expected;
        count_spent(from->spent);
        collector_.go_on_from(*from);
        if (!from->found.empty()) run_again(from->found);
    }

    SearchReport run() {
        std::vector<std::thread> workers;
        for (unsigned i = 0; i < options_.jobs; ++i)
            workers.emplace_back([this] { work(); });
        collector_.watch(bound_, [this] { return tree_.over(); });
        for (std::thread& worker : workers)
            worker.join();
        const bool complete = !collector_.stopped();
        SavedSearch saved;
        const bool is_left = !complete || options_.shard;
        if (is_left) saved = save();
        SearchReport report = collector_.finish();
        report.bound = bound_;
        if (is_left) report.left = std::move(saved);
        if (complete && !report.failures.empty()) report.end = SearchEnd::Found;
        report.whole_space = complete && !is_left && refused_ == 0;
        return report;
    }
    /// Branches that the next bound runs, for certain.
    std::uint64_t refused() const { return refused_; }
    /// How many the next one will run that spend its last deviation.
    /// @param refused_before  by the bound before this one; 0: not known
    std::uint64_t expected_next(std::uint64_t refused_before) const {
        const double growth =
            refused_before == 0 ? usual_growth
                                : static_cast<double>(spent_) / static_cast<double>(refused_before);
        return static_cast<std::uint64_t>(growth * static_cast<double>(refused_));
    }

  private:
    /// A saved search has the schedules of its failures only.
    void run_again(const std::vector<SavedSearch::Found>& failures) {
        Execution execution(factory_, options_.execution);
        for (const SavedSearch::Found& found : failures) {
            const auto strategy = make_replay(found.schedule);
            strategy->next_execution();
            const ExecutionResult& result = execution.run(*strategy);
            if (result.violation && result.violation->signature == found.signature) {
                collector_.go_on_with(result, order_of(result), found.count);
            } else {
                collector_.fail(SearchEnd::Nondeterministic,
                                "a failure of the saved search did not repeat itself: " +
                                    found.signature);
            }
        }
    }

    void work() {
        Execution execution(factory_, options_.execution);
        if (!execution.preparation_error().empty()) {
            collector_.fail(SearchEnd::PreparationFailed, execution.preparation_error());
            return tree_.close();
        }
        BporStrategy strategy(bound_, tree_);
        std::uint64_t told = 0;  // of its spent branches
        std::set<std::uint64_t> final_states;
        OpenBranch branch;
        while (tree_.take(branch)) {
            strategy.begin(branch);
            search_below(execution, strategy, told, final_states);
            if (collector_.stopped()) tree_.close();
        }
    }

    void search_below(Execution& execution, BporStrategy& strategy, std::uint64_t& told,
                      std::set<std::uint64_t>& final_states) {
        while (!collector_.stopped() && strategy.next_execution()) {
            const std::uint64_t refused = strategy.refused(), spent = strategy.spent();
            const ExecutionResult& result = execution.run(strategy);
            refused_ += strategy.refused() - refused;
            count_spent(spent - told);
            told = spent;
            collector_.add(result, result.failed() ? order_of(result) : SearchOrder{});
            if (options_.collect_final_states && result.state_hash != 0)
                final_states.insert(result.state_hash);
            if (result.failed() && options_.stop_at_first) collector_.stop(SearchEnd::Found);
            if (enough_branches()) collector_.stop(SearchEnd::Planned);
            if (tree_.hungry() || options_.plan != 0) strategy.share();
            ask_for_checkpoint();
            if (tree_.pausing()) break;
        }
        strategy.share_all();
        collector_.add_final_states(final_states);
        final_states.clear();
    }

    void count_spent(std::uint64_t branches) {
        spent_ += branches;
        if (expected_ != 0)
            collector_.add_share(static_cast<double>(branches) / static_cast<double>(expected_));
    }

    bool enough_branches() const {
        return options_.plan != 0 && tree_.open_branches() >= options_.plan;
    }

    Clock::duration next_checkpoint() const {
        return Clock::now().time_since_epoch() + options_.checkpoint_interval;
    }

    void ask_for_checkpoint() {
        if (!options_.on_checkpoint || tree_.pausing()) return;
        Clock::duration due = checkpoint_at_;
        if (Clock::now().time_since_epoch() < due) return;
        if (!checkpoint_at_.compare_exchange_strong(due, next_checkpoint())) return;
        tree_.request_pause([this] { options_.on_checkpoint(save()); });
    }

    SavedSearch save() const {
        SavedSearch saved;
        saved.bound = bound_;
        saved.refused = refused_;
        saved.spent = spent_;
        saved.expected = expected_;
        saved.tree = tree_.save();
        collector_.save(saved);
        return saved;
    }

    const ProgramFactory& factory_;
    const ExploreOptions& options_;
    std::uint32_t bound_;
    SearchTree tree_;
    SearchCollector collector_;
    std::uint64_t expected_;  // branches that spend the last deviation, as the bounds before tell
    std::atomic<std::uint64_t> refused_{0}, spent_{0};
    std::atomic<Clock::duration> checkpoint_at_;  // since the clock's epoch
};

}  // namespace

SearchReport explore_bounded(const ProgramFactory& factory, const ExploreOptions& options) {
    const auto began = Clock::now();
    ExploreOptions left = options;  // the limits are those of all bounds together
    const SavedSearch* from = options.resume;
    std::uint64_t expected = 0, refused = 0;
    std::uint64_t steps = from == nullptr ? 0 : from->steps_before;
    std::uint32_t bound = from != nullptr  ? from->bound
                          : options.deepen ? 0
                                           : options.max_deviations;
    for (;; ++bound, from = nullptr) {
        if (options.limits.time) left.limits.time = *options.limits.time - (Clock::now() - began);
        left.on_checkpoint =
            !options.on_checkpoint ? options.on_checkpoint : [&](SavedSearch saved) {
                saved.steps_before = steps;
                options.on_checkpoint(std::move(saved));
            };
        BoundedLevel level(factory, left, bound, from, expected);
        SearchReport report = level.run();
        expected = level.expected_next(refused);
        refused = level.refused();
        left.limits.max_executions -= std::min(left.limits.max_executions, report.executions);
        if (report.left) report.left->steps_before = steps;
        steps += report.steps;
        report.steps = steps;
        const bool goes_on =
            report.end == SearchEnd::Complete && !report.whole_space && !report.left;
        const bool may_go_on = report.end == SearchEnd::Found && options.keep_going;
        if ((!goes_on && !may_go_on) || bound == options.max_deviations ||
            begins_anew(report, options)) {
            if (report.end == SearchEnd::Found && !options.keep_going) keep_first_failure(report);
            return report;
        }
    }
}

}  // namespace sim
