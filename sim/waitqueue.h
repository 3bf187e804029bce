#pragma once
#include "sim/containers.h"
#include "sim/lock.h"
#include "sim/scheduler.h"

namespace sim {

/// The kernel's wait_queue_head_t. Waiters wake in the kernel's order: all ordinary ones, then the
/// first exclusive ones.
class WaitQueue final : public Object {
  public:
    explicit WaitQueue(std::uint64_t key = 0, const char* name = "waitqueue");

    /// Sleeps until `condition()` holds: enqueue, look, sleep, look again, as the kernel's
    /// wait_event(). The condition reads tracked state; nobody but a wake-up makes the task look
    /// again.
    template <class Condition>
    void wait_event(Condition&& condition, Where where = Where::current()) {
        current().might_sleep(where);
        if (condition()) return;
        for (;;) {
            // In the coarse grain no point: the look before does not count, since another follows.
            if (current().grain() == Grain::Fine) wait_point();
            enqueue(false);
            if (condition()) break;
            schedule(where);
        }
        finish_wait();
    }
    /// The parts of wait_event(), for loops that the kernel writes by hand.
    void prepare_to_wait(bool exclusive) {
        wait_point();
        enqueue(exclusive);
    }
    void schedule(Where where = Where::current());
    void finish_wait();

    /// Wakes all ordinary waiters and one exclusive one. Writes the queue even when it is empty.
    /// @return how many exclusive ones
    unsigned wake_up() { return wake(1); }
    unsigned wake_up_all() { return wake(0); }
    /// Whether somebody waits: a lockless read of the queue.
    bool waitqueue_active() const;

    /// Joins the queue without a point of its own: for primitives that look and queue as one
    /// operation.
    void enqueue(bool exclusive);
    std::size_t waiters() const { return waiters_.size(); }

    const char* name() const { return name_; }

  private:
    struct Waiter {
        std::uint16_t slot;
        bool exclusive;
    };
    void wait_point();
    unsigned wake(unsigned exclusive_limit);

    const char* name_;
    Vector<Waiter> waiters_;
};

}  // namespace sim
