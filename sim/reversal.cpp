#include "sim/reversal.h"

namespace sim {

void Reversal::begin(std::uint32_t first, std::uint32_t second) {
    const auto& event = order_[second];
    last_ = {event.path, event.accesses, event.certain, event.task};
    begin(first, second, event.cause);
}

void Reversal::begin(std::uint32_t first, const FutureStep& pending, std::uint32_t cause) {
    last_ = pending;
    begin(first, not_run, cause);
}

void Reversal::begin(std::uint32_t first, std::uint32_t second, std::uint32_t cause) {
    first_ = first;
    second_ = second;
    cause_ = cause;
    // Before one who shares a lock others may be inside: who wants it alone queues behind them.
    last_.certain = last_.certain && !order_[first].shares;
    last_taken_ = false;
    holds_last_ = none;
    end_ = order_.size();
    earliest_ = order_.next_not_after(first, first + 1);
    if (earliest_ == second_) earliest_ = order_.next_not_after(first, earliest_ + 1);
    if (!only_last_is_left()) first_left_.assign(order_.tasks(), 0);
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
bool Reversal::is_initial(std::uint32_t event) {
    if (event == earliest_ || only_last_is_left()) return true;
    if (event == second_) return last_.certain && is_last_initial();
    const HappensBefore::Event& step = order_[event];
    if (step.follows <= first_) return true;
    if (is_left(step.follows - 1)) return false;
    return step.follows_one || !follows_any_left(event);
}

bool Reversal::follows_any_left(std::uint32_t event) {
    for (std::uint32_t task = 0; task < first_left_.size(); ++task) {
        const std::uint32_t other = first_left(task);
        if (other < event && other != second_ && order_.before(other, event)) return true;
    }
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

/// The first one left of the step's task; none if there is none.
std::uint32_t Reversal::find(const FutureStep& step) {
    if (only_last_is_left()) return !last_taken_ && step.path == last_.path ? second_ : none;
    const std::uint32_t task = order_.task_of(step.path, step.task);
    return task == order_.tasks() ? none : first_left(task);
}

bool Reversal::commutes_with_last(const FutureStep& step) {
    return last_taken_ || (last_.certain && !sets_.dependent(step.accesses, last_.accesses));
}

bool Reversal::commutes_with_all(const FutureStep& step) {
    if (!step.certain || !commutes_with_last(step)) return false;
    if (only_last_is_left()) return true;
    bool commutes = true;
    for_each_rival(step, [&](std::uint32_t /*event*/) { return commutes = false; });
    return commutes;
}

bool Reversal::is_weak_initial(const FutureStep& step, std::uint32_t event) {
    return event != none ? is_initial(event) : commutes_with_all(step);
}

void Reversal::take(std::uint32_t event) {
    if (event == none) return;
    if (event == earliest_) return take_earliest();
    if (event == second_) {
        last_taken_ = true;
        if (!only_last_is_left()) first_left_[last_.task] = none;
        return;
    }
    const std::uint32_t task = order_[event].task;
    first_left_[task] = from(task, order_.next_of_task(event));
}

bool Reversal::take_later(const FutureStep& step) {
    const std::uint32_t event = find(step);
    if (!is_weak_initial(step, event)) return false;
    take(event);
    return true;
}

bool Reversal::insert(WakeupTrees& trees, WakeupTrees::Id& root) {
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
    for (; earliest_ < end_; find_earliest_from(earliest_ + 1)) {
        const HappensBefore::Event& event = order_[earliest_];
        trees.extend(added, {event.path, event.accesses, true, event.task});
    }
    if (!last_taken_) trees.extend(added, last_);
    return true;
}

}  // namespace sim
