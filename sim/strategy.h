#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sim/scheduler.h"

namespace sim {

/// A choice: the slot of an enabled task or event, and its position among Scheduler::candidates()
/// (0: the default).
struct Choice {
    unsigned slot = 0;
    std::uint16_t index = 0;
    /// The recorded schedule does not fit this execution: it ends here.
    static constexpr unsigned diverged_slot = ~0U;
    static constexpr Choice diverged() { return {diverged_slot, 0}; }
    /// Nothing new follows from here: an equivalent prefix was searched before.
    static constexpr unsigned cut_slot = ~0U - 1;
    static constexpr Choice cut() { return {cut_slot, 0}; }
};

/// Makes the choices of executions, one after the other.
class Strategy {
  public:
    Strategy() = default;
    virtual ~Strategy() = default;
    Strategy(const Strategy&) = delete;
    Strategy& operator=(const Strategy&) = delete;

    /// Called before each execution. @return false when there is nothing left to run
    virtual bool next_execution() = 0;
    /// Called only when more than one task or event is enabled, unless wants_every_step().
    virtual Choice choose(Scheduler& scheduler) = 0;
    virtual void execution_ended(Outcome outcome, Scheduler& scheduler) {
        static_cast<void>(outcome);
        static_cast<void>(scheduler);
    }
    virtual bool wants_every_step() const { return false; }
    virtual bool wants_fingerprint() const { return false; }
    virtual bool is_timed() const { return false; }
};

}  // namespace sim
