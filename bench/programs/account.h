#pragma once
#include <string>

#include "sim/containers.h"
#include "sim/mutex.h"
#include "sim/program.h"
#include "sim/scheduler.h"

namespace programs {

/// One task deposits, others withdraw, each by reading the balance and writing it back. Without the
/// lock around both an update can be lost, although every single access is protected.
class Account final : public sim::Program {
  public:
    enum class Lock { WholeUpdate, EachAccess };
    Account(unsigned withdrawers, Lock lock) : withdrawers_(withdrawers), lock_(lock) {}

    void prepare() override { account_ = sim::make<State>(); }
    void start() override {
        sim::current().spawn("depositor", [this] { change(100); });
        for (unsigned i = 0; i < withdrawers_; ++i)
            sim::current().spawn("withdrawer", [this] { change(-10); });
    }
    void check_end() override {
        const std::int64_t expected = opening + 100 - 10 * static_cast<std::int64_t>(withdrawers_);
        const std::int64_t balance = account_->balance.peek();
        if (balance != expected)
            sim::violation("balance", "the balance is " + std::to_string(balance) + " instead of " +
                                          std::to_string(expected));
    }
    std::uint64_t state_hash() override {
        return sim::hash_mix(10, static_cast<std::uint64_t>(account_->balance.peek()));
    }

  private:
    static constexpr std::int64_t opening = 1000;
    static constexpr sim::ObjectClass balance_class{"balance", 35};
    static constexpr sim::LockClass account_lock{"account", 1};

    struct State {
        sim::Mutex mutex{account_lock};
        sim::Tracked<std::int64_t> balance{balance_class, opening};
    };

    void change(std::int64_t amount) {
        account_->mutex.lock();
        const std::int64_t before = account_->balance.get();
        if (lock_ == Lock::EachAccess) {
            account_->mutex.unlock();
            account_->mutex.lock();
        }
        account_->balance.set(before + amount);
        account_->mutex.unlock();
    }

    unsigned withdrawers_;
    Lock lock_;
    State* account_ = nullptr;
};

}  // namespace programs
