#include "sim/timer.h"

#include "sim/waitqueue.h"
#include "tests/sim/support.h"

namespace timer_test {

namespace {

using tests::explore_all;
using tests::final_values;
using tests::Values;

struct Clock {
    sim::Timer once{"once"};
    sim::Timer thrice{"thrice", 3};
    sim::Mutex mutex{tests::class_a};
    sim::WaitQueue queue{0, "alarm"};
    sim::Atomic<std::uint64_t> fired;
    sim::Atomic<std::uint64_t> flag;
    sim::Atomic<std::uint64_t> progress;
    std::uint64_t result = 0;
};

TEST_CASE("an armed timer may fire at any later moment, or not before the end", "[sim][timer]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto worker = [](Clock& clock) {
        Clock* const shared = &clock;
        clock.once.arm(1000, [shared] { shared->result = shared->progress.load() + 1; });
        for (int i = 0; i < 3; ++i)
            clock.progress.add_return(1);
    };
    const auto report = explore_all(
        tests::program<Clock>([](const Clock& clock) { return clock.result; }, {worker}), grain);
    CHECK(final_values(report) == Values{0, 1, 2, 3});
    CHECK(report.failures.empty());
}

TEST_CASE("a timer that is never armed does not fire", "[sim][timer]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto worker = [](Clock& clock) { clock.progress.add_return(1); };
    CHECK(explore_all(tests::program<Clock>([](const Clock&) { return 0; }, {worker}), grain)
              .executions == 1);
}

TEST_CASE("a timer fires at most as often as its limit, however often it is armed again",
          "[sim][timer]") {
    const auto grain = GENERATE(tests::both_grains());
    struct Periodic {
        static void arm(Clock* clock) {
            clock->thrice.arm(1000, [clock] {
                clock->fired.add_return(1);
                arm(clock);
            });
        }
    };
    const auto worker = [](Clock& clock) {
        Periodic::arm(&clock);
        for (int i = 0; i < 4; ++i)
            clock.progress.add_return(1);
    };
    const auto report = explore_all(
        tests::program<Clock>([](const Clock& clock) { return clock.fired.peek(); }, {worker}),
        grain);
    CHECK(final_values(report) == Values{0, 1, 2, 3});
    CHECK(report.whole_space);
}

TEST_CASE("a timer that was cancelled in time does not fire, and cancel says which it was",
          "[sim][timer]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto worker = [](Clock& clock) {
        Clock* const shared = &clock;
        clock.once.arm(1000, [shared] { shared->result += 10; });
        clock.progress.add_return(1);
        const bool in_time = clock.once.cancel();
        if (in_time == (clock.result != 0))
            sim::violation("wrong-answer", "cancel is wrong about the timer");
        clock.result += in_time ? 1 : 2;
        clock.progress.add_return(1);
    };
    const auto report = explore_all(
        tests::program<Clock>([](const Clock& clock) { return clock.result; }, {worker}), grain);
    CHECK(report.failures.empty());
    CHECK(final_values(report) == Values{1, 12});
}

TEST_CASE("between an unlock and the cancellation the timer may still fire", "[sim][timer]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto worker = [](Clock& clock) {
        Clock* const shared = &clock;
        clock.once.arm(1000, [shared] { shared->result = 10 + shared->fired.peek(); });
        {
            const sim::MutexGuard guard(clock.mutex);
            clock.fired.poke(1);
        }
        clock.once.cancel();
    };
    const auto report = explore_all(
        tests::program<Clock>([](const Clock& clock) { return clock.result; }, {worker}), grain);
    CHECK(final_values(report) == Values{0, 10, 11});
}

TEST_CASE("a timer can be armed again after it was cancelled", "[sim][timer]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto worker = [](Clock& clock) {
        Clock* const shared = &clock;
        const auto fire = [shared] { shared->fired.add_return(1); };
        clock.once.arm(1000, fire);
        clock.once.cancel();
        clock.once.arm(1000, fire);
        clock.progress.add_return(1);
        clock.progress.add_return(1);
    };
    const auto report = explore_all(
        tests::program<Clock>([](const Clock& clock) { return clock.fired.peek(); }, {worker}),
        grain);
    CHECK(final_values(report) == Values{0, 1});
}

TEST_CASE("a sleeper that a timer wakes is no deadlock, and without the timer it is",
          "[sim][timer]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto sleeper = [](bool armed) {
        return [armed](Clock& clock) {
            Clock* const shared = &clock;
            const auto ring = [shared] {
                shared->flag.store(1);
                shared->queue.wake_up();
            };
            if (armed) clock.once.arm(1000, ring);
            clock.queue.wait_event([&] { return clock.flag.load() != 0; });
        };
    };
    const auto digest = [](const Clock&) { return 0; };
    CHECK(explore_all(tests::program<Clock>(digest, {sleeper(true)}), grain).failures.empty());
    CHECK(tests::signatures(explore_all(tests::program<Clock>(digest, {sleeper(false)}), grain)) ==
          std::vector<std::string>{"lost-wakeup/alarm"});
}

TEST_CASE("an armed timer does not hide a deadlock", "[sim][timer]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto sleeper = [](Clock& clock) {
        Clock* const shared = &clock;
        clock.thrice.arm(1000, [shared] { shared->fired.add_return(1); });  // wakes nobody
        clock.queue.wait_event([&] { return clock.flag.load() != 0; });
    };
    const auto report =
        explore_all(tests::program<Clock>([](const Clock&) { return 0; }, {sleeper}), grain);
    REQUIRE(tests::signatures(report) == std::vector<std::string>{"lost-wakeup/alarm"});
    CHECK(report.failures[0].count == report.executions);
}

}  // namespace

}  // namespace timer_test
