#pragma once
#include "sim/waitqueue.h"

namespace sim {

/// The kernel's struct semaphore: a count that sleepers wait for, first come first served.
class Semaphore {
  public:
    explicit Semaphore(unsigned count, std::uint64_t key = 0) : queue_(key, "semaphore"), count_(count) {}
    void down(Where where = Where::current());
    bool try_down();
    void up();
    unsigned count() const { return count_; }

  private:
    WaitQueue queue_;
    unsigned count_;
};

}  // namespace sim
