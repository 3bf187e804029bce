#pragma once
#include <cstdint>

#include "sim/object.h"
#include "sim/task.h"

namespace sim {

/// Parts of a whole that end in any order, and what follows the last of them: the kernel's counter
/// whose last atomic_dec_and_test() runs an end function. The function is an event of its own,
/// which is possible once all parts have ended, so that it does not matter which was the last.
class Countdown final : public Object {
  public:
    /// @param label  of the event, a string that outlives the execution
    /// @param job    may destroy the countdown
    Countdown(unsigned parts, const char* label, Job job, std::uint64_t key = 0);
    void count_down();

  private:
    void run();

    Job job_;
    unsigned parts_;
    Task* event_ = nullptr;
};

}  // namespace sim
