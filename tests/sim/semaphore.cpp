#include "sim/semaphore.h"

#include "tests/sim/support.h"

namespace semaphore_test {

namespace {

using tests::explore_all;
using tests::final_values;
using tests::Values;

struct Pool {
    sim::Semaphore one{1};
    sim::Semaphore two{2};
    sim::Semaphore none{0};
    tests::Data data;
    unsigned inside = 0, most = 0;
    std::uint64_t log = 0;
};

std::uint64_t most_inside(const Pool& pool) {
    return pool.most;
}

TEST_CASE("a semaphore admits as many as its count", "[sim][semaphore]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto visit = [](Pool& pool) {
        pool.two.down();
        pool.most = std::max(pool.most, ++pool.inside);
        sim::current().yield();
        --pool.inside;
        pool.two.up();
    };
    const auto report =
        explore_all(tests::program<Pool>(most_inside, {visit, visit, visit}), grain);
    CHECK(report.failures.empty());
    CHECK(final_values(report) == Values{1, 2});
}

TEST_CASE("a semaphore of one protects what is done under it", "[sim][semaphore]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto increment = [](Pool& pool) {
        pool.one.down();
        pool.data.set(pool.data.get() + 1);
        pool.one.up();
    };
    const auto report =
        explore_all(tests::program<Pool>([](const Pool& pool) { return pool.data.peek(); },
                                         {increment, increment, increment}),
                    grain);
    CHECK(report.failures.empty());
    CHECK(report.unordered.empty());
    CHECK(final_values(report) == Values{3});
}

TEST_CASE("trying a semaphore takes it or fails, as one operation", "[sim][semaphore]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto attempt = [](Pool& pool) {
        if (!pool.one.try_down()) return;
        pool.most = std::max(pool.most, ++pool.inside);
        sim::current().yield();
        --pool.inside;
        pool.log += 1;
        pool.one.up();
    };
    const auto report =
        explore_all(tests::program<Pool>([](const Pool& pool) { return pool.most * 10 + pool.log; },
                                         {attempt, attempt}),
                    grain);
    CHECK(report.failures.empty());
    CHECK(final_values(report) == Values{11, 12});
}

TEST_CASE("a semaphore's sleepers are served in the order in which they came", "[sim][semaphore]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto sleeper = [](std::uint64_t name) {
        return [name](Pool& pool) {
            pool.none.down();
            pool.log = pool.log * 10 + name;
        };
    };
    const auto giver = [](Pool& pool) { pool.none.up(); };
    // Default order: t1 sleeps, t2 sleeps, t3 gives one: it is t1's, and nobody who comes later can
    // take it.
    const auto late = [](Pool& pool) {
        if (pool.none.try_down()) pool.log = pool.log * 10 + 4;
    };
    const auto factory = tests::program<Pool>([](const Pool& pool) { return pool.log; },
                                              {sleeper(1), sleeper(2), giver, late});
    CHECK(tests::run_once(factory, grain, sim::make_default()).state_hash == 1 + 1);
    // Whatever happens, exactly one task gets it.
    CHECK(final_values(explore_all(factory, grain)) == Values{1, 2, 4});
}

TEST_CASE("nobody overtakes a sleeper of a semaphore", "[sim][semaphore]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto holder = [](Pool& pool) {
        pool.one.down();
        sim::current().yield();
        pool.one.up();
    };
    const auto visitor = [](Pool& pool) {
        const bool behind = pool.one.waiters() != 0;
        sim::current().yield();
        const std::uint64_t before = pool.log;
        pool.one.down();
        if (behind && pool.log == before && before == 0)
            sim::violation("overtaken", "a sleeper was overtaken");
        pool.log += 1;
        pool.one.up();
    };
    const auto report = explore_all(
        tests::program<Pool>([](const Pool& pool) { return pool.log; }, {holder, visitor, visitor}),
        grain);
    CHECK(report.failures.empty());
    CHECK(final_values(report) == Values{2});
}

}  // namespace

}  // namespace semaphore_test
