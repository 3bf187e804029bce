#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "sim/access_sets.h"

namespace sim {

/// A step that is to be run: whose, and what it is going to touch.
struct FutureStep {
    static constexpr std::uint32_t unknown = ~0U;
    std::uint64_t path = 0;  // the task's name
    AccessSets::Id accesses = 0;
    bool certain = false;         // else it may touch anything
    std::uint32_t task = ~0U;     // its number in most executions
    std::uint32_t own = unknown;  // its task's steps before it
};

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
        std::span<const FutureStep> steps() const { return std::span(steps_).subspan(taken_); }
        /// Its races with steps that were run from here on (a depth) need no reversal: of the first
        /// step, where that is the last one, too.
        std::uint32_t settled_from() const {
            return taken_ + 1 == steps_.size() ? settled_from_ : FutureStep::unknown;
        }
        Id child() const { return child_; }  // the first of those that follow its last step
        Id sibling() const { return sibling_; }

      private:
        friend class WakeupTrees;
        std::vector<FutureStep> steps_;
        std::uint32_t taken_ = 0;                           // of them, from the front
        std::uint32_t settled_from_ = FutureStep::unknown;  // the last one
        Id child_ = 0, sibling_ = 0;
    };

    const Branch& operator[](Id branch) const { return branches_[branch]; }
    /// Appends an empty branch to a list of siblings.
    Id append(Id& siblings);
    /// Appends one to what follows a branch.
    Id append_below(Id parent);
    /// Adds a last step to a branch that nothing follows.
    void extend(Id branch, const FutureStep& step) { branches_[branch].steps_.push_back(step); }
    void settle_last(Id branch, std::uint32_t from) { branches_[branch].settled_from_ = from; }
    /// What comes after the first `count` steps of a branch, and there is some, becomes all that
    /// follows it.
    void split(Id branch, std::size_t count);
    /// Takes the first step of the first of the siblings, and its branch from them. @return what
    /// follows the step
    Id take_first(Id& siblings, FutureStep& step);
    void discard(Id& siblings);

  private:
    Id make();
    void release(Id branch);

    std::vector<Branch> branches_{1};
    std::vector<Id> free_;  // they keep their memory
};

}  // namespace sim
