#pragma once
#include "sim/lock.h"

namespace sim {

/// The kernel's struct mutex: one owner, may sleep, any waiter may win. A blocked attempt is no
/// step.
class Mutex final : public Lock {
  public:
    explicit Mutex(const LockClass& cls, std::uint64_t key = 0);

    /// Sleeps until the mutex is free. @param subclass  lockdep's nesting level
    void lock(unsigned subclass = 0, Where where = Where::current());
    /// @return whether it was free; a failed attempt reads the mutex
    bool try_lock(Where where = Where::current());
    void unlock();
    bool is_held_by_current() const;
    bool is_locked() const { return owner_ >= 0; }
    int owner() const override { return owner_; }

  private:
    void take(Attempt attempt, unsigned subclass, Where where);
    int owner_ = -1;
};

/// Holds a mutex for a scope.
class [[nodiscard]] MutexGuard {
  public:
    explicit MutexGuard(Mutex& mutex, Where where = Where::current()) : mutex_(mutex) {
        mutex_.lock(0, where);
    }
    ~MutexGuard() { mutex_.unlock(); }
    MutexGuard(const MutexGuard&) = delete;
    MutexGuard& operator=(const MutexGuard&) = delete;

  private:
    Mutex& mutex_;
};

}  // namespace sim
