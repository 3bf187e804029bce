#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "sim/future_step.h"
#include "sim/sequence.h"
#include "sim/step_blocks.h"

namespace sim {

/// Wakeup trees (Abdulla, Aronis, Jonsson, Sagonas, POPL 2014): what is still to be run below each
/// prefix, as ordered trees of steps. A pool for the trees of a whole search.
///
/// Steps that follow each other without another choice are one branch and lie side by side: a
/// search compares whole sequences with each other, again and again.
class WakeupTrees {
  public:
    using Id = std::uint32_t;  // of a branch; 0: none
    class Branch {
      public:
        std::span<const FutureStep> steps() const { return {steps_ + taken_, steps_ + size_}; }
        /// Its races with steps that were run from here on (a depth) need no reversal: of the first
        /// step, where that is the last one, too.
        std::uint32_t settled_from() const {
            return taken_ + 1 == size_ ? settled_from_ : FutureStep::unknown;
        }
        Id child() const { return child_; }  // the first of those that follow its last step
        Id sibling() const { return sibling_; }

      private:
        friend class WakeupTrees;
        FutureStep* steps_ = nullptr;
        std::uint32_t size_ = 0, capacity_ = 0;
        std::uint32_t taken_ = 0;                           // of them, from the front
        std::uint32_t settled_from_ = FutureStep::unknown;  // the last one
        Id child_ = 0, sibling_ = 0;
    };

    const Branch& operator[](Id branch) const { return branches_[branch]; }
    /// Appends an empty branch to a list of siblings.
    [[gnu::hot]] Id append(Id& siblings);
    /// Appends one to what follows a branch.
    Id append_below(Id parent);
    /// Adds a last step to a branch that nothing follows.
    void extend(Id branch, const FutureStep& step) {
        Branch& longer = branches_[branch];
        if (longer.size_ == longer.capacity_) make_room(longer);
        longer.steps_[longer.size_++] = step;
    }
    void settle_last(Id branch, std::uint32_t from) { branches_[branch].settled_from_ = from; }
    /// What comes after the first `count` steps of a branch, and there is some, becomes all that
    /// follows it.
    void split(Id branch, std::size_t count);
    /// Takes the first step of the first of the siblings, and its branch from them. @return what
    /// follows the step
    Id take_first(Id& siblings, FutureStep& step);
    void discard(Id& siblings);

  private:
    [[gnu::hot]] Id make();
    [[gnu::hot]] void release(Id branch);
    void make_room(Branch& branch);

    StepBlocks blocks_;
    std::vector<Branch> branches_{1};
    Sequence<Id> free_;
};

}  // namespace sim
