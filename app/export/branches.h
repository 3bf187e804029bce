#pragma once
#include "app/export/recorder.h"

namespace app::exporter {

/// What came of taking another candidate at a choice and going on by default from there.
enum class BranchOutcome : std::uint8_t { Unknown, Passes, Fails };

BranchOutcome outcome_of(const sim::ExecutionResult& result);

/// For each choice point and candidate, in order; what the execution itself chose has its own
/// outcome.
using BranchOutcomes = std::vector<std::vector<BranchOutcome>>;

/// Runs the others one by one, the choices nearest to `around` first, until the budget is used up.
/// @param execution  without an observer
/// @param around  step, usually the critical one or the last
BranchOutcomes run_branches(sim::Execution& execution, const Recorded& recorded,
                            std::uint32_t around, std::uint64_t budget);

/// The candidate that was taken.
std::size_t taken(const Recorded& recorded, const ChoicePoint& point);

/// The recorded choices before the point, then the candidate: what a branch follows.
sim::Schedule branch_schedule(const Recorded& recorded, const ChoicePoint& point,
                              std::size_t candidate);

}  // namespace app::exporter
