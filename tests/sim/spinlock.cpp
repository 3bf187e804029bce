#include "sim/spinlock.h"

#include "sim/completion.h"
#include "sim/rwsem.h"
#include "sim/semaphore.h"
#include "sim/waitqueue.h"
#include "tests/sim/support.h"

namespace spinlock_test {

namespace {

using tests::explore_all;
using tests::final_values;
using tests::Values;

struct Desk {
    sim::Spinlock lock{tests::class_a};
    sim::Mutex mutex{tests::class_b};
    sim::RwSem sem{tests::class_c};
    sim::Semaphore count{1};
    sim::Completion completion;
    sim::WaitQueue queue;
    tests::Data value;
    std::uint64_t result = 0;
};

TEST_CASE("increments under a spinlock are never lost", "[sim][spinlock]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto increment = [](Desk& desk) {
        const sim::SpinGuard guard(desk.lock);
        desk.value.set(desk.value.get() + 1);
    };
    const auto report =
        explore_all(tests::program<Desk>([](const Desk& desk) { return desk.value.peek(); },
                                         {increment, increment, increment}),
                    grain);
    CHECK(final_values(report) == Values{3});
    CHECK(report.whole_space);
}

TEST_CASE("a section under a spinlock is one step of the coarse grain and several of the fine one",
          "[sim][spinlock]") {
    const auto section = [](Desk& desk) {
        const sim::SpinGuard guard(desk.lock);
        desk.value.set(desk.value.get() + 1);
    };
    const auto factory = tests::program<Desk>([](const Desk&) { return 0; }, {section, section});
    CHECK(tests::run_once(factory, sim::Grain::Coarse, sim::make_default()).steps == 2);
    CHECK(tests::run_once(factory, sim::Grain::Fine, sim::make_default()).steps == 8);
    CHECK(explore_all(factory, sim::Grain::Coarse).executions == 2);
}

TEST_CASE("try_lock of a spinlock fails while somebody holds it, and only then",
          "[sim][spinlock]") {
    const auto hold = [](Desk& desk) {
        const sim::SpinGuard guard(desk.lock);
        desk.value.set(1);
    };
    const auto attempt = [](Desk& desk) {
        const bool taken = desk.lock.try_lock();
        desk.result = taken ? 1 : 2;
        if (taken) desk.lock.unlock();
    };
    const auto factory =
        tests::program<Desk>([](const Desk& desk) { return desk.result; }, {hold, attempt});
    CHECK(final_values(explore_all(factory, sim::Grain::Fine)) == Values{1, 2});
}

TEST_CASE("whoever waits for a spinlock that try_lock has taken makes no step", "[sim][spinlock]") {
    const auto attempt = [](Desk& desk) {
        if (desk.lock.try_lock()) desk.lock.unlock();
    };
    const auto lock = [](Desk& desk) {
        static_cast<void>(desk.value.get());
        const sim::SpinGuard guard(desk.lock);
    };
    const auto with_try = explore_all(
        tests::program<Desk>([](const Desk&) { return 0; }, {attempt, lock}), sim::Grain::Fine);
    // t1 is T(ry) U(nlock), t2 is R(ead) L(ock) u(nlock). L only where the lock is free; T between
    // L and u fails, and no U follows:
    //   T and U before L, R anywhere beside them    3
    //   T between L and u                           1
    //   T and U after u                             1
    CHECK(with_try.executions == 5);
}

TEST_CASE("sleeping under a spinlock is a violation that names the lock", "[sim][spinlock]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto under_lock = [](void (*sleep)(Desk&)) {
        return [sleep](Desk& desk) {
            const sim::SpinGuard guard(desk.lock);
            sleep(desk);
        };
    };
    const auto sleep = GENERATE(Catch::Generators::values<void (*)(Desk&)>({
        [](Desk& desk) { desk.mutex.lock(); },
        [](Desk& desk) { desk.sem.down_read(); },
        [](Desk& desk) { desk.sem.down_write(); },
        [](Desk& desk) { desk.count.down(); },
        [](Desk& desk) { desk.completion.wait(); },
        [](Desk& desk) { desk.queue.wait_event([] { return true; }); },
        [](Desk& desk) { desk.queue.wait_event([&] { return desk.result == 1; }); },
        [](Desk&) { sim::current().yield(); },
    }));
    const auto report = explore_all(
        tests::program<Desk>([](const Desk&) { return 0; }, {under_lock(sleep)}), grain);
    REQUIRE(tests::signatures(report) == std::vector<std::string>{"sleep-under-spinlock/lock_a"});
    const sim::Violation& violation = *report.failures[0].result.violation;
    CHECK_THAT(violation.text, Catch::Contains("t1 may sleep in") && Catch::Contains("lock_a"));
}

TEST_CASE("waking, trying and queueing work are allowed under a spinlock", "[sim][spinlock]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto busy = [](Desk& desk) {
        const sim::SpinGuard guard(desk.lock);
        desk.queue.wake_up();
        desk.completion.complete();
        if (desk.mutex.try_lock()) desk.mutex.unlock();
        sim::current().spawn("work", [] {});
    };
    const auto report =
        explore_all(tests::program<Desk>([](const Desk&) { return 0; }, {busy}), grain);
    CHECK(report.failures.empty());
}

TEST_CASE("after a spinlock is dropped sleeping is allowed again", "[sim][spinlock]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto sequence = [](Desk& desk) {
        { const sim::SpinGuard guard(desk.lock); }
        const sim::MutexGuard guard(desk.mutex);
        const sim::SpinGuard nested(desk.lock);
    };
    CHECK(explore_all(tests::program<Desk>([](const Desk&) { return 0; }, {sequence, sequence}),
                      grain)
              .failures.empty());
}

}  // namespace

}  // namespace spinlock_test
