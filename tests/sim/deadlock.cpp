// What ends an execution besides its tasks' ends: everybody waits, a lock is left behind, or there
// is no end.
#include "sim/rwsem.h"
#include "sim/spinlock.h"
#include "sim/waitqueue.h"
#include "tests/sim/support.h"

namespace deadlock_test {

namespace {

using Catch::Contains;
using tests::explore_all;
using tests::signatures;
using Signatures = std::vector<std::string>;

struct Pair {
    sim::Mutex a{tests::class_a, 1};
    sim::Mutex b{tests::class_b, 2};
    sim::RwSem sem{tests::class_c, 3};
    sim::WaitQueue queue{0, "bell"};
    sim::Atomic<std::uint64_t> flag;
    std::uint64_t done = 0;
};

std::uint64_t done_of(const Pair& pair) {
    return pair.done;
}

void take_a_then_b(Pair& pair) {
    const sim::MutexGuard outer(pair.a);
    const sim::MutexGuard inner(pair.b);
    ++pair.done;
}
void take_b_then_a(Pair& pair) {
    const sim::MutexGuard outer(pair.b);
    const sim::MutexGuard inner(pair.a);
    ++pair.done;
}

const sim::Failure& failure(const sim::SearchReport& report, const std::string& signature) {
    const auto at = std::find_if(report.failures.begin(), report.failures.end(),
                                 [&](const sim::Failure& f) { return f.signature == signature; });
    REQUIRE(at != report.failures.end());
    return *at;
}

TEST_CASE("two mutexes taken in both orders deadlock, and the report tells who holds what where",
          "[sim][deadlock]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto report =
        explore_all(tests::program<Pair>(done_of, {take_a_then_b, take_b_then_a}), grain);
    const sim::Failure& deadlock = failure(report, "deadlock/lock_a+lock_b");
    CHECK(deadlock.result.outcome == sim::Outcome::Deadlock);
    const std::string& text = deadlock.result.violation->text;
    CHECK_THAT(text, Contains("circular wait"));
    CHECK_THAT(text, Contains("t1 waits for lock_b in") && Contains("take_a_then_b"));
    CHECK_THAT(text, Contains("t2 waits for lock_a in") && Contains("take_b_then_a"));
    CHECK_THAT(text, Contains("holds lock_a (taken in") && Contains("holds lock_b (taken in"));
    CHECK_THAT(text, Contains("its owner is t1") && Contains("its owner is t2"));
    // Where it does not come to that, the order of the classes is a finding.
    CHECK(signatures(report) ==
          Signatures{"deadlock/lock_a+lock_b", "lock-order/lock_a", "lock-order/lock_b"});
}

TEST_CASE("two mutexes taken in one order never deadlock", "[sim][deadlock]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto report = explore_all(
        tests::program<Pair>(done_of, {take_a_then_b, take_a_then_b, take_a_then_b}), grain);
    CHECK(report.failures.empty());
    CHECK(tests::final_values(report) == tests::Values{3});
}

TEST_CASE("a deadlock is found with one preemption, its lock order with none", "[sim][deadlock]") {
    const auto factory = tests::program<Pair>(done_of, {take_a_then_b, take_b_then_a});
    const auto grain = GENERATE(tests::both_grains());
    CHECK(signatures(explore_all(factory, grain, 0)) ==
          Signatures{"lock-order/lock_a", "lock-order/lock_b"});
    CHECK(failure(explore_all(factory, grain, 1), "deadlock/lock_a+lock_b").result.deviations == 1);
}

TEST_CASE("a mutex taken twice by one task is a deadlock with itself", "[sim][deadlock]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto twice = [](Pair& pair) {
        const sim::MutexGuard outer(pair.a);
        const sim::MutexGuard inner(pair.a);
    };
    const auto report = explore_all(tests::program<Pair>(done_of, {twice}), grain);
    CHECK(signatures(report) == Signatures{"deadlock/lock_a"});
}

TEST_CASE("a reader's lock can be part of a deadlock", "[sim][deadlock]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto reader = [](Pair& pair) {
        const sim::ReadGuard outer(pair.sem);
        const sim::MutexGuard inner(pair.a);
    };
    const auto writer = [](Pair& pair) {
        const sim::MutexGuard outer(pair.a);
        const sim::WriteGuard inner(pair.sem);
    };
    const auto report = explore_all(tests::program<Pair>(done_of, {reader, writer}), grain);
    CHECK_THAT(failure(report, "deadlock/lock_a+lock_c").result.violation->text,
               Contains("t1 waits for lock_a") && Contains("its owner is t2") &&
                   Contains("t2 waits for lock_c"));
}

