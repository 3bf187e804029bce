#include "sim/lockdep.h"

#include "sim/rwsem.h"
#include "sim/spinlock.h"
#include "tests/sim/support.h"

namespace lockdep_test {

namespace {

using Catch::Contains;
using tests::explore_all;
using tests::signatures;
using Signatures = std::vector<std::string>;

inline constexpr sim::LockClass class_level{"tree", 10, 8};

struct Locks {
    sim::Mutex a{tests::class_a, 1};
    sim::Mutex b{tests::class_b, 2};
    sim::Mutex c{tests::class_c, 3};
    sim::Mutex other_a{tests::class_a, 4};
    sim::Spinlock spin_b{tests::class_b, 5};
    sim::RwSem sem_c{tests::class_c, 6};
    sim::Mutex parent{class_level, 7}, child{class_level, 8};
};

template <sim::Mutex Locks::*Outer, sim::Mutex Locks::*Inner> void nest(Locks& locks) {
    const sim::MutexGuard outer(locks.*Outer);
    const sim::MutexGuard inner(locks.*Inner);
}

sim::ExecutionResult default_run(std::vector<tests::SmallProgram<Locks>::Body> bodies) {
    return tests::run_once(tests::program<Locks>([](const Locks&) { return 0; }, std::move(bodies)),
                           sim::Grain::Coarse, sim::make_default());
}

TEST_CASE("both orders of two classes are reported although nobody deadlocked", "[sim][lockdep]") {
    // One task does both, one after the other: no schedule of this deadlocks.
    const auto both = [](Locks& locks) {
        nest<&Locks::a, &Locks::b>(locks);
        nest<&Locks::b, &Locks::a>(locks);
    };
    const auto result = default_run({both});
    REQUIRE(result.outcome == sim::Outcome::Violation);
    CHECK(result.violation->signature == "lock-order/lock_a");
    CHECK_THAT(result.violation->text,
               Contains("possible circular locking dependency: lock_b -> lock_a -> lock_b") &&
                   Contains("t1 takes lock_a"));
}

TEST_CASE("a cycle of three classes is reported", "[sim][lockdep]") {
    const auto result = default_run(
        {nest<&Locks::a, &Locks::b>, nest<&Locks::b, &Locks::c>, nest<&Locks::c, &Locks::a>});
    REQUIRE(result.outcome == sim::Outcome::Violation);
    CHECK(result.violation->signature == "lock-order/lock_a");
    CHECK_THAT(result.violation->text, Contains("lock_c -> lock_a -> lock_b -> lock_c"));
}

TEST_CASE("an order without a cycle is fine, in whatever combination", "[sim][lockdep]") {
    const auto result = default_run(
        {nest<&Locks::a, &Locks::b>, nest<&Locks::b, &Locks::c>, nest<&Locks::a, &Locks::c>});
    CHECK(result.outcome == sim::Outcome::Completed);
}

TEST_CASE("two locks of one class are reported, unless a subclass tells them apart",
          "[sim][lockdep]") {
    const auto result = default_run({nest<&Locks::a, &Locks::other_a>});
    REQUIRE(result.outcome == sim::Outcome::Violation);
    CHECK(result.violation->signature == "lock-order/lock_a");
    CHECK_THAT(result.violation->text, Contains("lock_a -> lock_a"));

    const auto by_level = [](Locks& locks) {
        locks.parent.lock(1);
        locks.child.lock(0);
        locks.child.unlock();
        locks.parent.unlock();
    };
    CHECK(default_run({by_level, by_level}).outcome == sim::Outcome::Completed);
}

TEST_CASE("levels of one class taken in both orders are reported by name and number",
          "[sim][lockdep]") {
    const auto down = [](Locks& locks) {
        locks.parent.lock(1);
        locks.child.lock(0);
        locks.child.unlock();
        locks.parent.unlock();
    };
    const auto up = [](Locks& locks) {
        locks.child.lock(0);
        locks.parent.lock(1);
        locks.parent.unlock();
        locks.child.unlock();
    };
    const auto result = default_run({down, up});
    REQUIRE(result.outcome == sim::Outcome::Violation);
    CHECK(result.violation->signature == "lock-order/tree");
    CHECK_THAT(result.violation->text, Contains("tree -> tree/1 -> tree"));
}

TEST_CASE("all kinds of locks are in one order", "[sim][lockdep]") {
    const auto one = [](Locks& locks) {
        const sim::ReadGuard outer(locks.sem_c);
        const sim::SpinGuard inner(locks.spin_b);
    };
    const auto result = default_run({nest<&Locks::a, &Locks::c>, one, nest<&Locks::b, &Locks::a>});
    REQUIRE(result.outcome == sim::Outcome::Violation);
    CHECK_THAT(result.violation->text, Contains("lock_b -> lock_a -> lock_c -> lock_b"));
}

TEST_CASE("two spinlocks taken in both orders are a finding in each grain", "[sim][lockdep]") {
    // The coarse grain cannot deadlock here, since a section under a spinlock is one step: the
    // order is what it reports.
    struct Spins {
        sim::Spinlock a{tests::class_a}, b{tests::class_b};
    };
    const auto ab = [](Spins& spins) {
        const sim::SpinGuard outer(spins.a);
        const sim::SpinGuard inner(spins.b);
    };
    const auto ba = [](Spins& spins) {
        const sim::SpinGuard outer(spins.b);
        const sim::SpinGuard inner(spins.a);
    };
    const auto factory = tests::program<Spins>([](const Spins&) { return 0; }, {ab, ba});
    CHECK(signatures(explore_all(factory, sim::Grain::Coarse)) ==
          Signatures{"lock-order/lock_a", "lock-order/lock_b"});
    CHECK(signatures(explore_all(factory, sim::Grain::Fine)) ==
          Signatures{"deadlock/lock_a+lock_b", "lock-order/lock_a", "lock-order/lock_b"});
}

TEST_CASE("an execution's order is forgotten with it", "[sim][lockdep]") {
    // Each execution takes one order only, chosen by who comes first.
    struct Once {
        sim::Mutex a{tests::class_a}, b{tests::class_b};
        sim::Atomic<std::uint64_t> first;
    };
    const auto task = [](std::uint64_t name) {
        return [name](Once& once) {
            std::uint64_t nobody = 0;
            if (!once.first.compare_exchange(nobody, name)) return;
            const sim::MutexGuard outer(name == 1 ? once.a : once.b);
            const sim::MutexGuard inner(name == 1 ? once.b : once.a);
        };
    };
    const auto report =
        explore_all(tests::program<Once>([](const Once&) { return 0; }, {task(1), task(2)}),
                    sim::Grain::Coarse);
    CHECK(report.failures.empty());
    CHECK(report.executions > 1);
}

}  // namespace

}  // namespace lockdep_test
