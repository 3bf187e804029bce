#include "sim/rwsem.h"

#include <algorithm>

#include "sim/primitive_classes.h"
#include "sim/scheduler.h"
#include "sim/task.h"

namespace sim {
RwSem::RwSem(const LockClass& cls, std::uint64_t key) : Lock(primitive::rwsem, cls, key) {}

void RwSem::wait_point(OpKind op) {
    Scheduler& scheduler = current();
    const unsigned slot = scheduler.running().slot;
    pending_.set(slot);
    if (op == OpKind::Acquire) writers_.set(slot);
    update_waiters();
    scheduler.scheduling_point(op, *this);
    pending_.reset(slot);
    writers_.reset(slot);
}

void RwSem::down_read(unsigned subclass, Where where) {
    Scheduler& scheduler = current();
    if (scheduler.silent()) return;
    bool at_point = scheduler.begin_sleeping_call(where);
    while (at_point || !admits_readers()) {
        if (!at_point) scheduler.found_taken(*this);
        wait_point(OpKind::AcquireShared);
        at_point = false;
    }
    take(Attempt::Waits, true, subclass, where);
}

void RwSem::down_write(unsigned subclass, Where where) {
    Scheduler& scheduler = current();
    if (scheduler.silent()) return;
    bool at_point = scheduler.begin_sleeping_call(where);
    Task& self = scheduler.running();
    while (at_point || is_locked()) {
        if (!at_point && writer_ >= 0) scheduler.found_taken(*this);
        if (!at_point && writer_ < 0) queue_behind_readers();
        wait_point(OpKind::Acquire);
        at_point = false;
    }
    queued_.reset(self.slot);
    take(Attempt::Waits, false, subclass, where);
}

/// How a reader holds it who comes in now.
Holding RwSem::reader_holding() const {
    return queued_.empty() ? Holding::Shared : Holding::SharedAlone;
}

void RwSem::queue_behind_readers() {
    Scheduler& scheduler = current();
    queued_.set(scheduler.running().slot);
    scheduler.sync_access(*this, AccessKind::Queue);
}

void RwSem::take(Attempt attempt, bool shared, unsigned subclass, Where where) {
    Scheduler& scheduler = current();
    if (shared) {
        ++readers_;
    } else {
        writer_ = scheduler.running().slot;
    }
    update_waiters();
    scheduler.lock_acquired(*this, attempt, shared ? reader_holding() : Holding::Exclusive,
                            subclass, where);
}

void RwSem::update_waiters() {
    Scheduler& scheduler = current();
    const auto let = [&](bool go, const TaskSet& tasks) {
        if (go) {
            scheduler.enable(tasks);
        } else {
            scheduler.disable(tasks);
        }
    };
    TaskSet readers = pending_;
    let(admits_readers(), readers.remove(writers_));
    let(writer_ < 0, writers_);  // to take it, or to queue
    if (is_locked()) let(false, writers_ & queued_);
}

void RwSem::try_point() {
    Scheduler& scheduler = current();
    if (scheduler.splits_here(scheduler.running()))
        scheduler.scheduling_point(OpKind::TryAcquire, *this);
}

bool RwSem::try_take(bool possible, bool shared, unsigned subclass, Where where) {
    Scheduler& scheduler = current();
    if (possible) {
        take(Attempt::Tries, shared, subclass, where);
    } else {
        scheduler.running().committed = true;
        scheduler.sync_access(*this, true);  // not even a shared holding commutes with it
    }
    return possible;
}

bool RwSem::try_down_read(unsigned subclass, Where where) {
    Scheduler& scheduler = current();
    if (scheduler.silent()) return true;
    try_point();
    return try_take(admits_readers(), true, subclass, where);
}
bool RwSem::try_down_write(unsigned subclass, Where where) {
    Scheduler& scheduler = current();
    if (scheduler.silent()) return true;
    try_point();
    return try_take(!is_locked(), false, subclass, where);
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
    scheduler.lock_downgraded(*this, reader_holding());
    update_waiters();
}

bool RwSem::is_held_for_write_by_current() const {
    Scheduler& scheduler = current();
    return scheduler.silent_noexcept() || writer_ == scheduler.running_slot();
}

}  // namespace sim
