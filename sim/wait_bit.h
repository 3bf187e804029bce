#pragma once
#include <cstdint>

#include "sim/object.h"
#include "sim/task_set.h"
#include "sim/where.h"

namespace sim {

enum class OpKind : std::uint8_t;

/// A bit that somebody sets, somebody else may clear, and others wait for: the kernel's
/// wait_on_bit() and clear_and_wake_up_bit() on one bit of a word. To set it begins a holding that
/// clearing it ends; to wait is to pass between two holdings. A blocked wait is no step, so to wait
/// and to clear are no race; to wait and to set are.
class WaitBit final : public Object {
  public:
    explicit WaitBit(std::uint64_t key = 0);
    /// Sets the bit, which is clear. Like all of these a lockless access.
    void set();
    /// @return whether the bit was set before; then this has only looked
    bool test_and_set();
    void clear_and_wake_up();
    bool test() const;
    /// Sleeps until the bit is clear.
    void wait(Where where = Where::current());
    /// Looks without an access: for checks and reports, never for the model's own decisions.
    bool peek() const { return is_set_; }

  private:
    void point(OpKind op) const;
    void begin_holding();

    bool is_set_ = false;
    TaskSet pending_;  // at a scheduling point before going on, or waiting there
};

}  // namespace sim
