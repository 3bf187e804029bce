#pragma once
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <vector>

#include "sim/strategy_dfs.h"

namespace sim {

/// Parts of the tree that wait for a worker. The search is over when nothing waits and every worker
/// does.
class Frontier {
  public:
    explicit Frontier(unsigned workers) : workers_(workers) { waiting_.push_back({}); }

    /// Sleeps until there is work. @return false when the search is over
    bool take(Prefix& prefix);
    /// Whether somebody waits for work that nobody has given yet.
    bool hungry() const { return hungry_.load(std::memory_order_relaxed); }
    void give(std::vector<Prefix> prefixes);
    /// Wakes all; take() returns false from now on.
    void close();
    bool over() const;

  private:
    unsigned workers_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Prefix> waiting_;
    unsigned idle_ = 0;
    bool closed_ = false;
    std::atomic<bool> hungry_{false};
};

}  // namespace sim
