#pragma once
#include "sim/atomic.h"

namespace sim {

/// The kernel's refcount_t: going up from zero or below zero is a violation.
class RefCount {
  public:
    explicit RefCount(std::uint32_t value = 1, std::uint64_t key = 0) : count_(value, key) {}
    void inc();
    /// @return false if it was zero
    bool inc_not_zero();
    /// @return whether this was the last reference
    bool dec_and_test();
    std::uint32_t peek() const { return count_.peek(); }

  private:
    Atomic<std::uint32_t> count_;
};

}  // namespace sim
