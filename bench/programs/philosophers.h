#pragma once
#include <utility>

#include "sim/containers.h"
#include "sim/mutex.h"
#include "sim/program.h"
#include "sim/scheduler.h"

namespace programs {

/// N philosophers share N forks, one round each: 2^N - 2 traces that end. If each takes the left
/// fork first, one more is the deadlock; if each takes the lower fork first, there is none.
class Philosophers final : public sim::Program {
  public:
    enum class Order { LowerFirst, LeftFirst };
    Philosophers(unsigned count, Order order) : count_(count), order_(order) {}

    void prepare() override {
        table_ = sim::make<Table>();
        for (unsigned i = 0; i < count_; ++i)
            table_->forks.emplace_back(fork, i);
    }
    void start() override {
        for (unsigned i = 0; i < count_; ++i)
            sim::current().spawn("philosopher", [this, i] { eat(i); });
    }
    std::uint64_t state_hash() override {
        std::uint64_t hash = sim::hash_mix(7, table_->meals);
        for (const sim::Mutex& mutex : table_->forks)
            hash = sim::hash_mix(hash, mutex.is_locked() ? 1 : 0);
        return hash;
    }

  private:
    static constexpr unsigned most = 32;
    static constexpr sim::LockClass fork{"fork", 100, 2 * most};

    struct Table {
        sim::Deque<sim::Mutex> forks;
        std::uint64_t meals = 0;
    };

    /// Every acquisition has a lock class of its own: what is looked for is the deadlock, not the
    /// order that allows it.
    void eat(unsigned i) {
        unsigned first = i;
        unsigned second = (i + 1) % count_;
        if (order_ == Order::LowerFirst && second < first) std::swap(first, second);
        table_->forks[first].lock(2 * i);
        table_->forks[second].lock(2 * i + 1);
        ++table_->meals;
        table_->forks[second].unlock();
        table_->forks[first].unlock();
    }

    unsigned count_;
    Order order_;
    Table* table_ = nullptr;
};

}  // namespace programs
