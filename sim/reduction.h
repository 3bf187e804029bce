#pragma once
#include <cstdint>

namespace sim {

/// Which executions a search may leave out.
enum class Reduction : std::uint8_t {
    None,   ///< none
    Sleep,  ///< sleep sets (Godefroid 1996): no transition twice, every state
    Dpor,   ///< all but one of each Mazurkiewicz trace: optimal dynamic partial-order reduction
};

}  // namespace sim
