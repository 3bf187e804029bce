#pragma once
#include "sim/explorer_split.h"

namespace sim {

/// The search with a self-check of a share of its executions. One worker: which pair is found first
/// must not depend on who was faster.
SearchReport explore_checked(const ProgramFactory& factory, const ExploreOptions& options,
                             const Search& search);

}  // namespace sim
