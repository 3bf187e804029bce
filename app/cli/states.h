#pragma once
#include "app/cli/recorded.h"

namespace app::cli {

/// The state after so many steps, from an execution that was stopped there: what recordings are
/// held against, since nothing here knows of changes from step to step.
sim::Result<SortedJson, Failure> state_after(const Session& session, const RecordedRun& run,
                                             std::uint32_t steps);

}  // namespace app::cli
