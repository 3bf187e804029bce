#pragma once
#include <functional>
#include <variant>

#include "app/cli/recorded.h"

namespace app::cli {

/// Calls back with the state after each number of steps from none to all, each from an execution
/// that was stopped there: what recordings are held against, since nothing here knows of changes
/// from step to step.
sim::Result<std::monostate, Failure>
each_state(const Session& session, const RecordedRun& run,
           const std::function<void(std::uint32_t steps, const SortedJson& state)>& seen);

}  // namespace app::cli
