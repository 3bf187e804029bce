#include "sim/mutex.h"

#include "sim/primitive_classes.h"
#include "sim/scheduler.h"

namespace sim {

Mutex::Mutex(const LockClass& cls, std::uint64_t key) : Lock(primitive::mutex, cls, key) {}

void Mutex::lock(unsigned subclass, Where where) {
    Scheduler& scheduler = current();
    if (scheduler.silent()) return;
    bool at_point = scheduler.begin_sleeping_call(where);
    Task& self = scheduler.running();
    while (at_point || owner_ >= 0) {
        pending_.set(self.slot);
        if (owner_ >= 0) scheduler.disable(pending_);
        if (!at_point) scheduler.found_taken(*this);
        scheduler.scheduling_point(OpKind::Acquire, *this);
        pending_.reset(self.slot);
        at_point = false;
    }
    take(Attempt::Waits, subclass, where);
}

bool Mutex::try_lock(Where where) {
    Scheduler& scheduler = current();
    if (scheduler.silent()) return true;
    Task& self = scheduler.running();
    if (scheduler.splits_here(self)) scheduler.scheduling_point(OpKind::TryAcquire, *this);
    if (owner_ < 0) {
        take(Attempt::Tries, 0, where);
        return true;
    }
    self.committed = true;
    scheduler.sync_access(*this, false);
    return false;
}

void Mutex::take(Attempt attempt, unsigned subclass, Where where) {
    Scheduler& scheduler = current();
    owner_ = scheduler.running().slot;
    scheduler.disable(pending_);
    scheduler.lock_acquired(*this, attempt, Holding::Exclusive, subclass, where);
}

void Mutex::unlock() {
    Scheduler& scheduler = current();
    if (scheduler.silent_noexcept()) return;
    if (scheduler.grain() == Grain::Fine) scheduler.release_point(OpKind::Release, *this);
    if (scheduler.silent_noexcept()) return;
    SIM_ASSERT(is_held_by_current());
    owner_ = -1;
    scheduler.enable(pending_);
    scheduler.lock_released(*this);
}

bool Mutex::is_held_by_current() const {
    Scheduler& scheduler = current();
    return scheduler.silent_noexcept() || owner_ == scheduler.running_slot();
}

}  // namespace sim
