#pragma once
#include <functional>

#include "sim/explorer.h"

namespace sim {

using Search = std::function<SearchReport(const ProgramFactory&, const ExploreOptions&)>;

/// Runs the search; where it comes to its end and accesses of Locked objects had no order, so that
/// steps were merged that must not be, again with those kinds of objects split (soundness, 9).
/// Which kinds that are is a set over all executions of a search, so it does not depend on workers.
SearchReport explore_splitting(const ProgramFactory& factory, const ExploreOptions& options,
                               const Search& search);

/// Whether a bound of a search is the last that is worth searching: it is going to begin anew.
inline bool begins_anew(const SearchReport& report, const ExploreOptions& options) {
    return options.split_unordered && !report.unordered_kinds.empty();
}

}  // namespace sim
