#include "sim/countdown.h"

#include "sim/assert.h"
#include "sim/primitive_classes.h"
#include "sim/scheduler.h"

namespace sim {

Countdown::Countdown(unsigned parts, const char* label, Job job, std::uint64_t key)
    : Object(primitive::countdown, key), job_(job), parts_(parts) {
    SIM_ASSERT(parts != 0);
    Scheduler& scheduler = current();
    event_ = &scheduler.spawn_completion(label, 0, 0, [this] { run(); });
    TaskSet event;
    event.set(event_->slot);
    scheduler.disable(event);
}

void Countdown::count_down() {
    Scheduler& scheduler = current();
    if (scheduler.silent_noexcept()) return;
    if (scheduler.grain() == Grain::Fine) scheduler.release_point(OpKind::Release, *this);
    if (scheduler.silent_noexcept()) return;
    SIM_ASSERT(parts_ != 0);
    scheduler.running().committed = true;
    scheduler.sync_access(*this, AccessKind::ReleaseShared);
    if (--parts_ == 0) scheduler.wake(*event_);
}

void Countdown::run() {
    current().sync_access(*this, AccessKind::Acquire);
    Job job = job_;
    job();
}

}  // namespace sim
