#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sim/scheduler.h"

namespace sim {

/// Makes the choices of executions, one after the other.
class Strategy {
  public:
    Strategy() = default;
    virtual ~Strategy() = default;
    Strategy(const Strategy&) = delete;
    Strategy& operator=(const Strategy&) = delete;

    /// Called before each execution. @return false when there is nothing left to run
    virtual bool next_execution() = 0;
    /// @return the slot of an enabled task or event. Called only when more than one is enabled, unless wants_every_step()
    virtual unsigned choose(Scheduler& scheduler) = 0;
    virtual void execution_ended(Outcome outcome, Scheduler& scheduler) {
        static_cast<void>(outcome);
        static_cast<void>(scheduler);
    }
    virtual bool wants_every_step() const { return false; }
    virtual bool is_timed() const { return false; }
};

}  // namespace sim
