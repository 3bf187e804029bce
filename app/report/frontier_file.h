#pragma once
#include "app/report/token.h"
#include "sim/explorer.h"

namespace app::report {

/// A part of a plan: its search runs alone, and what it finds for others waits for `merge`.
struct Shard {
    std::uint64_t plan = 0;              // digest of what was split
    std::uint32_t index = 0, count = 0;  // from 1; 0: the whole search
    friend bool operator==(const Shard&, const Shard&) = default;
};

/// A search that is not over (.ilfr): what it searches, how far it came, what is left.
struct FrontierFile {
    Token token;                   // of the default execution: scenario, kernel, grain
    std::uint32_t deviations = 0;  // the bound that was asked for
    bool bound_accepted = false;
    std::uint32_t max_steps = 0;
    bool keep_going = false;
    Shard shard;
    sim::SavedSearch search;
};

/// JSON with a checksum.
std::string to_text(const FrontierFile& file);
sim::Result<FrontierFile, TokenError> parse_frontier(std::string_view text);
bool looks_like_frontier(std::string_view text);

}  // namespace app::report
