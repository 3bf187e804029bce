#pragma once
#include "sim/explorer.h"

namespace sim {

/// explore() within a bound, with bounded partial-order reduction (BporStrategy).
SearchReport explore_bounded(const ProgramFactory& factory, const ExploreOptions& options);

}  // namespace sim
