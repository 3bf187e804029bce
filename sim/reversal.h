#pragma once
#include <vector>

#include "sim/happens_before.h"
#include "sim/wakeup_tree.h"

namespace sim {

/// What to run instead, from the prefix before a race's first step: the steps of the execution that
/// do not happen after it, then the race's second step. (`notdep(e, E).e'` of the optimal
/// algorithm.)
///
/// Of each task they are the steps after the prefix up to the first that happens after the race's
/// first step, so that what is left of them is known by the first one left of each task.
class Reversal {
  public:
    Reversal(const HappensBefore& order, AccessSets& sets) : order_(order), sets_(sets) {}

    /// @param second  the race's second step
    void begin(std::uint32_t first, std::uint32_t second);
    /// @param pending  a step that was not run: of a task that was blocked, or just not chosen
    /// @param cause    the task's last step or the one that created it, plus 1
    void begin(std::uint32_t first, const FutureStep& pending, std::uint32_t cause);

    /// Whether a step that is possible at the prefix could come first in an order of these that
    /// ends the same: it is one of them, and nothing among them happens before it; or it commutes
    /// with all.
    bool is_weak_initial(const FutureStep& step) { return is_weak_initial(step, find(step)); }
    /// Adds what no branch of the tree covers as a branch of its own.
    /// @return whether there was anything to add
    bool insert(WakeupTrees& trees, WakeupTrees::Id& root);

  private:
    static constexpr std::uint32_t not_run = ~0U;
    static constexpr std::uint32_t none = ~0U;
    struct Item {
        std::uint32_t event = not_run;
        std::uint32_t task = 0;
        std::uint32_t next = none;  // the task's next one
        bool taken = false;
    };
    void collect(std::uint32_t first, std::uint32_t second, std::uint32_t cause);
    std::uint32_t last() const { return static_cast<std::uint32_t>(items_.size() - 1); }
    bool is_left(std::uint32_t event) const;
    template <class Visit> void for_each_rival(const FutureStep& step, Visit&& visit) const;
    void find_past_of_last();
    bool precedes(std::uint32_t item, std::uint32_t other);
    bool is_weak_initial(const FutureStep& step, std::uint32_t item);
    bool is_initial(std::uint32_t item);
    void take(std::uint32_t item);
    std::uint32_t find(const FutureStep& step) const;
    bool commutes_with_all(const FutureStep& step) const;
    FutureStep step_of(std::uint32_t item) const;

    const HappensBefore& order_;
    AccessSets& sets_;
    std::uint32_t first_ = 0, second_ = not_run;
    FutureStep last_;
    std::uint32_t cause_ = 0;  // of the last one
    std::vector<Item> items_;
    std::uint32_t earliest_ = 0;             // of those that are left
    std::vector<std::uint32_t> first_left_;  // by task
    bool past_known_ = false;
    std::vector<std::uint32_t> past_of_last_;  // a clock; empty: all of it is in the prefix
};

}  // namespace sim
