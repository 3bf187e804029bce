#pragma once
#include "sim/containers.h"
#include "sim/lock.h"
#include "sim/scheduler.h"

namespace sim {

/// The kernel's wait_queue_head_t. Waiters wake in the kernel's order: all ordinary ones, then the first exclusive ones.
class WaitQueue final : public Object {
  public:
    explicit WaitQueue(std::uint64_t key = 0, const char* name = "waitqueue");

    /// Sleeps until `condition()` holds: enqueue, look, sleep, look again, as the kernel's wait_event().
    /// The condition reads tracked state; nobody but a wake-up makes the task look again.
    template <class Condition>
    void wait_event(Condition&& condition, Where where = Where::current()) {
        current().might_sleep(where);
        if (condition()) return;
        for (;;) {
            prepare_to_wait(false);
            if (condition()) break;
            schedule(where);
        }
        finish_wait();
    }
    /// The parts of wait_event(), for loops that the kernel writes by hand.
    void prepare_to_wait(bool exclusive);
    void schedule(Where where = Where::current());
    void finish_wait();

    /// Wakes all ordinary waiters and one exclusive one. Writes the queue even when it is empty.
    void wake_up() { wake(1); }
    void wake_up_all() { wake(0); }
    /// Whether somebody waits: a lockless read of the queue.
    bool waitqueue_active() const;

    const char* name() const { return name_; }

  private:
    struct Waiter {
        std::uint16_t slot;
        bool exclusive;
    };
    void wake(unsigned exclusive_limit);

    const char* name_;
    Vector<Waiter> waiters_;
};

}  // namespace sim
