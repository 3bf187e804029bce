#pragma once
#include "sim/waitqueue.h"

namespace sim {

/// The kernel's struct semaphore: a count that sleepers wait for, first come first served. up()
/// gives to the first sleeper, if there is one, and nobody can come between.
class Semaphore {
  public:
    explicit Semaphore(unsigned count, std::uint64_t key = 0)
        : queue_(key, "semaphore"), count_(count) {}
    void down(Where where = Where::current());
    bool try_down();
    void up();
    unsigned count() const { return count_; }
    std::size_t waiters() const { return queue_.waiters(); }

  private:
    WaitQueue queue_;
    unsigned count_;
};

}  // namespace sim
