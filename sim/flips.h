#pragma once
#include <cstdint>
#include <vector>

#include "sim/execution.h"

namespace sim {

/// Two dependent steps of a failing execution that pass when they come in the other order, all
/// else as it was as nearly as the program allows.
struct Flip {
    static constexpr std::uint32_t not_run = ~0U;
    std::uint32_t first = 0;
    std::uint32_t second = 0;        // not_run: what `task` waited to do at the end
    std::uint32_t task = 0;          // of the second: index of its name
    Schedule passing;                // the execution that showed it
    std::uint64_t passing_hash = 0;  // its trace hash
};

struct Flips {
    std::vector<Flip> found;  // latest first step first
    std::uint64_t pairs = 0;  // that could have come in the other order
    std::uint64_t tried = 0;  // of them, latest first
};

/// Takes the reversible races of the failing execution, and the attempts that were blocked at its
/// end, reverses each by a run of its own, and keeps those where the two steps really came in the
/// other order and nothing failed.
Flips find_flips(Execution& execution, const Schedule& failing, Grain grain, std::uint64_t budget);

}  // namespace sim
