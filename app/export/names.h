#pragma once
#include <string>

#include "app/export/recorder.h"
#include "app/scenario/scenario.h"

namespace app::exporter {

/// What people call an object of a recorded execution.
/// @param touched  the kind as it was called where it was touched; null: what it says itself
std::string object_name(const Recorded& recorded, std::uint64_t id, const char* touched = nullptr);

/// "lock tree_log_mutex": what a step did. Without an object: the operation alone.
std::string step_name(const Recorded& recorded, std::uint32_t step);

/// The processor of a task: that of the scenario's task that it goes back to.
unsigned cpu_of(const sim::Trace& trace, const scenario::Scenario& scenario, std::uint32_t task);

}  // namespace app::exporter
