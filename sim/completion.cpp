#include "sim/completion.h"

#include "sim/primitive_classes.h"
#include "sim/scheduler.h"

namespace sim {

Completion::Completion(std::uint64_t key) : Object(primitive::completion, key) {}

void Completion::wait(Where where) {
    Scheduler& scheduler = current();
    if (scheduler.silent()) return;
    bool at_point = scheduler.begin_sleeping_call(where);
    Task& self = scheduler.running();
    while (at_point || !done()) {
        pending_.set(self.slot);
        if (!done()) {
            scheduler.disable(pending_);
        } else {
            self.woken_in = completed_in_.front();
        }
        if (!at_point) scheduler.found_taken(*this);
        scheduler.scheduling_point(OpKind::Wait, *this);
        pending_.reset(self.slot);
        at_point = false;
    }
    if (!for_all_) {
        completed_in_.erase(completed_in_.begin());
        if (!done()) scheduler.disable(pending_);
    }
    scheduler.sync_access(*this, !for_all_);
}

void Completion::complete() {
    post(for_all_);
}

void Completion::complete_all() {
    post(true);
}

void Completion::post(bool for_all) {
    Scheduler& scheduler = current();
    if (scheduler.silent_noexcept()) return;
    if (scheduler.grain() == Grain::Fine) scheduler.release_point(OpKind::Wake, *this);
    if (scheduler.silent_noexcept()) return;
    scheduler.running().committed = true;
    scheduler.sync_access(*this, true);
    const bool opens = !done();
    for_all_ = for_all;
    completed_in_.push_back(scheduler.this_step());
    if (!opens) return;
    pending_.for_each([&](unsigned slot) { scheduler.wake(scheduler.task(slot)); });
}

}  // namespace sim
