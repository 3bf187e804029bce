#pragma once
#include "sim/containers.h"
#include "sim/object.h"
#include "sim/task_set.h"
#include "sim/where.h"

namespace sim {

/// The kernel's struct completion: a count under a lock of its own. Waiting is one operation, which
/// is possible while the count is not 0; a blocked attempt is no step, so to wait and to complete
/// are no race.
class Completion final : public Object {
  public:
    explicit Completion(std::uint64_t key = 0);
    /// Sleeps until complete() has been called once more than it has been waited for. Any waiter
    /// may go on, also one that comes after the call.
    void wait(Where where = Where::current());
    void complete();
    void complete_all();
    bool done() const { return for_all_ || !completed_in_.empty(); }

  private:
    void post(bool for_all);

    TaskSet pending_;                     // at a scheduling point before going on, or waiting there
    Vector<std::uint32_t> completed_in_;  // the steps of the calls that nobody has waited for yet
    bool for_all_ = false;                // the last of them was complete_all()
};

}  // namespace sim
