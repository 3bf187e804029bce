#pragma once
#include "sim/scheduler.h"

namespace sim {

/// A timer: armed, it is an event that may happen at any later moment; under the timed strategy,
/// after its delay. It fires at most `limit` times an execution, however often it is armed again
/// (soundness: a kthread's periodic timer would make executions endless). Arming, cancelling and
/// firing write it.
class Timer final : public Object {
  public:
    explicit Timer(const char* label, unsigned limit = 1);
    /// Does nothing if it is armed already.
    void arm(std::uint64_t delay_ns, Job expire);
    /// @return whether it was armed: then it does not fire any more
    bool cancel();
    bool armed() const { return event_ != nullptr; }

  private:
    const char* label_;
    unsigned limit_;
    unsigned fired_ = 0;
    Task* event_ = nullptr;  // while armed
};

}  // namespace sim
