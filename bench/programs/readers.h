#pragma once
#include "sim/atomic.h"
#include "sim/containers.h"
#include "sim/program.h"
#include "sim/scheduler.h"

namespace programs {

/// One task writes x, N tasks read it. 2^N traces (Abdulla, Aronis, Jonsson, Sagonas; POPL 2014).
class Readers final : public sim::Program {
  public:
    explicit Readers(unsigned readers) : readers_(readers) {}

    void prepare() override {
        state_ = sim::make<State>();
        state_->seen.resize(readers_);
    }
    void start() override {
        sim::current().spawn("writer", [this] { state_->x.store(1); });
        for (unsigned i = 0; i < readers_; ++i)
            sim::current().spawn("reader", [this, i] { state_->seen[i] = state_->x.load(); });
    }
    std::uint64_t state_hash() override {
        std::uint64_t hash = 6;
        for (const std::uint64_t value : state_->seen)
            hash = sim::hash_mix(hash, value);
        return hash;
    }

  private:
    struct State {
        sim::Atomic<std::uint64_t> x;
        sim::Vector<std::uint64_t> seen;  // each by its reader alone
    };
    unsigned readers_;
    State* state_ = nullptr;
};

}  // namespace programs
