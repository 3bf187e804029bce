#pragma once
#include "sim/scheduler.h"

namespace sim {

/// A timer: armed, it is an event that may happen at any later moment; under the timed strategy, after its delay.
/// It fires at most `limit` times an execution, however often it is armed again (soundness: a kthread's periodic timer would
/// make executions endless).
class Timer {
  public:
    explicit Timer(const char* label, unsigned limit = 1) : label_(label), limit_(limit) {}
    void arm(std::uint64_t delay_ns, Job expire);
    /// @return whether it was armed
    bool cancel();
    bool armed() const { return armed_; }

  private:
    const char* label_;
    unsigned limit_;
    unsigned fired_ = 0;
    bool armed_ = false;
    std::uint32_t generation_ = 0;
};

}  // namespace sim
