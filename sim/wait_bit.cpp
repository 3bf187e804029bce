#include "sim/wait_bit.h"

#include "sim/assert.h"
#include "sim/primitive_classes.h"
#include "sim/scheduler.h"
#include "sim/task.h"

namespace sim {

WaitBit::WaitBit(std::uint64_t key) : Object(primitive::wait_bit, key) {}

/// Everybody may see the bit at any time: as before an access of a Lockless object.
void WaitBit::point(OpKind op) const {
    Scheduler& scheduler = current();
    Task& self = scheduler.running();
    if (scheduler.splits_here(self)) scheduler.scheduling_point(op, *this);
    if (self.spin_depth == 0) self.committed = true;
}

void WaitBit::begin_holding() {
    SIM_ASSERT(!is_set_);
    is_set_ = true;
    current().disable(pending_);
    current().sync_access(*this, AccessKind::Acquire);
}

void WaitBit::set() {
    if (current().silent()) return;
    point(OpKind::Acquire);
    begin_holding();
}

bool WaitBit::test_and_set() {
    Scheduler& scheduler = current();
    if (scheduler.silent()) return false;
    point(OpKind::TryAcquire);
    const bool was_set = is_set_;
    if (was_set) {
        scheduler.sync_access(*this, false);
    } else {
        // Who looks does not wait: before the bit was cleared it would have been set.
        scheduler.order(*this, AccessKind::Write, 0);
        begin_holding();
    }
    return was_set;
}

void WaitBit::clear_and_wake_up() {
    Scheduler& scheduler = current();
    if (scheduler.silent()) return;
    point(OpKind::Release);
    SIM_ASSERT(is_set_);
    is_set_ = false;
    scheduler.enable(pending_);
    scheduler.sync_access(*this, AccessKind::Release);
}

bool WaitBit::test() const {
    read();
    return is_set_;
}

void WaitBit::wait(Where where) {
    Scheduler& scheduler = current();
    if (scheduler.silent()) return;
    bool at_point = scheduler.begin_sleeping_call(where);
    Task& self = scheduler.running();
    while (at_point || is_set_) {
        pending_.set(self.slot);
        if (is_set_) scheduler.disable(pending_);
        if (!at_point) scheduler.found_taken(*this);
        scheduler.scheduling_point(OpKind::AcquireShared, *this);
        pending_.reset(self.slot);
        at_point = false;
    }
    scheduler.sync_access(*this, AccessKind::AcquireShared);
    self.committed = true;
}

}  // namespace sim
