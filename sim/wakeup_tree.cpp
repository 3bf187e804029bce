#include "sim/wakeup_tree.h"

#include <algorithm>
#include <utility>

namespace sim {

WakeupTrees::Id WakeupTrees::make() {
    if (free_.empty()) {
        branches_.emplace_back();
        return static_cast<Id>(branches_.size() - 1);
    }
    const Id branch = free_.back();
    free_.pop_back();
    return branch;
}

void WakeupTrees::release(Id branch) {
    Branch& released = branches_[branch];
    if (released.capacity_ != 0) blocks_.give_back(released.steps_, released.capacity_);
    released = Branch{};
    free_.append(branch);
}

void WakeupTrees::make_room(Branch& branch) {
    const std::uint32_t capacity = std::max(branch.capacity_ * 2, 2U);
    FutureStep* const block = blocks_.take(capacity);
    std::copy_n(branch.steps_, branch.size_, block);
    if (branch.capacity_ != 0) blocks_.give_back(branch.steps_, branch.capacity_);
    branch.steps_ = block;
    branch.capacity_ = capacity;
}

WakeupTrees::Id WakeupTrees::append(Id& siblings) {
    const Id made = make();
    if (siblings == 0) return siblings = made;
    Id last = siblings;
    while (branches_[last].sibling_ != 0)
        last = branches_[last].sibling_;
    return branches_[last].sibling_ = made;
}

WakeupTrees::Id WakeupTrees::append_below(Id parent) {
    Id children = branches_[parent].child_;
    const Id made = append(children);
    branches_[parent].child_ = children;
    return made;
}

void WakeupTrees::split(Id branch, std::size_t count) {
    const Id rest = make();
    Branch& upper = branches_[branch];
    Branch& lower = branches_[rest];
    const auto cut = static_cast<std::uint32_t>(upper.taken_ + count);
    for (std::uint32_t i = cut; i < upper.size_; ++i)
        extend(rest, upper.steps_[i]);
    upper.size_ = cut;
    lower.child_ = std::exchange(upper.child_, rest);
    lower.settled_from_ = std::exchange(upper.settled_from_, FutureStep::unknown);
}

WakeupTrees::Id WakeupTrees::take_first(Id& siblings, FutureStep& step) {
    const Id branch = siblings;
    Branch& first = branches_[branch];
    step = first.steps_[first.taken_++];
    siblings = std::exchange(first.sibling_, 0);
    if (first.taken_ < first.size_) return branch;
    const Id children = first.child_;
    release(branch);
    return children;
}

void WakeupTrees::discard(Id& siblings) {
    while (siblings != 0) {
        const Id branch = siblings;
        Id children = branches_[branch].child_;
        discard(children);
        siblings = branches_[branch].sibling_;
        release(branch);
    }
}

}  // namespace sim
