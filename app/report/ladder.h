#pragma once
#include <string>

#include "app/report/columns.h"
#include "sim/trace.h"

namespace app::report {

struct LadderOptions {
    std::size_t width = 75;  // no line is longer
    bool full = false;       // leave nothing out
    std::size_t lines = 60;  // about how many, when things are left out
    std::string finding;     // what the execution is about: the violation's text
};

/// The diagram that kernel commit messages draw by hand: CPUs side by side, time downwards, nested
/// functions and what each did.
/// @param trace  of a narrated execution
std::string ladder(const sim::Trace& trace, const Columns& columns, const LadderOptions& options);

}  // namespace app::report
