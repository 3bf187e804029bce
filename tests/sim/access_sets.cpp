#include "sim/access_sets.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "sim/rng.h"

namespace access_sets_test {

namespace {

using Accesses = std::vector<sim::Access>;

Accesses random_accesses(sim::Rng& rng) {
    Accesses accesses;
    const std::uint64_t count = rng.below(4);
    for (std::uint64_t i = 0; i < count; ++i) {
        const auto kind = static_cast<sim::AccessKind>(rng.below(10));
        const std::uint64_t key = sim::is_keyed(kind) ? rng.below(2) : 0;
        accesses.push_back({sim::hash_mix(0, rng.below(80)), key, kind});
    }
    return accesses;
}

bool any_conflict(const Accesses& some, const Accesses& others) {
    return std::any_of(some.begin(), some.end(), [&](const sim::Access& one) {
        return std::any_of(others.begin(), others.end(),
                           [&](const sim::Access& other) { return conflict(one, other); });
    });
}

}  // namespace

TEST_CASE("sets of accesses depend on each other where two of their accesses conflict",
          "[sim][dpor]") {
    sim::Rng rng(1);
    sim::AccessSets sets;
    std::vector<Accesses> all;
    std::vector<sim::AccessSets::Id> ids;
    for (int i = 0; i < 900; ++i) {  // more than have their answers kept
        all.push_back(random_accesses(rng));
        ids.push_back(sets.intern(all.back()));
    }
    std::size_t dependent = 0, wrong = 0;
    for (std::size_t a = 0; a < all.size(); ++a)
        for (std::size_t b = 0; b < all.size(); ++b) {
            const bool answer = sets.dependent(ids[a], ids[b]);
            dependent += answer ? 1 : 0;
            wrong += answer != any_conflict(all[a], all[b]) ? 1 : 0;
        }
    CHECK(wrong == 0);
    CHECK(dependent > 1000);
}

}  // namespace access_sets_test
