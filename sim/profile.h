#pragma once
#include <cstdint>
#include <map>

#include "sim/execution.h"

namespace sim {

/// What a program's default run is like: what strategies need to know of an execution before it
/// begins.
struct Profile {
    std::uint32_t tasks = 0;  // and events
    std::uint32_t steps = 0;
    /// Steps of a task and of all that it caused, by the task's path.
    std::map<std::uint64_t, std::uint32_t> steps_below;
};

/// Runs the default schedule once.
Profile profile_of(Execution& execution);

}  // namespace sim
