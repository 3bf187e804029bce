#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "sim/execution.h"

namespace sim {

/// The failing execution with the fewest context switches that was found.
struct FewestSwitches {
    ExecutionResult result;
    std::uint64_t executions = 0;
    /// Whether none of all executions with so few deviations has fewer; otherwise the budget was
    /// used up, and nothing is said about the others.
    bool complete = false;
};

/// Among the executions with at most as many deviations as `failing`, and its signature. First the
/// stretches of its tasks are joined as long as it goes on failing; then all others are searched
/// that may still have fewer switches. One thread, no clock: the answer is the same everywhere
/// (soundness, 15).
/// @param budget  executions
FewestSwitches find_fewest_switches(Execution& execution, const ExecutionResult& failing,
                                    std::uint64_t budget);

}  // namespace sim
