#pragma once
#include "sim/assert.h"
#include "sim/lockdep.h"
#include "sim/object.h"
#include "sim/task_set.h"
#include "sim/where.h"

namespace sim {

/// What all locks share: identity, class, and the tasks that stand before them.
class Lock : public Object {
  public:
    Lock(const ObjectClass& kind, const LockClass& cls, std::uint64_t key)
        : Object(kind, key), lock_class_(&cls) {}
    const LockClass& lock_class() const { return *lock_class_; }
    /// For a lock whose class depends on what it protects now (the lock of a tree block: its tree
    /// and level).
    void set_lock_class(const LockClass& cls) { lock_class_ = &cls; }
    /// Slot of the exclusive owner, or -1.
    virtual int owner() const { return -1; }

  protected:
    ~Lock() = default;
    /// At a scheduling point before taking this lock, or waiting there.
    TaskSet pending_;

  private:
    const LockClass* lock_class_;
};

}  // namespace sim
