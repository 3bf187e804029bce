#pragma once
#include "sim/explorer.h"

namespace sim {

/// explore() with a reduction: one execution of each Mazurkiewicz trace, or each transition once.
SearchReport explore_reduced(const ProgramFactory& factory, const ExploreOptions& options);

}  // namespace sim
