#pragma once

namespace sim {

/// Prints what went wrong, the seed and schedule of the running execution and what to send, then
/// exits with 70.
[[noreturn]] void assertion_failed(const char* expression, const char* file, int line);

}  // namespace sim

/// The simulator itself is wrong when this fails; never used for what the filesystem under study
/// may do.
#define SIM_ASSERT(expression)                                                                     \
    ((expression) ? static_cast<void>(0) : ::sim::assertion_failed(#expression, __FILE__, __LINE__))
