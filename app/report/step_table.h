#pragma once
#include <string>

#include "app/report/columns.h"
#include "sim/trace.h"

namespace app::report {

/// Every step of a narrated execution in a line of its own, each task in its column: what `run
/// --trace` prints.
std::string step_table(const sim::Trace& trace, const Columns& columns);

}  // namespace app::report
