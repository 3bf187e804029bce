#pragma once
#include "sim/primitive_classes.h"
#include "sim/scheduler.h"
#include "sim/waitqueue.h"

namespace sim {

/// The kernel's workqueues: each queued item runs as a task of its own, named after who queued it.
/// Any worker may run any item, and items of one unordered queue run in any order, so nothing is
/// lost by not modelling the workers.
class WorkQueue {
  public:
    explicit WorkQueue(const char* name) : idle_(0, name), queueing_(primitive::workqueue) {}
    /// @param label  the work function's name; outlives the execution
    void queue(const char* label, Job job);
    /// Sleeps until all items queued so far have run; not for those that are queued meanwhile.
    void flush(Where where = Where::current());
    std::size_t pending() const { return pending_.size(); }

  private:
    WaitQueue idle_;
    Object queueing_;  // commutes with itself, not with a flush
    std::uint64_t queued_ = 0;
    Set<std::uint64_t> pending_;  // numbers of the items that have not ended
};

}  // namespace sim
