#pragma once
#include "sim/containers.h"
#include "sim/mutex.h"
#include "sim/program.h"
#include "sim/scheduler.h"

namespace programs {

/// Two tasks take two mutexes in opposite orders: a deadlock in some schedules, a finding of the
/// lock order in all others.
class LockInversion final : public sim::Program {
  public:
    void prepare() override { locks_ = sim::make<Locks>(); }
    void start() override {
        sim::current().spawn("forward", [this] { nest(locks_->a, locks_->b); });
        sim::current().spawn("backward", [this] { nest(locks_->b, locks_->a); });
    }
    std::uint64_t state_hash() override { return sim::hash_mix(11, locks_->finished); }

  private:
    static constexpr sim::LockClass class_a{"a", 1};
    static constexpr sim::LockClass class_b{"b", 2};

    struct Locks {
        sim::Mutex a{class_a}, b{class_b};
        unsigned finished = 0;
    };
    void nest(sim::Mutex& first, sim::Mutex& second) {
        const sim::MutexGuard outer(first);
        const sim::MutexGuard inner(second);
        ++locks_->finished;
    }

    Locks* locks_ = nullptr;
};

}  // namespace programs
