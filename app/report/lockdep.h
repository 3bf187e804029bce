#pragma once
#include <string>

#include "sim/circular_wait.h"

namespace app::report {

/// A circular wait as the kernel's lockdep would print it, marked as simulated so that nobody takes
/// it for a real one. No line is longer than `width`, but for names.
/// @param what  "scenario replace/001, kernel 5.5"
/// @param circle  not empty
std::string lockdep_text(const sim::CircularWait& circle, const std::string& what,
                         std::size_t width);

}  // namespace app::report
