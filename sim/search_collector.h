#pragma once
#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "sim/explorer.h"

namespace sim {

/// Where an execution stands in its search: by run number (hunt), or by the candidates it took
/// (explore).
struct SearchOrder {
    std::uint64_t run = 0;
    std::vector<std::uint16_t> path;
    auto operator<=>(const SearchOrder&) const = default;
};

/// A search that stops at the first failure has seen no other, whatever its workers met meanwhile.
void keep_first_failure(SearchReport& report);

/// What the workers of one search share: counts, failures, limits, and when to stop.
class SearchCollector {
  public:
    SearchCollector(const SearchLimits& limits, ProgressCallback on_progress);

    bool stopped() const { return stop_.load(std::memory_order_relaxed); }
    void stop(SearchEnd end);
    void fail(SearchEnd end, const std::string& error);

    /// Counts an execution, tests the limits, keeps what it found: the first failure of each
    /// signature in the search's order, or of each signature and trace.
    [[gnu::hot]] void add(const ExecutionResult& result, const SearchOrder& order,
                          bool by_trace = false);
    void add_cut() { cuts_.fetch_add(1, std::memory_order_relaxed); }
    void add_final_states(const std::set<std::uint64_t>& states);
    void add_share(double share) { share_.fetch_add(share, std::memory_order_relaxed); }

    /// The earliest failure so far; executions after it need not run. Empty while there is none.
    bool first_failure(SearchOrder& order) const;
    /// A failure with a signature that no execution had before: SearchLimits::until_new counts from
    /// here.
    void found_new() { last_new_ = Clock::now().time_since_epoch(); }
    std::uint64_t failures_seen() const { return failures_seen_.load(std::memory_order_relaxed); }

    /// Calls the progress callback now and then until `done()`.
    template <class Done> void watch(std::uint32_t bound, Done&& done) {
        while (!done())
            tick(bound);
    }

    SearchReport finish();
    /// What was counted and found so far. For a moment at which nobody adds.
    void save(SavedSearch& saved) const;
    void go_on_from(const SavedSearch& saved);
    /// A failure that a saved search had found so many times.
    void go_on_with(const ExecutionResult& result, const SearchOrder& order, std::uint64_t count);

  private:
    struct Found {
        SearchOrder order;
        Failure failure;
    };
    using Clock = std::chrono::steady_clock;  // for limits and progress only: nothing that a search
                                              // finds depends on it
    double share_done() const { return std::min(1.0, share_.load()); }
    void tick(std::uint32_t bound);
    void keep(const ExecutionResult& result, const SearchOrder& order, std::uint64_t count,
              bool by_trace = false);
    void test_limits(std::uint64_t executions);

    SearchLimits limits_;
    ProgressCallback on_progress_;
    Clock::time_point began_;
    Clock::time_point last_progress_;
    std::chrono::microseconds poll_;
    std::atomic<Clock::duration> last_new_;
    std::atomic<bool> stop_{false};
    std::atomic<std::uint64_t> executions_{0}, blocked_{0}, steps_{0}, failures_seen_{0}, cuts_{0};
    std::atomic<std::uint32_t> depth_{0}, most_steps_{0}, most_tasks_{0};
    std::atomic<double> share_{0};
    mutable std::mutex mutex_;
    void keep_unordered(const ExecutionResult& result);
    void keep_unending(const ExecutionResult& result, const SearchOrder& order);

    SearchReport report_;
    SearchOrder unending_order_;
    std::set<std::string> unordered_, unordered_kinds_, split_unordered_;
    std::map<std::pair<std::string, std::uint64_t>, Found> found_;  // by signature and trace
    std::set<std::uint64_t> final_states_;
};

}  // namespace sim
