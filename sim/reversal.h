#pragma once
#include <vector>

#include "sim/happens_before.h"
#include "sim/wakeup_tree.h"

namespace sim {

/// What to run instead, from the prefix before a race's first step: the steps of the execution that
/// do not happen after it, then the race's second step. (`notdep(e, E).e'` of the optimal
/// algorithm.)
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
    bool is_weak_initial(const FutureStep& step) const {
        return is_weak_initial(step, find(step.path));
    }
    /// Adds what no branch of the tree covers as a branch of its own.
    /// @return whether there was anything to add
    bool insert(WakeupTrees& trees, WakeupTrees::Id& root);

  private:
    static constexpr std::uint32_t not_run = ~0U;
    struct Item {
        FutureStep step;
        std::uint32_t event = not_run;
        bool taken = false;
    };
    void take_over(std::uint32_t first, std::uint32_t except);
    void collect_past_of_last(std::uint32_t cause);
    bool precedes(std::size_t a, std::size_t b) const;
    bool is_weak_initial(const FutureStep& step, std::size_t item) const;
    bool is_initial(std::size_t item) const;
    void take(std::size_t item);
    std::size_t find(std::uint64_t path) const;
    bool commutes_with_all(const FutureStep& step) const;

    const HappensBefore& order_;
    AccessSets& sets_;
    std::vector<Item> items_;
    std::size_t first_left_ = 0;               // items before it are taken
    std::vector<std::uint32_t> past_of_last_;  // a clock
};

}  // namespace sim
