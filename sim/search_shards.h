#pragma once
#include <optional>
#include <string>
#include <vector>

#include "sim/explorer.h"

namespace sim {

/// Splits what is left of a search among shards that run apart: each gets every so-manieth branch.
/// The first one carries what was counted and found before. Races that a shard finds above its own
/// branches ask for branches there that no shard runs: they wait for merge_shards().
std::vector<SavedSearch> split_search(const SavedSearch& search, std::size_t shards);

/// What all shards of a plan have come to, when each has run its branches: totals, and as branches
/// to run what they asked for outside their own parts and none of them ran.
SavedSearch merge_shards(const std::vector<SavedSearch>& shards);

}  // namespace sim
