#include "sim/spinlock.h"

#include "sim/primitive_classes.h"
#include "sim/scheduler.h"

namespace sim {

Spinlock::Spinlock(const LockClass& cls, std::uint64_t key) : Lock(primitive::spinlock, cls, key) {}

void Spinlock::lock(unsigned subclass, Where where) {
    Scheduler& scheduler = current();
    if (scheduler.silent()) return;
    Task& self = scheduler.running();
    self.blocked_where = where;
    bool at_point = scheduler.splits_here(self);
    while (at_point || owner_ >= 0) {
        pending_.set(self.slot);
        if (owner_ >= 0) scheduler.disable(pending_);
        if (!at_point) scheduler.found_taken(*this);
        scheduler.scheduling_point(OpKind::Acquire, *this);
        pending_.reset(self.slot);
        at_point = false;
    }
    owner_ = self.slot;
    scheduler.disable(pending_);
    scheduler.lock_acquired(*this, Attempt::Waits, Holding::Exclusive, subclass, where);
    scheduler.spinlock_taken();
}

bool Spinlock::try_lock(Where where) {
    Scheduler& scheduler = current();
    if (scheduler.silent()) return true;
    Task& self = scheduler.running();
    if (scheduler.splits_here(self)) scheduler.scheduling_point(OpKind::TryAcquire, *this);
    if (owner_ >= 0) {
        self.committed = true;
        scheduler.sync_access(*this, false);
        return false;
    }
    owner_ = self.slot;
    scheduler.disable(pending_);
    scheduler.lock_acquired(*this, Attempt::Tries, Holding::Exclusive, 0, where);
    scheduler.spinlock_taken();
    return true;
}

void Spinlock::unlock() {
    Scheduler& scheduler = current();
    if (scheduler.silent_noexcept()) return;
    if (scheduler.grain() == Grain::Fine) scheduler.release_point(OpKind::Release, *this);
    if (scheduler.silent_noexcept()) return;
    SIM_ASSERT(is_held_by_current());
    owner_ = -1;
    scheduler.enable(pending_);
    scheduler.lock_released(*this);
    scheduler.spinlock_dropped();
}

bool Spinlock::is_held_by_current() const {
    Scheduler& scheduler = current();
    return scheduler.silent_noexcept() || owner_ == scheduler.running_slot();
}

}  // namespace sim
