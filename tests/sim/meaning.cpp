#include "sim/meaning.h"

#include "bench/programs/account.h"
#include "tests/sim/support.h"

namespace meaning_test {

namespace {

using programs::Account;
using tests::program_of;

/// A failing execution of the account, narrated.
sim::ExecutionResult failing_run(sim::Grain grain) {
    sim::Execution execution(program_of<Account>(2U, Account::Lock::EachAccess),
                             {.grain = grain, .narrate = true});
    for (std::uint64_t seed = 0;; ++seed) {
        const auto strategy = sim::make_random(seed);
        strategy->next_execution();
        const sim::ExecutionResult& result = execution.run(*strategy);
        if (result.failed() && result.deviations > 0) return result;
    }
}

sim::ExecutionResult replay(const sim::ProgramFactory& factory, sim::Grain grain,
                            sim::MeaningReplay& strategy) {
    sim::Execution execution(factory, {.grain = grain});
    strategy.next_execution();
    return execution.run(strategy);
}

TEST_CASE("an execution is repeated by the meanings of its steps", "[sim][meaning]") {
    const auto grain = GENERATE(tests::both_grains());
    const sim::ExecutionResult original = failing_run(grain);
    sim::MeaningReplay strategy(sim::meanings(original.trace), sim::OnDivergence::Stop);
    const auto repeated =
        replay(program_of<Account>(2U, Account::Lock::EachAccess), grain, strategy);
    CHECK(strategy.divergences().empty());
    CHECK(repeated.trace_hash == original.trace_hash);
    REQUIRE(repeated.violation);
    CHECK(repeated.violation->signature == original.violation->signature);
}

TEST_CASE("meanings number the same operation of a task", "[sim][meaning]") {
    const auto all = sim::meanings(failing_run(sim::Grain::Fine).trace);
    std::vector<std::uint32_t> locks;
    for (const sim::Meaning& meaning : all)
        if (meaning.task == "depositor" && meaning.op == sim::OpKind::Read)
            locks.push_back(meaning.occurrence);
    for (std::size_t i = 0; i < locks.size(); ++i)
        CHECK(locks[i] == i + 1);
    for (const sim::Meaning& meaning : all)
        CHECK_FALSE(sim::to_string(meaning).empty());
}

TEST_CASE("on a changed program a replay stops, goes on by default, or goes to the nearest step",
          "[sim][meaning]") {
    const auto recorded = sim::meanings(failing_run(sim::Grain::Fine).trace);
    const auto repaired = program_of<Account>(2U, Account::Lock::WholeUpdate);
    SECTION("stop") {
        sim::MeaningReplay strategy(recorded, sim::OnDivergence::Stop);
        CHECK(replay(repaired, sim::Grain::Fine, strategy).outcome ==
              sim::Outcome::Nondeterministic);
        REQUIRE(strategy.divergences().size() == 1);
        CHECK_FALSE(strategy.divergences()[0].recorded.empty());
    }
    SECTION("continue") {
        sim::MeaningReplay strategy(recorded, sim::OnDivergence::Continue);
        CHECK(replay(repaired, sim::Grain::Fine, strategy).outcome == sim::Outcome::Completed);
        CHECK_FALSE(strategy.divergences().empty());
    }
    SECTION("nearest") {
        sim::MeaningReplay strategy(recorded, sim::OnDivergence::Nearest);
        CHECK(replay(repaired, sim::Grain::Fine, strategy).outcome == sim::Outcome::Completed);
        CHECK_FALSE(strategy.divergences().empty());
    }
}

}  // namespace

}  // namespace meaning_test
