#include "sim/reversal.h"

#include <algorithm>

namespace sim {

void Reversal::begin(std::uint32_t first, std::uint32_t second) {
    const auto& event = order_[second];
    last_ = {event.path, event.accesses, event.certain, event.task, event.own_before};
    begin(first, second, event.cause);
}

void Reversal::begin(std::uint32_t first, const FutureStep& pending, std::uint32_t cause) {
    last_ = pending;
    last_.own = order_.steps_of_task(pending.task);
    begin(first, not_run, cause);
}

void Reversal::begin(std::uint32_t first, std::uint32_t second, std::uint32_t cause) {
    if (first != first_) first_not_after_ = order_.next_not_after(first, first + 1);
    first_ = first;
    second_ = second;
    cause_ = cause;
    // Before one who shares a lock others may be inside: who wants it alone queues behind them.
    last_.certain = last_.certain && !order_[first].shares;
    last_taken_ = false;
    holds_last_ = none;
    end_ = order_.size();
    if (taken_in_.size() < end_) taken_in_.resize(end_, 0);
    earliest_ = first_not_after_ == second ? next_left(second + 1) : first_not_after_;
}

/// Visits what is left and does not commute with the step, but for the last one.
/// @param visit  (event); returns whether to go on
template <class Visit> void Reversal::for_each_rival(const FutureStep& step, Visit&& visit) {
    for (const Access& access : sets_.of(step.accesses)) {
        const bool all = order_.for_each_access_after(first_, access, [&](std::uint32_t event) {
            return !belongs(event) || !is_left(event) || visit(event);
        });
        if (!all) return;
    }
}

/// Whether nothing that is left comes before a step that is left. Whatever comes before a taken one
/// was taken, so it is enough to ask for those that it follows directly.
[[gnu::always_inline]] inline bool Reversal::is_initial(std::uint32_t event) {
    if (event == earliest_ || only_last_is_left()) return true;
    if (event == second_)
        return last_.certain && !sets_.dependent(order_[earliest_].accesses, last_.accesses) &&
               is_last_initial();
    const HappensBefore::Event& step = order_[event];
    if (step.follows <= first_) return true;
    if (is_left(step.follows - 1)) return false;
    return step.follows_one || !follows_any_left(event);
}

bool Reversal::follows_any_left(std::uint32_t event) const {
    for (std::uint32_t other = earliest_; other < event; other = next_left(other + 1))
        if (order_.before(other, event)) return true;
    return false;
}

/// The last one's past is what it conflicts with here, not what it had before the reversal.
bool Reversal::is_last_initial() {
    if (cause_ > first_ + 1 && is_left(cause_ - 1)) return false;
    if (holds_last_ != none && is_left(holds_last_)) return false;
    holds_last_ = none;
    const auto hold = [&](std::uint32_t event) {
        holds_last_ = event;
        return false;
    };
    // What conflicts with it and comes after it happens after it, and after the race's first step.
    if (second_ == not_run)
        for_each_rival(last_, hold);
    else
        order_.for_each_rival_between(first_, second_, [&](std::uint32_t event) {
            return !belongs(event) || !is_left(event) || hold(event);
        });
    return holds_last_ == none;
}

/// It among those that are left; none if it is not there. Whoever asks has come to the prefix, or
/// from there by steps that were taken: so it is the first one left of its task.
[[gnu::always_inline]] inline std::uint32_t Reversal::find(const FutureStep& step) const {
    const bool of_last_task = step.path == last_.path;
    if (of_last_task && (step.own == last_.own || only_last_is_left()))
        return last_taken_ ? none : second_;
    if (only_last_is_left()) return none;
    const std::uint32_t task = order_.task_of(step.path, step.task);
    if (task == order_.tasks()) return none;
    const std::uint32_t event = step.own == FutureStep::unknown
                                    ? order_.first_of_task(task, first_ + 1)
                                    : order_.step_of_task(task, step.own);
    if (event < end_ && belongs(event)) return event;
    return of_last_task && !last_taken_ ? second_ : none;
}

[[gnu::always_inline]] inline bool Reversal::commutes_with_last(const FutureStep& step) const {
    return last_taken_ || (last_.certain && !sets_.dependent(step.accesses, last_.accesses));
}

[[gnu::always_inline]] inline bool Reversal::commutes_with_all(const FutureStep& step) {
    if (!step.certain || !commutes_with_last(step)) return false;
    return only_last_is_left() || commutes_with_others(step);
}

bool Reversal::commutes_with_others(const FutureStep& step) {
    bool commutes = true;
    for_each_rival(step, [&](std::uint32_t /*event*/) { return commutes = false; });
    return commutes;
}

[[gnu::always_inline]] inline bool Reversal::is_weak_initial(const FutureStep& step,
                                                             std::uint32_t event) {
    return event != none ? is_initial(event) : commutes_with_all(step);
}

bool Reversal::begins_with_one_of(std::span<const FutureStep> steps) {
    for (const FutureStep& step : steps)
        if (is_weak_initial(step, find(step))) return true;
    return false;
}

[[gnu::always_inline]] inline void Reversal::take(std::uint32_t event) {
    if (event == none) return;
    if (event == second_)
        last_taken_ = true;
    else
        taken_in_[event] = number_;
}

/// Takes a step if it could come first in what is left, in an order that ends the same.
[[gnu::always_inline]] inline bool Reversal::take_initial(const FutureStep& step) {
    if (is_earliest(step)) {
        take_earliest();
        return true;
    }
    const std::uint32_t event = find(step);
    if (!is_weak_initial(step, event)) return false;
    take(event);
    return true;
}

bool Reversal::insert(WakeupTrees& trees, WakeupTrees::Id& root) {
    if (++number_ == 0) std::fill(taken_in_.begin(), taken_in_.end(), number_++);
    WakeupTrees::Id parent = 0;
    WakeupTrees::Id branch = root;
    while (branch != 0) {
        const auto steps = trees[branch].steps();
        auto step = steps.begin();
        while (step != steps.end() && take_initial(*step))
            ++step;
        if (step == steps.begin()) {
            branch = trees[branch].sibling();
            continue;
        }
        parent = branch;
        if (step != steps.end()) {
            if (!is_any_left()) return false;
            trees.split(branch, static_cast<std::size_t>(step - steps.begin()));
            break;
        }
        branch = trees[branch].child();
        if (branch == 0) return false;  // whatever lies below is going to be explored
    }
    if (!is_any_left()) return false;
    const WakeupTrees::Id added = parent == 0 ? trees.append(root) : trees.append_below(parent);
    for (; earliest_ < end_; take_earliest()) {
        const HappensBefore::Event& event = order_[earliest_];
        trees.extend(added, {event.path, event.accesses, true, event.task, event.own_before});
    }
    if (last_taken_) return true;
    trees.extend(added, last_);
    if (second_ != not_run && last_.certain && sets_.never_block(last_.accesses))
        trees.settle_last(added, first_);
    return true;
}

}  // namespace sim
