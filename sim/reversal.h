#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "sim/happens_before.h"
#include "sim/wakeup_tree.h"

namespace sim {

/// What to run instead, from the prefix before a race's first step: the steps of the execution that
/// do not happen after it, then the race's second step. (`notdep(e, E).e'` of the optimal
/// algorithm.)
///
/// Of each task they are the steps after the prefix up to the first that happens after the race's
/// first step. They are looked up as somebody asks.
class Reversal {
  public:
    Reversal(const HappensBefore& order, AccessSets& sets) : order_(order), sets_(sets) {}

    /// The execution's steps are others now.
    void begin_execution() { first_ = none; }
    /// @param second  the race's second step
    void begin(std::uint32_t first, std::uint32_t second);
    /// @param pending  a step that was not run: of a task that was blocked, or just not chosen
    /// @param cause    the task's last step or the one that created it, plus 1
    void begin(std::uint32_t first, const FutureStep& pending, std::uint32_t cause);

    /// Whether one of these steps, which are possible at the prefix, could come first in an order
    /// that ends the same (is a weak initial): it is to be run, and nothing to be run happens
    /// before it; or it commutes with all.
    bool begins_with_one_of(std::span<const FutureStep> steps);
    /// Adds what no branch of the tree covers as a branch of its own.
    /// Races of the last one with the others are settled then (DporStrategy::is_settled()) if it
    /// was run, is the same without the race's first step, and is of a kind that nobody waits for.
    /// @return whether there was anything to add
    [[gnu::hot]] bool insert(WakeupTrees& trees, WakeupTrees::Id& root);

  private:
    static constexpr std::uint32_t none = ~0U;
    static constexpr std::uint32_t not_run = none - 1;

    [[gnu::hot]] void begin(std::uint32_t first, std::uint32_t second, std::uint32_t cause);
    /// Whether all that is left is the last one, or nothing.
    bool only_last_is_left() const { return earliest_ == end_; }
    bool is_any_left() const { return earliest_ < end_ || !last_taken_; }
    bool belongs(std::uint32_t event) const {
        return event != second_ && !order_.before(first_, event);
    }
    /// Of a step that belongs.
    bool is_left(std::uint32_t event) const {
        return event >= earliest_ && taken_in_[event] != number_;
    }
    /// The first from a step on that is left; end_ if there is none.
    std::uint32_t next_left(std::uint32_t event) const {
        event = order_.next_not_after(first_, event);
        while (event < end_ && (event == second_ || taken_in_[event] == number_))
            event = order_.next_not_after(first_, event + 1);
        return event;
    }
    bool is_earliest(const FutureStep& step) const {
        return earliest_ < end_ && order_[earliest_].path == step.path;
    }
    void take_earliest() { earliest_ = next_left(earliest_ + 1); }
    template <class Visit> void for_each_rival(const FutureStep& step, Visit&& visit);
    inline bool is_weak_initial(const FutureStep& step, std::uint32_t event);
    inline bool is_initial(std::uint32_t event);
    bool follows_any_left(std::uint32_t event) const;
    bool is_last_initial();
    inline void take(std::uint32_t event);
    inline bool take_initial(const FutureStep& step);
    inline std::uint32_t find(const FutureStep& step) const;
    inline bool commutes_with_all(const FutureStep& step);
    inline bool commutes_with_last(const FutureStep& step) const;
    bool commutes_with_others(const FutureStep& step);

    const HappensBefore& order_;
    AccessSets& sets_;
    std::uint32_t first_ = none;
    std::uint32_t second_ = not_run;  // stands for the last one
    FutureStep last_;
    std::uint32_t cause_ = 0;  // of the last one
    bool last_taken_ = false;
    std::uint32_t end_ = 0;       // steps of the execution
    std::uint32_t earliest_ = 0;  // of those that are left, but for the last one
    // By step: the reversal that took it last, but for the earliest ones of their time.
    std::vector<std::uint32_t> taken_in_;
    std::uint32_t number_ = 1;           // of this reversal
    std::uint32_t first_not_after_ = 0;  // of what comes after first_
    std::uint32_t holds_last_ = none;    // comes before the last one, unless taken
};

}  // namespace sim
