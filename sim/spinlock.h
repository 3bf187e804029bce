#pragma once
#include "sim/lock.h"

namespace sim {

/// The kernel's spinlock_t (irq variants included). Sleeping under one is a violation.
///
/// In the coarse grain the section is part of one step: nothing is scheduled while it is held.
class Spinlock final : public Lock {
  public:
    explicit Spinlock(const LockClass& cls, std::uint64_t key = 0);

    void lock(unsigned subclass = 0, Where where = Where::current());
    bool try_lock(Where where = Where::current());
    void unlock();
    bool is_locked() const { return owner_ >= 0; }
    bool is_held_by_current() const;
    int owner() const override { return owner_; }

  private:
    int owner_ = -1;
};

/// Holds a spinlock for a scope.
class [[nodiscard]] SpinGuard {
  public:
    explicit SpinGuard(Spinlock& lock, Where where = Where::current()) : lock_(lock) {
        lock_.lock(0, where);
    }
    ~SpinGuard() { lock_.unlock(); }
    SpinGuard(const SpinGuard&) = delete;
    SpinGuard& operator=(const SpinGuard&) = delete;

  private:
    Spinlock& lock_;
};

}  // namespace sim
