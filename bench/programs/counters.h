#pragma once
#include <memory>

#include "sim/atomic.h"
#include "sim/containers.h"
#include "sim/execution.h"
#include "sim/program.h"

namespace programs {

/// n tasks, k atomic increments each whose results are observed: the multinomial number of
/// schedules. 2 by 10: 184,756.
class AtomicCounter final : public sim::Program {
  public:
    AtomicCounter(unsigned tasks, unsigned increments) : tasks_(tasks), increments_(increments) {}
    void prepare() override { counter_ = sim::make<sim::Atomic<std::uint64_t>>(); }
    void start() override {
        for (unsigned i = 0; i < tasks_; ++i)
            sim::current().spawn("task", [this] {
                for (unsigned k = 0; k < increments_; ++k)
                    counter_->add_return(1);
            });
    }
    std::uint64_t state_hash() override { return sim::hash_mix(1, counter_->peek()); }

  private:
    unsigned tasks_, increments_;
    sim::Atomic<std::uint64_t>* counter_ = nullptr;
};

/// n tasks, k times: read, then write the value plus 1. 2 by 2: 34 traces.
class RacyCounter final : public sim::Program {
  public:
    RacyCounter(unsigned tasks, unsigned increments) : tasks_(tasks), increments_(increments) {}
    void prepare() override { counter_ = sim::make<sim::Atomic<std::uint64_t>>(); }
    void start() override {
        for (unsigned i = 0; i < tasks_; ++i)
            sim::current().spawn("task", [this] {
                for (unsigned k = 0; k < increments_; ++k)
                    counter_->store(counter_->load() + 1);
            });
    }
    std::uint64_t state_hash() override { return sim::hash_mix(2, counter_->peek()); }

  private:
    unsigned tasks_, increments_;
    sim::Atomic<std::uint64_t>* counter_ = nullptr;
};

}  // namespace programs
