#include "sim/reversal.h"

#include <algorithm>
#include <utility>

namespace sim {

void Reversal::begin(std::uint32_t first, std::uint32_t second) {
    const auto& event = order_[second];
    last_ = {event.path, event.accesses, event.certain, event.task};
    collect(first, second, event.cause);
}

void Reversal::begin(std::uint32_t first, const FutureStep& pending, std::uint32_t cause) {
    last_ = pending;
    collect(first, not_run, cause);
}

void Reversal::collect(std::uint32_t first, std::uint32_t second, std::uint32_t cause) {
    first_ = first;
    second_ = second;
    cause_ = cause;
    past_known_ = false;
    items_.clear();
    order_.for_each_not_after(first, [&](std::uint32_t at, const HappensBefore::Event& event) {
        if (at != second) items_.push_back({at, event.task});
    });
    items_.push_back({second, last_.task});
    earliest_ = 0;
    first_left_.assign(order_.tasks(), none);
    for (std::uint32_t item = last() + 1; item-- > 0;)
        items_[item].next = std::exchange(first_left_[items_[item].task], item);
}

/// Whether a step that does not happen after the race's first one is still to be run.
bool Reversal::is_left(std::uint32_t event) const {
    const std::uint32_t item = first_left_[order_[event].task];
    return item != none && items_[item].event <= event;
}

/// Visits what is left and does not commute with the step, but for the last one.
/// @param visit  (event); returns whether to go on
template <class Visit> void Reversal::for_each_rival(const FutureStep& step, Visit&& visit) const {
    for (const Access& access : sets_.of(step.accesses)) {
        const bool all = order_.for_each_access_after(first_, access, [&](std::uint32_t event) {
            return event == second_ || order_.before(first_, event) || !is_left(event) ||
                   visit(event);
        });
        if (!all) return;
    }
}

/// The last one's past is what it conflicts with here, not what it had before the reversal.
void Reversal::find_past_of_last() {
    past_known_ = true;
    past_of_last_.clear();
    const auto join = [&](std::uint32_t event) {
        past_of_last_.resize(order_.tasks());
        if (past_of_last_[order_[event].task] <= event) order_.join(past_of_last_, event);
        return true;
    };
    if (cause_ > first_) join(cause_ - 1);
    for_each_rival(last_, join);
}

bool Reversal::precedes(std::uint32_t item, std::uint32_t other) {
    if (other != last()) return order_.before(items_[item].event, items_[other].event);
    return !last_.certain || past_of_last_[items_[item].task] > items_[item].event;
}

bool Reversal::is_initial(std::uint32_t item) {
    if (item == earliest_) return true;
    if (item == last()) {
        if (last_.certain && !past_known_) find_past_of_last();
        if (last_.certain && past_of_last_.empty()) return true;
    } else {
        const std::uint32_t follows = order_[items_[item].event].follows;
        if (follows <= first_) return true;
        if (is_left(follows - 1)) return false;
    }
    return std::none_of(first_left_.begin(), first_left_.end(),
                        [&](std::uint32_t other) { return other < item && precedes(other, item); });
}

/// The first one left of the step's task; none if there is none.
std::uint32_t Reversal::find(const FutureStep& step) const {
    if (step.task < order_.tasks() && order_.path_of(step.task) == step.path)
        return first_left_[step.task];
    const auto found = std::find_if(items_.begin(), items_.end(), [&](const Item& item) {
        return !item.taken &&
               (item.event == not_run ? last_.path : order_[item.event].path) == step.path;
    });
    return found == items_.end() ? none : static_cast<std::uint32_t>(found - items_.begin());
}

bool Reversal::commutes_with_all(const FutureStep& step) const {
    if (!step.certain) return false;
    if (!items_[last()].taken && (!last_.certain || sets_.dependent(step.accesses, last_.accesses)))
        return false;
    bool commutes = true;
    for_each_rival(step, [&](std::uint32_t /*event*/) { return commutes = false; });
    return commutes;
}

bool Reversal::is_weak_initial(const FutureStep& step, std::uint32_t item) {
    return item != none ? is_initial(item) : commutes_with_all(step);
}

void Reversal::take(std::uint32_t item) {
    if (item == none) return;
    items_[item].taken = true;
    while (earliest_ < items_.size() && items_[earliest_].taken)
        ++earliest_;
    first_left_[items_[item].task] = items_[item].next;
}

FutureStep Reversal::step_of(std::uint32_t item) const {
    if (item == last()) return last_;
    const auto& event = order_[items_[item].event];
    return {event.path, event.accesses, true, event.task};
}

bool Reversal::insert(WakeupTrees& trees, WakeupTrees::Id& root) {
    WakeupTrees::Id parent = 0;
    WakeupTrees::Id child = root;
    while (child != 0) {
        const WakeupTrees::Node& node = trees[child];
        const std::uint32_t item = find(node.step);
        if (!is_weak_initial(node.step, item)) {
            child = node.sibling;
            continue;
        }
        if (node.child == 0) return false;  // whatever lies below is going to be explored
        take(item);
        parent = child;
        child = node.child;
    }
    bool added = false;
    for (std::uint32_t item = 0; item < items_.size(); ++item) {
        if (items_[item].taken) continue;
        added = true;
        parent = parent == 0 ? trees.append(root, step_of(item))
                             : trees.append_below(parent, step_of(item));
    }
    return added;
}

}  // namespace sim
