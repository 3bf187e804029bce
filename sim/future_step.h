#pragma once
#include <cstdint>

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

}  // namespace sim