TEST_CASE("a reader that waits behind a writer that waits for it is a deadlock",
          "[sim][deadlock]") {
    // The recursive read lock that works until a writer comes between.
    const auto grain = GENERATE(tests::both_grains());
    const auto recursive = [](Pair& pair) {
        pair.sem.down_read();
        sim::current().yield();
        pair.sem.down_read(1);
        pair.sem.up_read();
        pair.sem.up_read();
    };
    const auto writer = [](Pair& pair) { const sim::WriteGuard guard(pair.sem); };
    const auto report = explore_all(tests::program<Pair>(done_of, {recursive, writer}), grain);
    CHECK(signatures(report) == Signatures{"deadlock/lock_c"});
    CHECK(report.failures[0].count < report.executions);
}

TEST_CASE("a daemon can be part of a deadlock", "[sim][deadlock]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto starter = [](Pair& pair) {
        Pair* const shared = &pair;
        sim::current().spawn(
            "kthread", [shared] { take_b_then_a(*shared); }, sim::TaskKind::Daemon);
        take_a_then_b(pair);
    };
    const auto report = explore_all(tests::program<Pair>(done_of, {starter}), grain);
    CHECK_THAT(failure(report, "deadlock/lock_a+lock_b").result.violation->text,
               Contains("t1/kthread#1 waits for lock_a") && Contains("its owner is t1/kthread#1"));
}

TEST_CASE("whoever waits for somebody who will not be woken is reported with him",
          "[sim][deadlock]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto sleeper = [](Pair& pair) {
        const sim::MutexGuard guard(pair.a);
        pair.queue.wait_event([&] { return pair.flag.load() != 0; });
    };
    const auto bystander = [](Pair& pair) { const sim::MutexGuard guard(pair.a); };
    const auto report = explore_all(tests::program<Pair>(done_of, {sleeper, bystander}), grain);
    CHECK(signatures(report) == Signatures{"lost-wakeup/bell", "lost-wakeup/bell+lock_a"});
    CHECK_THAT(failure(report, "lost-wakeup/bell+lock_a").result.violation->text,
               Contains("nobody will wake") && Contains("t1 waits for bell") &&
                   Contains("t2 waits for lock_a"));
}

TEST_CASE("a task that ends with a lock held is a violation", "[sim][deadlock]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto forgetful = [](Pair& pair) { pair.b.lock(); };
    const auto report = explore_all(tests::program<Pair>(done_of, {forgetful}), grain);
    CHECK(signatures(report) == Signatures{"lock-held-at-exit/lock_b"});
    CHECK_THAT(report.failures[0].result.violation->text, Contains("t1") && Contains("lock_b"));
}

TEST_CASE("an execution without an end stops at the step limit, and the search says so",
          "[sim][deadlock]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto endless = [](Pair& pair) {
        while (pair.flag.load() == 0)
            pair.flag.store(0);
    };
    const auto factory = tests::program<Pair>(done_of, {endless});
    sim::Execution execution(factory, {.grain = grain, .max_steps = 50});
    const auto strategy = sim::make_default();
    strategy->next_execution();
    const sim::ExecutionResult& result = execution.run(*strategy);
    CHECK(result.outcome == sim::Outcome::StepLimit);
    CHECK(result.steps == 50);
    CHECK_FALSE(result.failed());

    sim::ExploreOptions options;
    options.execution = {.grain = grain, .max_steps = 50};
    const auto report = sim::explore(factory, options);
    CHECK(report.end == sim::SearchEnd::StepLimit);
    CHECK_FALSE(report.whole_space);
    CHECK_THAT(report.error, Contains("50 steps"));
    REQUIRE(report.unending);
    CHECK(report.unending->steps == 50);
    CHECK(report.unending->trace_hash == result.trace_hash);
}

TEST_CASE("a violation ends the execution, and its signature and text are kept",
          "[sim][deadlock]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto breaker = [](Pair& pair) {
        pair.flag.store(1);
        sim::violation("promise/kept", "the promise was broken");
        pair.done = 99;  // not reached
    };
    const auto report = explore_all(tests::program<Pair>(done_of, {breaker, take_a_then_b}), grain);
    CHECK(signatures(report) == Signatures{"promise/kept"});
    CHECK(report.failures[0].result.violation->text == "the promise was broken");
    CHECK(report.failures[0].result.outcome == sim::Outcome::Violation);
    CHECK(report.final_states.empty());
}

}  // namespace

}  // namespace deadlock_test
