#include "sim/timer.h"

#include "sim/containers.h"

namespace sim {

void Timer::arm(std::uint64_t delay_ns, Job expire) {
    Scheduler& scheduler = current();
    if (scheduler.silent() || armed_ || fired_ == limit_) return;
    armed_ = true;
    ++generation_;
    struct Expiry {
        Timer* timer;
        Job* body;
        std::uint32_t generation;
    };
    const Expiry expiry{this, make<Job>(expire), generation_};
    Task& task = scheduler.spawn(label_, [expiry] {
        Timer& timer = *expiry.timer;
        if (!timer.armed_ || timer.generation_ != expiry.generation) return;  // cancelled, or armed again since
        timer.armed_ = false;
        ++timer.fired_;
        (*expiry.body)();
    }, TaskKind::Timer);
    task.latency_ns = delay_ns;
    task.pending_op = OpKind::Expire;
}

bool Timer::cancel() {
    if (current().silent_noexcept()) return false;
    const bool was_armed = armed_;
    armed_ = false;
    return was_armed;
}

}  // namespace sim
