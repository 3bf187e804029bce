#include "app/report/lockdep.h"

#include "bench/programs/philosophers.h"
#include "sim/rwsem.h"
#include "tests/sim/support.h"

namespace report_lockdep_test {

using app::report::lockdep_text;

namespace {

struct Locks {
    sim::RwSem a{tests::class_a, 4096};
    sim::RwSem b{tests::class_b};
};

/// The first deadlock of a search, as it is shown.
sim::CircularWait deadlock_of(const sim::ProgramFactory& factory) {
    const auto report = tests::explore_all(factory, sim::Grain::Fine);
    for (const sim::Failure& failure : report.failures)
        if (failure.signature.starts_with("deadlock/")) return failure.result.violation->circle;
    FAIL("no deadlock");
    return {};
}

}  // namespace

TEST_CASE("A circle of locks is shown as lockdep would show it", "[app][report]") {
    const auto take_a = [](Locks& locks) {
        const sim::ReadGuard first(locks.a, sim::Where::current("", "lookup"));
        const sim::WriteGuard second(locks.b, sim::Where::current("", "update"));
    };
    const auto take_b = [](Locks& locks) {
        const sim::WriteGuard first(locks.b, sim::Where::current("", "balance"));
        const sim::WriteGuard second(locks.a, sim::Where::current("", "relocate"));
    };
    const auto circle =
        deadlock_of(tests::program<Locks>([](const Locks&) { return 0; }, {take_a, take_b}));
    REQUIRE(circle.size() == 2);
    const std::string step_a = std::to_string(circle[0].holds.step),
                      step_b = std::to_string(circle[1].holds.step);
    const bool a_first = circle[0].holds.step < circle[1].holds.step;
    const std::string row_a = "   rlock(lock_a 4096);\n",
                      row_b = "                           lock(lock_b);\n";
    CHECK(lockdep_text(circle, "scenario s/1, kernel 6.1", 66) ==
          std::string(54, '=') + " [simulated]\n" +
              "possible circular locking dependency, scenario s/1, kernel 6.1\n"
              "task t1 wants           (lock_b, write)         in update()\n"
              "  while it holds        (lock_a 4096, read)     taken at step " +
              step_a +
              " in lookup()\n"
              "existing order, newest first:\n"
              "-> #1 (lock_a 4096, write)    waits       t2: relocate()\n"
              "-> #0 (lock_b, write)         step " +
              step_b +
              "      t2: balance()\n"
              "   CPU0                    CPU1\n"
              "   ----                    ----\n" +
              (a_first ? row_a + row_b : row_b + row_a) +
              "                           lock(lock_a 4096);\n"
              "   lock(lock_b);\n"
              "               *** DEADLOCK ***\n"
              "1 lock held by t1 (CPU0), 1 lock held by t2 (CPU1)\n");
}

TEST_CASE("A circle of many tasks names each lock twice, and stays within its width",
          "[app][report]") {
    using programs::Philosophers;
    const auto circle =
        deadlock_of(tests::program_of<Philosophers>(4U, Philosophers::Order::LeftFirst));
    REQUIRE(circle.size() == 4);
    for (std::size_t i = 0; i < circle.size(); ++i)
        CHECK(circle[i].wants.key == circle[(i + 1) % circle.size()].holds.key);
    const std::string text = lockdep_text(circle, "scenario s/1, kernel 6.1", 75);
    std::size_t at = 0, locks = 0;
    while ((at = text.find("lock(", at)) != std::string::npos)
        ++locks, ++at;
    CHECK(locks == 8);
    for (std::size_t begin = 0; begin < text.size(); begin = text.find('\n', begin) + 1)
        if (text.compare(begin, 6, "1 lock") != 0) CHECK(text.find('\n', begin) - begin <= 75);
}

TEST_CASE("What waits for no lock has no circle", "[app][report]") {
    struct Queue {
        sim::Mutex m{tests::class_a};
    };
    const auto twice = [](Queue& queue) {
        sim::current().violation("other", "");
        (void)queue;
    };
    const auto report = tests::explore_all(
        tests::program<Queue>([](const Queue&) { return 0; }, {twice}), sim::Grain::Fine);
    REQUIRE(report.failures.size() == 1);
    CHECK(report.failures[0].result.violation->circle.empty());
}

}  // namespace report_lockdep_test
