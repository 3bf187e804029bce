#include "sim/flips.h"

#include "bench/programs/account.h"
#include "sim/completion.h"
#include "tests/sim/support.h"

namespace flips_test {

namespace {

using programs::Account;
using tests::program_of;

sim::ExecutionResult run(sim::Execution& execution, const sim::Schedule& schedule) {
    const auto replay = sim::make_replay(schedule);
    replay->next_execution();
    return execution.run(*replay);
}

/// One task publishes before it has written: the other one reads nothing if it is quick.
struct Early {
    tests::Data value;
    sim::Tracked<std::uint64_t> published{tests::lockless_data};
};

sim::ProgramFactory early() {
    return tests::program<Early>([](const Early& state) { return state.value.peek(); },
                                 {[](Early& state) {
                                      state.published.set(1);
                                      state.value.set(7);
                                  },
                                  [](Early& state) {
                                      if (state.published.get() == 0) return;
                                      if (state.value.get() != 7)
                                          sim::violation("early", "read before it was written");
                                  }});
}

TEST_CASE("a pair of steps that passes in the other order is found, and shown by a run",
          "[sim][flips]") {
    sim::Execution execution(early(), {.grain = sim::Grain::Fine});
    const sim::SearchReport found = tests::explore_all(early(), sim::Grain::Fine);
    REQUIRE(found.failures.size() == 1);
    const sim::Schedule& failing = found.failures[0].result.schedule;
    const sim::Flips flips = sim::find_flips(execution, failing, sim::Grain::Fine, 1000);
    CHECK(flips.tried == flips.pairs);
    REQUIRE_FALSE(flips.found.empty());
    for (const sim::Flip& flip : flips.found) {
        const sim::ExecutionResult passing = run(execution, flip.passing);
        CHECK(passing.outcome == sim::Outcome::Completed);
        CHECK(passing.trace_hash == flip.passing_hash);
        CHECK(flip.first < flip.second);
    }
    const sim::Flips none = sim::find_flips(execution, failing, sim::Grain::Fine, 0);
    CHECK(none.found.empty());
    CHECK(none.tried == 0);
}

TEST_CASE("of a deadlock the attempt that never got its lock can come first", "[sim][flips]") {
    // soundness.md 3: `lock m; wait c` beside `lock m; complete c`.
    struct State {
        sim::Mutex lock{tests::class_a};
        sim::Completion done;
    };
    const auto factory =
        tests::program<State>([](const State&) { return 0; }, {[](State& state) {
                                                                   state.lock.lock();
                                                                   state.done.wait();
                                                                   state.lock.unlock();
                                                               },
                                                               [](State& state) {
                                                                   state.lock.lock();
                                                                   state.done.complete();
                                                                   state.lock.unlock();
                                                               }});
    sim::Execution execution(factory, {});
    for (std::uint64_t seed = 0;; ++seed) {
        const auto random = sim::make_random(seed);
        random->next_execution();
        const sim::ExecutionResult failing = execution.run(*random);
        if (failing.outcome != sim::Outcome::Deadlock) continue;
        const sim::Flips flips =
            sim::find_flips(execution, failing.schedule, sim::Grain::Coarse, 1000);
        REQUIRE_FALSE(flips.found.empty());
        for (const sim::Flip& flip : flips.found)
            CHECK(run(execution, flip.passing).outcome == sim::Outcome::Completed);
        return;
    }
}

TEST_CASE("whatever a flip says, its run passes", "[sim][flips]") {
    const auto grain = GENERATE(tests::both_grains());
    sim::Execution execution(program_of<Account>(2U, Account::Lock::EachAccess), {.grain = grain});
    unsigned found = 0;
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        const auto random = sim::make_random(seed);
        random->next_execution();
        const sim::ExecutionResult failing = execution.run(*random);
        if (!failing.failed()) continue;
        for (const sim::Flip& flip :
             sim::find_flips(execution, failing.schedule, grain, 1000).found) {
            ++found;
            REQUIRE(run(execution, flip.passing).outcome == sim::Outcome::Completed);
        }
    }
    CHECK(found > 0);
}

}  // namespace

}  // namespace flips_test
