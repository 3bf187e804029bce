#pragma once
#include <cstdint>
#include <vector>

#include "sim/access_sets.h"

namespace sim {

/// A step that is to be run: whose, and what it is going to touch.
struct FutureStep {
    std::uint64_t path = 0;  // the task's name
    AccessSets::Id accesses = 0;
    bool certain = false;      // else it may touch anything
    std::uint32_t task = ~0U;  // its number in most executions
};

/// Wakeup trees (Abdulla, Aronis, Jonsson, Sagonas, POPL 2014): what is still to be run below each
/// prefix, as ordered trees of steps. A pool for the trees of a whole search.
class WakeupTrees {
  public:
    using Id = std::uint32_t;  // of a node; 0: none
    struct Node {
        FutureStep step;
        Id child = 0, sibling = 0;  // first child, next sibling
    };

    const Node& operator[](Id node) const { return nodes_[node]; }
    /// Appends a child to a list of siblings.
    Id append(Id& siblings, const FutureStep& step);
    Id append_below(Id parent, const FutureStep& step);
    /// Takes the first of the siblings away. @return its children
    Id take_first(Id& siblings, FutureStep& step);
    void discard(Id& siblings);

  private:
    std::vector<Node> nodes_{1};
    std::vector<Id> free_;
};

}  // namespace sim
