#pragma once
#include <cstdint>

#include "sim/lock.h"

namespace sim {

enum class OpKind : std::uint8_t;
enum class Holding : std::uint8_t;

/// The kernel's struct rw_semaphore: many readers or one writer.
///
/// A semaphore that is free goes to whoever comes, waiters or not (the kernel's lock stealing, of
/// writers always, of readers since 5.11): any waiter may win, and a blocked attempt is no step.
/// But a writer that finds readers inside queues, which is a step, since it holds back later
/// readers until those inside have left.
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
    /// Whether a writer waits for readers to leave.
    bool holds_readers_back() const { return readers_ > 0 && !queued_.empty(); }
    int owner() const override { return writer_; }

  private:
    Holding reader_holding() const;
    bool admits_readers() const { return writer_ < 0 && !holds_readers_back(); }
    void take(Attempt attempt, bool shared, unsigned subclass, Where where);
    void release(bool shared);
    void wait_point(OpKind op);
    void try_point();
    bool try_take(bool possible, bool shared, unsigned subclass, Where where);
    void queue_behind_readers();
    /// Lets those go on who can take the semaphore, or queue.
    void update_waiters();

    int writer_ = -1;
    unsigned readers_ = 0;
    TaskSet writers_;  // of those that are pending
    TaskSet queued_;   // of these, those that hold readers back
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
