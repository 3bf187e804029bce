#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "sim/execution.h"

namespace sim {

/// What was found below a prefix of a schedule.
struct Continuations {
    std::uint64_t passing = 0, failing = 0;
    bool complete = false;  // none is left: all ran, or are equivalent to one that did
    std::uint64_t all() const { return passing + failing; }
};

/// The last step of a failing execution before which something that passes is still possible.
struct CriticalStep {
    std::uint32_t step = 0;
    Continuations before;  // of the prefix without the step: drawn at random
    Continuations after;   // with it: drawn at random, then searched
    /// Whether every continuation after it is known to fail; otherwise none of those that were
    /// tried passes.
    bool exact() const { return after.complete; }
};

/// Looks below prefixes of the schedule for something that passes: the default order, random
/// continuations of fixed seeds, then a search with more and more deviations from the default
/// order. Deterministic.
/// @param budget  executions of the search below one prefix
/// @param executions  is counted up
/// @return nothing when no passing execution was found below any prefix
std::optional<CriticalStep> find_critical_step(Execution& execution, const Schedule& failing,
                                               std::uint64_t budget, std::uint64_t& executions);

/// How many of the random continuations from a step fail.
struct FailingShare {
    std::uint32_t step = 0;
    std::uint64_t failing = 0, runs = 0;
};
/// At choice points spread evenly over the execution, the first and the end among them: where the
/// odds jump.
/// @param columns  how many, at least 2
/// @param samples  continuations of each, of fixed seeds
std::vector<FailingShare> failing_shares(Execution& execution, const Schedule& failing,
                                         std::size_t columns, std::uint64_t samples);

}  // namespace sim
