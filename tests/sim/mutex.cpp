#include "sim/mutex.h"

#include "tests/sim/support.h"

namespace mutex_test {

namespace {

using tests::explore_all;
using tests::final_values;
using tests::Values;

struct Room {
    sim::Mutex mutex{tests::class_a};
    sim::Mutex inner{tests::class_b};
    tests::Data value;
    unsigned inside = 0;
    std::uint64_t result = 0;
};

void stay_alone(Room& room) {
    const sim::MutexGuard guard(room.mutex);
    if (++room.inside != 1) sim::violation("not-alone", "two tasks hold one mutex");
    sim::current().yield();
    --room.inside;
}

TEST_CASE("a mutex admits one task at a time", "[sim][mutex]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto report = explore_all(
        tests::program<Room>([](const Room&) { return 0; }, {stay_alone, stay_alone, stay_alone}),
        grain);
    CHECK(report.end == sim::SearchEnd::Complete);
    CHECK(report.whole_space);
    CHECK(report.failures.empty());
    CHECK(report.executions >= 6);
}

TEST_CASE("increments under a mutex are never lost, and without it they are", "[sim][mutex]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto digest = [](const Room& room) { return room.value.peek(); };
    const auto locked = [](Room& room) {
        const sim::MutexGuard guard(room.mutex);
        room.value.set(room.value.get() + 1);
    };
    CHECK(final_values(explore_all(tests::program<Room>(digest, {locked, locked, locked}),
                                   grain)) == Values{3});
    const auto unlocked = [](Room& room) { room.value.set(room.value.get() + 1); };
    const auto report =
        explore_all(tests::program<Room>(digest, {unlocked, unlocked, unlocked}), sim::Grain::Fine);
    CHECK(final_values(report) == Values{1, 2, 3});
}

TEST_CASE("any waiter may win a mutex, whatever the order of arrival", "[sim][mutex]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto sign = [](std::uint64_t name) {
        return [name](Room& room) {
            const sim::MutexGuard guard(room.mutex);
            room.result = room.result * 10 + name;
        };
    };
    const auto report =
        explore_all(tests::program<Room>([](const Room& room) { return room.result; },
                                         {sign(1), sign(2), sign(3)}),
                    grain);
    CHECK(final_values(report) == Values{123, 132, 213, 231, 312, 321});
}

TEST_CASE("try_lock fails while somebody holds the mutex, and only then", "[sim][mutex]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto hold = [](Room& room) {
        const sim::MutexGuard guard(room.mutex);
        sim::current().yield();
    };
    const auto attempt = [](Room& room) {
        const bool taken = room.mutex.try_lock();
        if (!taken && !room.mutex.is_locked())
            sim::violation("wrong-answer", "try_lock is wrong about the holder");
        room.result = taken ? 1 : 2;
        if (taken) room.mutex.unlock();
    };
    const auto report = explore_all(
        tests::program<Room>([](const Room& room) { return room.result; }, {hold, attempt}), grain);
    CHECK(final_values(report) == Values{1, 2});
    CHECK(report.failures.empty());
}

TEST_CASE("a mutex that was taken by try_lock excludes others", "[sim][mutex]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto attempt = [](Room& room) {
        if (!room.mutex.try_lock()) return;
        if (++room.inside != 1) sim::violation("not-alone", "two tasks hold one mutex");
        sim::current().yield();
        --room.inside;
        room.mutex.unlock();
    };
    const auto report = explore_all(
        tests::program<Room>([](const Room&) { return 0; }, {attempt, attempt, stay_alone}), grain);
    CHECK(report.failures.empty());
    CHECK(report.whole_space);
}

TEST_CASE("an unlock of a mutex that somebody waits for hands nothing over", "[sim][mutex]") {
    // t1 may take it again although t2 has been waiting all the time.
    const auto grain = GENERATE(tests::both_grains());
    const auto twice = [](Room& room) {
        for (int i = 0; i < 2; ++i) {
            const sim::MutexGuard guard(room.mutex);
            room.result = room.result * 10 + 1;
            sim::current().yield();
        }
    };
    const auto once = [](Room& room) {
        const sim::MutexGuard guard(room.mutex);
        room.result = room.result * 10 + 2;
    };
    const auto report = explore_all(
        tests::program<Room>([](const Room& room) { return room.result; }, {twice, once}), grain);
    CHECK(final_values(report) == Values{112, 121, 211});
}

}  // namespace

}  // namespace mutex_test
