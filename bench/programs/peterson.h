#pragma once
#include "sim/atomic.h"
#include "sim/containers.h"
#include "sim/program.h"
#include "sim/scheduler.h"

namespace programs {

/// Peterson's mutual exclusion of two tasks. Waiting is a limited number of looks, after which a
/// task gives up, so that executions end. With the turn given before the interest is shown both can
/// be inside.
class Peterson final : public sim::Program {
  public:
    enum class Order { InterestFirst, TurnFirst };
    Peterson(unsigned looks, Order order) : looks_(looks), order_(order) {}

    void prepare() override { state_ = sim::make<State>(); }
    void start() override {
        for (unsigned me = 0; me < 2; ++me)
            sim::current().spawn("task", [this, me] { run(me); });
    }
    std::uint64_t state_hash() override { return sim::hash_mix(9, state_->visits.peek()); }

  private:
    struct State {
        sim::Atomic<unsigned> interested[2], turn, inside, visits;
    };

    void run(unsigned me) {
        const unsigned other = 1 - me;
        if (order_ == Order::TurnFirst) state_->turn.store(other);
        state_->interested[me].store(1);
        if (order_ == Order::InterestFirst) state_->turn.store(other);
        if (may_enter(other)) {
            if (state_->inside.add_return(1) != 1)
                sim::violation("exclusion", "both tasks are inside");
            state_->inside.dec();
            state_->visits.inc();
        }
        state_->interested[me].store(0);
    }
    bool may_enter(unsigned other) {
        for (unsigned look = 0; look < looks_; ++look)
            if (state_->interested[other].load() == 0 || state_->turn.load() != other) return true;
        return false;
    }

    unsigned looks_;
    Order order_;
    State* state_ = nullptr;
};

}  // namespace programs
