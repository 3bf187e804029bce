#pragma once
#include "sim/containers.h"
#include "sim/lock.h"

namespace sim {

/// The kernel's struct rw_semaphore: many readers or one writer.
///
/// Waiters queue in order of arrival. A reader that arrives while somebody waits queues behind
/// them; a writer that finds the semaphore free takes it even past waiters (the kernel's lock
/// stealing). All readers at the head of the queue may go together. An attempt that queues is a
/// step, since it holds back later readers.
class RwSem final : public Lock {
  public:
    explicit RwSem(const LockClass& cls, std::uint64_t key = 0);

    void down_read(unsigned subclass = 0, Where where = Where::current());
    void down_write(unsigned subclass = 0, Where where = Where::current());
    bool try_down_read(unsigned subclass = 0, Where where = Where::current());
    bool try_down_write(unsigned subclass = 0, Where where = Where::current());
    void up_read();
    void up_write();
    void downgrade_write();

    bool is_held_for_write_by_current() const;
    bool is_write_locked() const { return writer_ >= 0; }
    bool is_locked() const { return writer_ >= 0 || readers_ > 0; }
    unsigned readers() const { return readers_; }
    bool is_contended() const { return !queue_.empty(); }
    int owner() const override { return writer_; }

  private:
    struct Waiter {
        std::uint16_t slot;
        bool shared;
    };
    bool available(bool shared) const {
        return shared ? writer_ < 0 : writer_ < 0 && readers_ == 0;
    }
    void acquire(bool shared, unsigned subclass, Where where);
    bool try_acquire(bool shared, unsigned subclass, Where where);
    void grant(Attempt attempt, bool shared, unsigned subclass, Where where);
    void release(bool shared);
    /// Whether a queued task may take the semaphore now: by its place in the queue.
    bool may_go(unsigned slot) const;
    void update_waiters();

    int writer_ = -1;
    unsigned readers_ = 0;
    Vector<Waiter> queue_;
};

/// Holds a semaphore for reading for a scope.
class [[nodiscard]] ReadGuard {
  public:
    explicit ReadGuard(RwSem& sem, Where where = Where::current()) : sem_(sem) {
        sem_.down_read(0, where);
    }
    ~ReadGuard() { sem_.up_read(); }
    ReadGuard(const ReadGuard&) = delete;
    ReadGuard& operator=(const ReadGuard&) = delete;

  private:
    RwSem& sem_;
};

/// Holds a semaphore for writing for a scope.
class [[nodiscard]] WriteGuard {
  public:
    explicit WriteGuard(RwSem& sem, Where where = Where::current()) : sem_(sem) {
        sem_.down_write(0, where);
    }
    ~WriteGuard() { sem_.up_write(); }
    WriteGuard(const WriteGuard&) = delete;
    WriteGuard& operator=(const WriteGuard&) = delete;

  private:
    RwSem& sem_;
};

}  // namespace sim
