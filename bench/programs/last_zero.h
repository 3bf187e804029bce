#pragma once
#include "sim/atomic.h"
#include "sim/containers.h"
#include "sim/program.h"
#include "sim/scheduler.h"

namespace programs {

/// Task 0 looks for the last zero of an array of N + 1, from the end downwards, while task j of N
/// sets element j to its left neighbour plus 1. (N + 3) * 2^(N-2) traces (Abdulla, Aronis, Jonsson,
/// Sagonas; POPL 2014).
class LastZero final : public sim::Program {
  public:
    explicit LastZero(unsigned writers) : writers_(writers) {}

    void prepare() override {
        state_ = sim::make<State>();
        for (unsigned i = 0; i <= writers_; ++i)
            state_->array.emplace_back(0, i);
    }
    void start() override {
        sim::current().spawn("reader", [this] {
            unsigned at = writers_;
            while (state_->array[at].load() != 0)
                --at;
            state_->found = at;
        });
        for (unsigned j = 1; j <= writers_; ++j)
            sim::current().spawn(
                "writer", [this, j] { state_->array[j].store(state_->array[j - 1].load() + 1); });
    }
    std::uint64_t state_hash() override {
        std::uint64_t hash = sim::hash_mix(5, state_->found);
        for (const auto& element : state_->array)
            hash = sim::hash_mix(hash, element.peek());
        return hash;
    }

  private:
    struct State {
        sim::Deque<sim::Atomic<std::uint64_t>> array;
        std::uint64_t found = 0;
    };
    unsigned writers_;
    State* state_ = nullptr;
};

}  // namespace programs
