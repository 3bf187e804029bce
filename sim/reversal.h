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
/// first step, so that what is left of them is known by the first one left of each task. They are
/// looked up as somebody asks.
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
    static constexpr std::uint32_t none = ~0U;
    static constexpr std::uint32_t not_run = none - 1;

    void begin(std::uint32_t first, std::uint32_t second, std::uint32_t cause);
    /// Whether all that is left is the last one, or nothing.
    bool only_last_is_left() const { return earliest_ == end_; }
    bool is_any_left() const { return earliest_ < end_ || !last_taken_; }
    bool belongs(std::uint32_t event) const {
        return event != second_ && !order_.before(first_, event);
    }
    /// What is to be run of a task from this step of it on.
    std::uint32_t from(std::uint32_t task, std::uint32_t event) const {
        if (event < end_ && belongs(event)) return event;
        return task == last_.task ? second_ : none;
    }
    /// A task's first step that is still to be run; none if there is none.
    std::uint32_t first_left(std::uint32_t task) {
        std::uint32_t& known = first_left_[task];
        if (known < earliest_) known = from(task, order_.first_of_task(task, earliest_));
        return known;
    }
    bool is_left(std::uint32_t event) const {
        return event >= earliest_ && first_left_[order_[event].task] <= event;
    }
    /// The earliest that is left; end_ if there is none.
    void find_earliest_from(std::uint32_t event) {
        earliest_ = order_.next_not_after(first_, event);
        while (earliest_ < end_ &&
               (earliest_ == second_ || first_left_[order_[earliest_].task] > earliest_))
            earliest_ = order_.next_not_after(first_, earliest_ + 1);
    }
    bool is_earliest(const FutureStep& step) const {
        return earliest_ < end_ && order_[earliest_].path == step.path;
    }
    void take_earliest() { find_earliest_from(earliest_ + 1); }
    /// Takes a step if it could come first in what is left, in an order that ends the same.
    bool take_initial(const FutureStep& step) {
        if (!is_earliest(step)) return take_later(step);
        take_earliest();
        return true;
    }
    template <class Visit> void for_each_rival(const FutureStep& step, Visit&& visit);
    bool is_weak_initial(const FutureStep& step, std::uint32_t event);
    bool is_initial(std::uint32_t event);
    bool follows_any_left(std::uint32_t event);
    bool is_last_initial();
    void take(std::uint32_t event);
    bool take_later(const FutureStep& step);
    std::uint32_t find(const FutureStep& step);
    bool commutes_with_all(const FutureStep& step);
    bool commutes_with_last(const FutureStep& step);

    const HappensBefore& order_;
    AccessSets& sets_;
    std::uint32_t first_ = 0;
    std::uint32_t second_ = not_run;  // stands for the last one
    FutureStep last_;
    std::uint32_t cause_ = 0;  // of the last one
    bool last_taken_ = false;
    std::uint32_t end_ = 0;       // steps of the execution
    std::uint32_t earliest_ = 0;  // of those that are left, but for the last one
    // By task, while others than the last one are left. One before earliest_: nobody has asked
    // since.
    std::vector<std::uint32_t> first_left_;
    std::uint32_t holds_last_ = none;  // comes before the last one, unless taken
};

}  // namespace sim
