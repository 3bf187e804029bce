#include "sim/prefix_cache.h"

#include "bench/programs/counters.h"
#include "tests/sim/random_program.h"

namespace prefix_cache_test {

namespace {

using tests::all_ends;
using tests::Ends;
using tests::program_of;

constexpr std::uint32_t unbounded = sim::DfsStrategy::unbounded;
constexpr std::size_t large = 1 << 16;
constexpr std::size_t tiny = 16;  // forgets nearly everything: costs time only

/// A prefix is cut only if what follows it was searched, so nothing that an execution can end in
/// may be missing.
void compare_with_plain_search(std::uint64_t first_seed, unsigned programs, std::uint64_t most) {
    std::uint64_t plain_executions = 0, cached_executions = 0;
    unsigned compared = 0;
    for (std::uint64_t seed = first_seed; seed < first_seed + programs; ++seed) {
        const tests::Code code = tests::mixed_code(seed);
        for (const sim::Grain grain : {sim::Grain::Coarse, sim::Grain::Fine}) {
            for (const std::uint32_t bound : {0U, 1U, 2U, unbounded}) {
                const Ends plain = all_ends(code, grain, bound, most);
                if (plain.too_many) continue;
                INFO("seed " << seed << ", bound " << static_cast<int>(bound) << '\n'
                             << tests::describe(code));
                CAPTURE(grain);
                for (const std::size_t entries : {large, tiny}) {
                    const Ends cached = all_ends(code, grain, bound, most, entries);
                    CHECK((cached == plain));
                    CHECK(cached.executions <= plain.executions);
                    if (entries == large) cached_executions += cached.executions;
                }
                plain_executions += plain.executions;
                ++compared;
            }
        }
    }
    CHECK(compared > 4 * programs);
    CHECK(cached_executions < plain_executions / 2);
}

TEST_CASE("the cache of prefixes hides no end of a random program, at any bound",
          "[sim][prefix_cache]") {
    compare_with_plain_search(1, tests::sampled(50), 2000);
}

TEST_CASE("the cache of prefixes hides no end of thousands of random programs, at any bound",
          "[sim][prefix_cache][slow]") {
    compare_with_plain_search(2'000'000, 600, 15'000);
}

/// Executions that are not cut, without a bound and with a cache that forgets nothing.
std::uint64_t uncut(const sim::ProgramFactory& factory) {
    sim::ExploreOptions options;
    options.execution.grain = sim::Grain::Fine;
    options.max_deviations = unbounded;
    options.keep_going = true;
    options.cache_entries = large;
    const auto report = sim::explore(factory, options);
    CHECK(report.whole_space);
    return report.executions;
}

TEST_CASE("where steps conflict, one execution of each trace is run to its end",
          "[sim][prefix_cache][classic]") {
    CHECK(uncut(program_of<programs::RacyCounter>(2U, 2U)) == 34);
    CHECK(uncut(program_of<programs::RacyCounter>(2U, 3U)) == 328);
    CHECK(uncut(program_of<programs::RacyCounter>(2U, 4U)) == 3334);
    CHECK(uncut(program_of<programs::AtomicCounter>(2U, 5U)) == 252);
}

TEST_CASE("a cut execution is no failure and no final state", "[sim][prefix_cache]") {
    sim::ExploreOptions options;
    options.execution.grain = sim::Grain::Fine;
    options.max_deviations = unbounded;
    options.keep_going = true;
    options.cache_entries = large;
    options.collect_final_states = true;
    const auto cached = sim::explore(program_of<programs::RacyCounter>(2U, 3U), options);
    options.cache_entries = 0;
    const auto plain = sim::explore(program_of<programs::RacyCounter>(2U, 3U), options);
    CHECK(cached.blocked > 0);
    CHECK(plain.blocked == 0);
    CHECK(cached.final_states == plain.final_states);
    CHECK(cached.failures.empty());
    CHECK(cached.whole_space);
}

TEST_CASE("an entry cuts only what has used no fewer deviations", "[sim][prefix_cache]") {
    sim::PrefixCache cache(64);
    sim::Digest digest;
    digest.mix(1);
    CHECK_FALSE(cache.visited(digest, 2));
    CHECK(cache.visited(digest, 2));
    CHECK(cache.visited(digest, 3));
    CHECK_FALSE(cache.visited(digest, 1));  // more is possible from here
    CHECK(cache.visited(digest, 1));
    cache.clear();
    CHECK_FALSE(cache.visited(digest, 3));
}

}  // namespace

}  // namespace prefix_cache_test
