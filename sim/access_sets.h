#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "sim/trace.h"

namespace sim {

/// Whether two accesses of different steps do not commute.
bool conflict(const Access& a, const Access& b);

/// What steps touch, each distinct set kept once and called by its number.
class AccessSets {
  public:
    using Id = std::uint32_t;
    AccessSets();

    /// The set of these accesses: repeated ones count once, a read beside a write of the same is
    /// dropped, order does not show. @return its number
    Id intern(std::span<const Access> accesses);
    std::span<const Access> of(Id id) const;
    /// Whether steps with these sets do not commute.
    bool dependent(Id a, Id b) {
        if (a == 0 || b == 0) return false;
        if (a >= remembered || b >= remembered) return compare(a, b);
        std::uint8_t& known = known_[a * remembered + b];
        if (known == 0) known = compare(a, b) ? 2 : 1;
        return known == 2;
    }

  private:
    static constexpr std::uint32_t remembered = 512;  // sets whose dependence on each other is kept
    struct Set {
        std::uint32_t first = 0, count = 0;
        std::uint64_t hash = 0;
    };
    bool is_scratch(Id id) const;
    Id append(std::uint64_t hash);
    void grow();
    bool compare(Id a, Id b) const;

    std::vector<Access> pool_;
    std::vector<Set> sets_;
    std::vector<Id> table_;            // by hash, open addressing; 0: free
    std::vector<std::uint8_t> known_;  // answers for the first few sets: 0 unknown, 1 no, 2 yes
    std::vector<Access> scratch_;
};

}  // namespace sim
