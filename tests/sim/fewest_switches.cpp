#include "sim/fewest_switches.h"

#include "bench/programs/account.h"
#include "tests/sim/support.h"

namespace fewest_switches_test {

namespace {

using programs::Account;
using tests::program_of;

/// By plain search, nothing left out: the fewest switches of a failing execution with this
/// signature.
std::uint32_t fewest_by_enumeration(sim::Execution& execution, std::uint32_t deviations,
                                    const std::string& signature) {
    sim::DfsStrategy search(deviations);
    search.begin({});
    std::uint32_t fewest = ~0U;
    while (search.next_execution()) {
        const sim::ExecutionResult& result = execution.run(search);
        if (result.failed() && result.violation->signature == signature)
            fewest = std::min(fewest, result.switches);
    }
    return fewest;
}

TEST_CASE("no failing execution within the bound has fewer switches than the one found",
          "[sim][fewest]") {
    const auto grain = GENERATE(tests::both_grains());
    const unsigned tasks = GENERATE(2U, 3U);
    sim::Execution execution(program_of<Account>(tasks, Account::Lock::EachAccess),
                             {.grain = grain});
    unsigned failures = 0, shortened = 0;
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
        const auto random = sim::make_random(seed);
        random->next_execution();
        const sim::ExecutionResult failing = execution.run(*random);
        if (!failing.failed() || failing.deviations > 3) continue;
        ++failures;
        const auto found = sim::find_fewest_switches(execution, failing, 1'000'000);
        REQUIRE(found.complete);
        CHECK(found.result.deviations <= failing.deviations);
        CHECK(found.result.violation->signature == failing.violation->signature);
        CHECK(found.result.switches ==
              fewest_by_enumeration(execution, failing.deviations, failing.violation->signature));
        shortened += found.result.switches < failing.switches ? 1 : 0;
        const auto replay = sim::make_replay(found.result.schedule);
        replay->next_execution();
        CHECK(execution.run(*replay).trace_hash == found.result.trace_hash);
    }
    CHECK(failures > 0);
    CHECK((shortened > 0 || tasks == 2));
}

TEST_CASE("out of its budget the search claims nothing", "[sim][fewest]") {
    sim::Execution execution(program_of<Account>(3U, Account::Lock::EachAccess),
                             {.grain = sim::Grain::Fine});
    for (std::uint64_t seed = 0;; ++seed) {
        const auto random = sim::make_random(seed);
        random->next_execution();
        const sim::ExecutionResult failing = execution.run(*random);
        if (!failing.failed()) continue;
        const auto found = sim::find_fewest_switches(execution, failing, 2);
        CHECK_FALSE(found.complete);
        CHECK(found.result.switches <= failing.switches);
        CHECK(found.executions <= 3);
        return;
    }
}

}  // namespace

}  // namespace fewest_switches_test
