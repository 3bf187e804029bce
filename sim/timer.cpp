#include "sim/timer.h"

#include "sim/containers.h"
#include "sim/primitive_classes.h"

namespace sim {

Timer::Timer(const char* label, unsigned limit)
    : Object(primitive::timer), label_(label), limit_(limit) {}

void Timer::arm(std::uint64_t delay_ns, Job expire) {
    Scheduler& scheduler = current();
    if (scheduler.silent()) return;
    write();
    if (event_ != nullptr || fired_ == limit_) return;
    struct Expiry {
        Timer* timer;
        Job* body;
    };
    const Expiry expiry{this, make<Job>(expire)};
    event_ = &scheduler.spawn_timer(label_, delay_ns, [expiry] {
        Timer& timer = *expiry.timer;
        timer.write();
        timer.event_ = nullptr;
        ++timer.fired_;
        Job body = *expiry.body;
        destroy(expiry.body);
        body();
    });
}

bool Timer::cancel() {
    Scheduler& scheduler = current();
    if (scheduler.silent_noexcept()) return false;
    write();
    if (event_ == nullptr) return false;
    scheduler.withdraw(*event_);
    event_ = nullptr;
    return true;
}

}  // namespace sim
