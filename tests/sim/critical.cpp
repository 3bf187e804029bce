#include "sim/critical.h"

#include "bench/programs/account.h"
#include "tests/sim/support.h"

namespace critical_test {

namespace {

using programs::Account;
using tests::program_of;

/// Whether any of all continuations passes: plain search, nothing left out.
bool some_pass(sim::Execution& execution, const std::vector<std::uint16_t>& choices) {
    sim::DfsStrategy search(sim::DfsStrategy::unbounded);
    search.begin({choices});
    bool pass = false;
    while (search.next_execution())
        pass = execution.run(search).outcome == sim::Outcome::Completed || pass;
    return pass;
}

/// Candidates and steps of a schedule's choice points.
struct Path final : sim::Strategy {
    explicit Path(const sim::Schedule& schedule) : replay(sim::make_replay(schedule)) {}
    bool next_execution() override { return replay->next_execution(); }
    sim::Choice choose(sim::Scheduler& scheduler) override {
        const sim::Choice choice = replay->choose(scheduler);
        choices.push_back(choice.index);
        steps.push_back(scheduler.steps());
        return choice;
    }
    std::unique_ptr<sim::Strategy> replay;
    std::vector<std::uint16_t> choices;
    std::vector<std::uint32_t> steps;
};

TEST_CASE("the critical step is the last one before which something passes", "[sim][critical]") {
    const auto grain = GENERATE(tests::both_grains());
    sim::Execution execution(program_of<Account>(2U, Account::Lock::EachAccess), {.grain = grain});
    unsigned failures = 0;
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
        const auto random = sim::make_random(seed);
        random->next_execution();
        const sim::ExecutionResult failing = execution.run(*random);
        if (!failing.failed()) continue;
        ++failures;
        std::uint64_t executions = 0;
        const auto critical =
            sim::find_critical_step(execution, failing.schedule, 100'000, executions);
        REQUIRE(critical);
        CHECK(critical->exact());
        CHECK(critical->before.passing > 0);
        CHECK(critical->after.passing == 0);
        CHECK(critical->after.failing > 0);
        Path path(failing.schedule);
        path.next_execution();
        execution.run(path);
        const auto at = std::find(path.steps.begin(), path.steps.end(), critical->step);
        REQUIRE(at != path.steps.end());
        std::vector<std::uint16_t> before(path.choices.begin(),
                                          path.choices.begin() + (at - path.steps.begin()));
        CHECK(some_pass(execution, before));
        before.push_back(path.choices[before.size()]);
        CHECK_FALSE(some_pass(execution, before));
    }
    CHECK(failures > 5);
}

TEST_CASE("what always fails has no critical step", "[sim][critical]") {
    sim::Execution execution(tests::program<int>([](const int&) { return 0; },
                                                 {[](int&) { sim::violation("always", "always"); },
                                                  [](int&) { sim::current().yield(); }}),
                             {});
    const auto usual = sim::make_default();
    usual->next_execution();
    const sim::ExecutionResult failing = execution.run(*usual);
    REQUIRE(failing.failed());
    std::uint64_t executions = 0;
    CHECK_FALSE(sim::find_critical_step(execution, failing.schedule, 1000, executions));
    CHECK(executions > 0);
}

TEST_CASE("after the critical step every random continuation fails", "[sim][critical]") {
    sim::Execution execution(program_of<Account>(2U, Account::Lock::EachAccess), {});
    for (std::uint64_t seed = 0; seed < 30; ++seed) {
        const auto random = sim::make_random(seed);
        random->next_execution();
        const sim::ExecutionResult failing = execution.run(*random);
        if (!failing.failed()) continue;
        std::uint64_t executions = 0;
        const auto critical =
            sim::find_critical_step(execution, failing.schedule, 100'000, executions);
        REQUIRE(critical);
        const auto shares = sim::failing_shares(execution, failing.schedule, 20, 50);
        REQUIRE(shares.size() > 1);
        CHECK(shares.front().failing < shares.front().runs);
        CHECK(shares.back().failing == shares.back().runs);
        for (const sim::FailingShare& share : shares)
            if (share.step > critical->step) CHECK(share.failing == share.runs);
    }
}

TEST_CASE("with a small budget nothing is called exact that is not", "[sim][critical]") {
    sim::Execution execution(program_of<Account>(3U, Account::Lock::EachAccess),
                             {.grain = sim::Grain::Fine});
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
        const auto random = sim::make_random(seed);
        random->next_execution();
        const sim::ExecutionResult failing = execution.run(*random);
        if (!failing.failed()) continue;
        std::uint64_t executions = 0, again = 0;
        const auto small = sim::find_critical_step(execution, failing.schedule, 1, executions);
        const auto same = sim::find_critical_step(execution, failing.schedule, 1, again);
        REQUIRE(small.has_value() == same.has_value());
        CHECK(executions == again);
        if (!small) continue;
        CHECK(small->step == same->step);
        CHECK(small->after.passing == 0);
    }
}

}  // namespace

}  // namespace critical_test
