#include "sim/wakeup_tree.h"

namespace sim {

WakeupTrees::Id WakeupTrees::append(Id& siblings, const FutureStep& step) {
    Id made = 0;
    if (free_.empty()) {
        made = static_cast<Id>(nodes_.size());
        nodes_.emplace_back();
    } else {
        made = free_.back();
        free_.pop_back();
    }
    nodes_[made] = {step, 0, 0};
    if (siblings == 0) {
        siblings = made;
        return made;
    }
    Id last = siblings;
    while (nodes_[last].sibling != 0)
        last = nodes_[last].sibling;
    nodes_[last].sibling = made;
    return made;
}

WakeupTrees::Id WakeupTrees::append_below(Id parent, const FutureStep& step) {
    Id children = nodes_[parent].child;
    const Id made = append(children, step);
    nodes_[parent].child = children;
    return made;
}

WakeupTrees::Id WakeupTrees::take_first(Id& siblings, FutureStep& step) {
    const Node first = nodes_[siblings];
    free_.push_back(siblings);
    siblings = first.sibling;
    step = first.step;
    return first.child;
}

void WakeupTrees::discard(Id& siblings) {
    while (siblings != 0) {
        FutureStep step;
        Id children = take_first(siblings, step);
        discard(children);
    }
}

}  // namespace sim
