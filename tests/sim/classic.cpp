// The programs of the literature, small enough for plain depth-first search: their numbers of
// traces (counted as classes of all schedules), final states and failures.
#include "bench/programs/account.h"
#include "bench/programs/bounded_buffer.h"
#include "bench/programs/counters.h"
#include "bench/programs/file_system.h"
#include "bench/programs/indexer.h"
#include "bench/programs/last_zero.h"
#include "bench/programs/lock_inversion.h"
#include "bench/programs/peterson.h"
#include "bench/programs/philosophers.h"
#include "bench/programs/readers.h"
#include "tests/sim/support.h"

namespace classic_test {

namespace {

using tests::count_classes;
using tests::explore_all;
using tests::program_of;
using tests::signatures;
using Signatures = std::vector<std::string>;

TEST_CASE("the atomic counter has as many traces as schedules: the multinomial", "[sim][classic]") {
    const auto two = count_classes(program_of<programs::AtomicCounter>(2U, 4U));
    CHECK(two.schedules == 70);  // 8! / (4! 4!)
    CHECK(two.complete == 70);
    const auto three = count_classes(program_of<programs::AtomicCounter>(3U, 2U));
    CHECK(three.schedules == 90);  // 6! / (2! 2! 2!)
    CHECK(three.complete == 90);
}

TEST_CASE("the racy counter has 34, 328 and 3,334 traces", "[sim][classic]") {
    const auto [increments, traces] =
        GENERATE(table<unsigned, std::size_t>({{2, 34}, {3, 328}, {4, 3334}}));
    CHECK(count_classes(program_of<programs::RacyCounter>(2U, increments)).complete == traces);
}

TEST_CASE("the racy counter of five increments has 34,904 traces", "[sim][classic][slow]") {
    CHECK(count_classes(program_of<programs::RacyCounter>(2U, 5U)).complete == 34904);
}

TEST_CASE("n readers beside a writer have 2^n traces in (n + 1)! schedules", "[sim][classic]") {
    std::uint64_t factorial = 2;
    for (unsigned n = 1; n <= 6; ++n, factorial *= n + 1) {
        const auto counts = count_classes(program_of<programs::Readers>(n));
        CHECK(counts.schedules == factorial);
        CHECK(counts.complete == std::size_t{1} << n);
    }
}

TEST_CASE("lastzero(n) has (n + 3) * 2^(n - 2) traces", "[sim][classic]") {
    for (unsigned n = 2; n <= 4; ++n)
        CHECK(count_classes(program_of<programs::LastZero>(n)).complete ==
              (n + 3) * (1U << (n - 2)));
}

TEST_CASE("lastzero(5) has 64 traces", "[sim][classic][slow]") {
    CHECK(count_classes(program_of<programs::LastZero>(5U)).complete == 64);
}

TEST_CASE("ordered philosophers have 2^n - 2 traces and no deadlock", "[sim][classic]") {
    using programs::Philosophers;
    for (unsigned n = 2; n <= 3; ++n) {
        const auto counts =
            count_classes(program_of<Philosophers>(n, Philosophers::Order::LowerFirst));
        CHECK(counts.complete == (1U << n) - 2);
        CHECK(counts.deadlocked == 0);
    }
}

TEST_CASE("four philosophers have 14 traces and, unless ordered, one deadlock",
          "[sim][classic][slow]") {
    using programs::Philosophers;
    const auto ordered =
        count_classes(program_of<Philosophers>(4U, Philosophers::Order::LowerFirst));
    CHECK(ordered.complete == 14);
    CHECK(ordered.deadlocked == 0);
    const auto unordered =
        count_classes(program_of<Philosophers>(4U, Philosophers::Order::LeftFirst));
    CHECK(unordered.complete == 14);
    CHECK(unordered.deadlocked == 1);
}

TEST_CASE("philosophers who all take the left fork first have 2^n - 2 traces and one deadlock",
          "[sim][classic]") {
    using programs::Philosophers;
    for (unsigned n = 2; n <= 3; ++n) {
        const auto factory = program_of<Philosophers>(n, Philosophers::Order::LeftFirst);
        const auto counts = count_classes(factory);
        CHECK(counts.complete == (1U << n) - 2);
        CHECK(counts.deadlocked == 1);
        const auto report = explore_all(factory, sim::Grain::Coarse);
        REQUIRE(signatures(report) == Signatures{"deadlock/fork"});
        CHECK_THAT(report.failures[0].result.violation->text, Catch::Contains("circular wait"));
        CHECK(report.final_states.size() == 2);  // everybody has eaten, or nobody
    }
}

TEST_CASE("the philosophers' deadlock takes one preemption, however many they are",
          "[sim][classic]") {
    // The first is preempted between its forks; from the last to the second each takes one and
    // blocks at the next, which is free.
    using programs::Philosophers;
    for (unsigned n = 2; n <= 5; ++n) {
        sim::ExploreOptions options;
        options.max_deviations = 2;
        const auto report =
            sim::explore(program_of<Philosophers>(n, Philosophers::Order::LeftFirst), options);
        REQUIRE(report.end == sim::SearchEnd::Found);
        CHECK(report.bound == 1);
        CHECK(report.failures[0].result.deviations == 1);
        CHECK(sim::explore(program_of<Philosophers>(n, Philosophers::Order::LowerFirst), options)
                  .failures.empty());
    }
}

TEST_CASE("file-system tasks that share nothing have one trace", "[sim][classic]") {
    const auto counts = count_classes(program_of<programs::FileSystem>(2U));
    CHECK(counts.complete == 1);
    CHECK(counts.schedules > 1000);
}

TEST_CASE("each task of file-system gets a block of its own, whatever the schedule",
          "[sim][classic]") {
    // Four inodes and two blocks: tasks 0 and 1 both begin at block 0.
    const auto two = program_of<programs::FileSystem>(2U, 4U, 2U);
    CHECK(explore_all(two, sim::Grain::Coarse).final_states.size() == 2);
    const auto coarse = explore_all(two, sim::Grain::Coarse);
    CHECK(coarse.failures.empty());
    CHECK(coarse.unordered.empty());
    // Two tasks of one inode: the second finds it done. Only which block it is could differ, and it
    // does not.
    const auto one_inode = program_of<programs::FileSystem>(2U, 1U, 4U);
    CHECK(explore_all(one_inode, sim::Grain::Fine).final_states.size() == 2);
}

TEST_CASE("two tasks of file-system that meet at one block have two traces", "[sim][classic]") {
    // They touch the same block's lock, one after the other; the second goes on to the next block.
    CHECK(count_classes(program_of<programs::FileSystem>(2U, 4U, 2U)).complete == 2);
}

TEST_CASE("indexer tasks whose words fall into different cells have one trace", "[sim][classic]") {
    const auto counts = count_classes(program_of<programs::Indexer>(3U, 2U));
    CHECK(counts.complete == 1);
    CHECK(counts.schedules == 90);
}

TEST_CASE("indexer tasks that meet in a cell have a trace for each order", "[sim][classic]") {
    // One cell too many for as many words: who comes first takes the cell, the others go on.
    const auto counts = count_classes(program_of<programs::Indexer>(2U, 1U, 7U));
    // 7w mod 7 is 0 for all: both want cell 0, the second takes cell 1.
    CHECK(counts.complete == 2);
    CHECK(explore_all(program_of<programs::Indexer>(3U, 1U, 7U), sim::Grain::Fine)
              .final_states.size() == 6);
}

TEST_CASE("a bounded buffer with a queue for either side always ends", "[sim][classic]") {
    using programs::BoundedBuffer;
    const auto grain = GENERATE(tests::both_grains());
    const auto report =
        explore_all(program_of<BoundedBuffer>(1U, 1U, 2U, 1U, BoundedBuffer::Queues::Two), grain);
    CHECK(report.failures.empty());
    CHECK(report.unordered.empty());
    CHECK(report.final_states.size() == 1);
    const auto more = explore_all(
        program_of<BoundedBuffer>(2U, 2U, 1U, 1U, BoundedBuffer::Queues::Two), grain, 2);
    CHECK(more.failures.empty());
}

TEST_CASE("a bounded buffer with one queue for both sides loses wake-ups", "[sim][classic]") {
    using programs::BoundedBuffer;
    const auto report =
        explore_all(program_of<BoundedBuffer>(2U, 2U, 2U, 1U, BoundedBuffer::Queues::One),
                    sim::Grain::Coarse, 2);
    REQUIRE(signatures(report) == Signatures{"lost-wakeup/not_full"});
    CHECK(explore_all(program_of<BoundedBuffer>(2U, 2U, 2U, 1U, BoundedBuffer::Queues::Two),
                      sim::Grain::Coarse, 2)
              .failures.empty());
}

TEST_CASE("Peterson's algorithm excludes, and does not when the turn is given first",
          "[sim][classic]") {
    using programs::Peterson;
    const auto grain = GENERATE(tests::both_grains());
    CHECK(explore_all(program_of<Peterson>(2U, Peterson::Order::InterestFirst), grain)
              .failures.empty());
    CHECK(signatures(explore_all(program_of<Peterson>(2U, Peterson::Order::TurnFirst), grain)) ==
          Signatures{"exclusion"});
}

TEST_CASE("an account loses updates unless the lock is around the whole of each",
          "[sim][classic]") {
    using programs::Account;
    const auto grain = GENERATE(tests::both_grains());
    CHECK(explore_all(program_of<Account>(2U, Account::Lock::WholeUpdate), grain).failures.empty());
    const auto broken = explore_all(program_of<Account>(2U, Account::Lock::EachAccess), grain);
    CHECK(signatures(broken) == Signatures{"balance"});
    CHECK(broken.unordered.empty());  // no data race: every access is protected
    CHECK(broken.final_states.size() == 1);
}

TEST_CASE("a lock inversion deadlocks, or is reported where it does not", "[sim][classic]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto report = explore_all(program_of<programs::LockInversion>(), grain);
    CHECK(signatures(report) == Signatures{"deadlock/a+b", "lock-order/a", "lock-order/b"});
    std::uint64_t failures = 0;
    for (const sim::Failure& failure : report.failures)
        failures += failure.count;
    CHECK(failures == report.executions);
}

}  // namespace

}  // namespace classic_test
