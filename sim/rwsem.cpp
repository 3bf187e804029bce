#include "sim/rwsem.h"

#include <algorithm>

#include "sim/primitive_classes.h"
#include "sim/scheduler.h"

namespace sim {
namespace {

template <class Waiters> bool writer_waits(const Waiters& queue) {
    return std::any_of(queue.begin(), queue.end(),
                       [](const auto& waiter) { return !waiter.shared; });
}

}  // namespace

RwSem::RwSem(const LockClass& cls, std::uint64_t key) : Lock(primitive::rwsem, cls, key) {}

void RwSem::acquire(bool shared, unsigned subclass, Where where) {
    Scheduler& scheduler = current();
    if (scheduler.silent()) return;
    scheduler.might_sleep(where);
    Task& self = scheduler.running();
    self.blocked_where = where;
    const OpKind op = shared ? OpKind::AcquireShared : OpKind::Acquire;
    if (scheduler.splits_here(self) || self.held_count > 0) scheduler.scheduling_point(op, *this);

    // A reader lets a writer pass who came first; a writer steals a free semaphore. Readers at the
    // head of the queue of a semaphore without a writer have it as good as got: nobody waits for
    // them.
    if (!available(shared) || (shared && writer_waits(queue_))) {
        queue_.push_back({self.slot, shared});
        scheduler.sync_access(*this, true);
        self.blocked_on = this;
        TaskSet me;
        me.set(self.slot);
        do {
            if (!may_go(self.slot)) scheduler.disable(me);
            scheduler.scheduling_point(op, *this);
        } while (!may_go(self.slot));
        self.blocked_on = nullptr;
        std::erase_if(queue_, [&](const Waiter& waiter) { return waiter.slot == self.slot; });
    }
    grant(Attempt::Waits, shared, subclass, where);
}

bool RwSem::may_go(unsigned slot) const {
    bool readers_only = true;
    for (const Waiter& waiter : queue_) {
        if (waiter.slot == slot)
            return available(waiter.shared) &&
                   (waiter.shared ? readers_only : &waiter == &queue_.front());
        readers_only = readers_only && waiter.shared;
    }
    return false;
}

void RwSem::grant(Attempt attempt, bool shared, unsigned subclass, Where where) {
    Scheduler& scheduler = current();
    if (shared) {
        ++readers_;
    } else {
        writer_ = scheduler.running().slot;
    }
    update_waiters();
    scheduler.lock_acquired(*this, attempt, shared, subclass, where);
}

void RwSem::update_waiters() {
    Scheduler& scheduler = current();
    for (const Waiter& waiter : queue_) {
        TaskSet one;
        one.set(waiter.slot);
        if (may_go(waiter.slot)) {
            scheduler.enable(one);
        } else {
            scheduler.disable(one);
        }
    }
}

void RwSem::down_read(unsigned subclass, Where where) {
    acquire(true, subclass, where);
}
void RwSem::down_write(unsigned subclass, Where where) {
    acquire(false, subclass, where);
}

bool RwSem::try_acquire(bool shared, unsigned subclass, Where where) {
    Scheduler& scheduler = current();
    if (scheduler.silent()) return true;
    Task& self = scheduler.running();
    if (scheduler.splits_here(self)) scheduler.scheduling_point(OpKind::TryAcquire, *this);
    if (available(shared) && !(shared && writer_waits(queue_))) {
        grant(Attempt::Tries, shared, subclass, where);
        return true;
    }
    self.committed = true;
    scheduler.sync_access(*this, true);  // not even a shared holding commutes with it
    return false;
}

bool RwSem::try_down_read(unsigned subclass, Where where) {
    return try_acquire(true, subclass, where);
}
bool RwSem::try_down_write(unsigned subclass, Where where) {
    return try_acquire(false, subclass, where);
}

void RwSem::release(bool shared) {
    Scheduler& scheduler = current();
    if (scheduler.silent_noexcept()) return;
    if (scheduler.grain() == Grain::Fine) scheduler.release_point(OpKind::Release, *this);
    if (scheduler.silent_noexcept()) return;
    if (shared) {
        SIM_ASSERT(readers_ > 0);
        --readers_;
    } else {
        SIM_ASSERT(is_held_for_write_by_current());
        writer_ = -1;
    }
    scheduler.lock_released(*this);
    update_waiters();
}

void RwSem::up_read() {
    release(true);
}
void RwSem::up_write() {
    release(false);
}

void RwSem::downgrade_write() {
    Scheduler& scheduler = current();
    if (scheduler.silent_noexcept()) return;
    SIM_ASSERT(is_held_for_write_by_current());
    writer_ = -1;
    readers_ = 1;
    scheduler.running().committed = true;
    scheduler.sync_access(*this, true);
    update_waiters();
}

bool RwSem::is_held_for_write_by_current() const {
    Scheduler& scheduler = current();
    return scheduler.silent_noexcept() || writer_ == scheduler.running_slot();
}

}  // namespace sim
