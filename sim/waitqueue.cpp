#include "sim/waitqueue.h"

#include <algorithm>

#include "sim/primitive_classes.h"

namespace sim {

WaitQueue::WaitQueue(std::uint64_t key, const char* name)
    : Object(primitive::waitqueue, key), name_(name) {}

void WaitQueue::wait_point() {
    Scheduler& scheduler = current();
    if (scheduler.silent()) return;
    if (scheduler.splits_here(scheduler.running())) scheduler.scheduling_point(OpKind::Wait, *this);
}

void WaitQueue::enqueue(bool exclusive) {
    Scheduler& scheduler = current();
    if (scheduler.silent()) return;
    Task& self = scheduler.running();
    const bool queued = std::any_of(waiters_.begin(), waiters_.end(),
                                    [&](const Waiter& w) { return w.slot == self.slot; });
    if (!queued) {
        // Exclusive waiters queue at the end, the others at the front, as add_wait_queue and its
        // exclusive form do.
        const Waiter waiter{self.slot, exclusive};
        waiters_.insert(exclusive ? waiters_.end() : waiters_.begin(), waiter);
    }
    self.blocked_on = this;
    scheduler.sync_access(*this, true);
}

void WaitQueue::schedule(Where where) {
    Scheduler& scheduler = current();
    if (scheduler.silent()) return;
    scheduler.might_sleep(where);
    Task& self = scheduler.running();
    if (self.blocked_on != this) return;  // woken between enqueueing and here
    scheduler.block(*this, where);
}

void WaitQueue::finish_wait() {
    Scheduler& scheduler = current();
    if (scheduler.silent()) return;
    Task& self = scheduler.running();
    self.blocked_on = nullptr;
    const auto removed =
        std::erase_if(waiters_, [&](const Waiter& w) { return w.slot == self.slot; });
    scheduler.sync_access(*this, removed != 0);  // it has looked whether it was still queued
}

unsigned WaitQueue::wake(unsigned exclusive_limit) {
    Scheduler& scheduler = current();
    if (scheduler.silent_noexcept()) return 0;
    if (scheduler.grain() == Grain::Fine) scheduler.release_point(OpKind::Wake, *this);
    if (scheduler.silent_noexcept()) return 0;
    scheduler.running().committed = true;
    scheduler.sync_access(*this, true);
    unsigned exclusive_woken = 0;
    for (std::size_t i = 0; i < waiters_.size();) {
        const Waiter waiter = waiters_[i];
        if (waiter.exclusive && exclusive_limit != 0 && exclusive_woken == exclusive_limit) break;
        exclusive_woken += waiter.exclusive ? 1 : 0;
        waiters_.erase(waiters_.begin() + static_cast<std::ptrdiff_t>(i));
        scheduler.wake(scheduler.task(waiter.slot));
    }
    return exclusive_woken;
}

bool WaitQueue::waitqueue_active() const {
    read();
    return !waiters_.empty();
}

}  // namespace sim
