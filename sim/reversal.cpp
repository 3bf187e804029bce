#include "sim/reversal.h"

namespace sim {

void Reversal::take_over(std::uint32_t first, std::uint32_t except) {
    first_left_ = 0;
    items_.resize(order_.size() - first);  // room for all of them and the last one
    std::size_t count = 0;
    for (std::uint32_t event = first + 1; event < order_.size(); ++event)
        if (event != except && !order_.before(first, event))
            items_[count++] = {{order_[event].path, order_[event].accesses, true}, event};
    items_.resize(count);
}

void Reversal::begin(std::uint32_t first, std::uint32_t second) {
    take_over(first, second);
    const auto& event = order_[second];
    items_.push_back({{event.path, event.accesses, event.certain}, second});
    collect_past_of_last(event.cause);
}

void Reversal::begin(std::uint32_t first, const FutureStep& pending, std::uint32_t cause) {
    take_over(first, not_run);
    items_.push_back({pending});
    collect_past_of_last(cause);
}

/// The last item's past is what it conflicts with here, not what it had before the reversal.
void Reversal::collect_past_of_last(std::uint32_t cause) {
    const FutureStep& last = items_.back().step;
    past_of_last_.assign(order_.tasks(), 0);
    if (cause != 0) order_.join(past_of_last_, cause - 1);
    for (std::size_t i = 0; i + 1 < items_.size(); ++i)
        if (sets_.dependent(items_[i].step.accesses, last.accesses))
            order_.join(past_of_last_, items_[i].event);
}

bool Reversal::precedes(std::size_t a, std::size_t b) const {
    const std::size_t last = items_.size() - 1;
    if (b != last) return order_.before(items_[a].event, items_[b].event);
    if (!items_[last].step.certain) return true;
    return past_of_last_[order_[items_[a].event].task] > items_[a].event;
}

bool Reversal::is_initial(std::size_t item) const {
    for (std::size_t i = first_left_; i < item; ++i)
        if (!items_[i].taken && precedes(i, item)) return false;
    return true;
}

std::size_t Reversal::find(std::uint64_t path) const {
    std::size_t at = first_left_;
    while (at < items_.size() && (items_[at].taken || items_[at].step.path != path))
        ++at;
    return at;
}

bool Reversal::commutes_with_all(const FutureStep& step) const {
    if (!step.certain) return false;
    for (std::size_t i = first_left_; i < items_.size(); ++i) {
        const Item& item = items_[i];
        if (!item.taken &&
            (!item.step.certain || sets_.dependent(step.accesses, item.step.accesses)))
            return false;
    }
    return true;
}

bool Reversal::is_weak_initial(const FutureStep& step, std::size_t at) const {
    return at < items_.size() ? is_initial(at) : commutes_with_all(step);
}

void Reversal::take(std::size_t item) {
    if (item == items_.size()) return;
    items_[item].taken = true;
    while (first_left_ < items_.size() && items_[first_left_].taken)
        ++first_left_;
}

bool Reversal::insert(WakeupTrees& trees, WakeupTrees::Id& root) {
    WakeupTrees::Id parent = 0;
    WakeupTrees::Id child = root;
    while (child != 0) {
        const WakeupTrees::Node& node = trees[child];
        const std::size_t at = find(node.step.path);
        if (!is_weak_initial(node.step, at)) {
            child = node.sibling;
            continue;
        }
        if (node.child == 0) return false;  // whatever lies below is going to be explored
        take(at);
        parent = child;
        child = node.child;
    }
    bool added = false;
    for (Item& item : items_) {
        if (item.taken) continue;
        added = true;
        parent =
            parent == 0 ? trees.append(root, item.step) : trees.append_below(parent, item.step);
    }
    return added;
}

}  // namespace sim
