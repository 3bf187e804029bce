#include "sim/rwsem.h"

#include "tests/sim/support.h"

namespace rwsem_test {

namespace {

using tests::explore_all;
using tests::final_values;
using tests::Values;

struct House {
    sim::RwSem sem{tests::class_a};
    unsigned readers = 0, writers = 0, most_readers = 0;
    std::uint64_t log = 0;
    std::uint64_t result = 0;

    void check() const {
        if (writers > 1 || (writers == 1 && readers != 0))
            sim::violation("not-alone", "a writer is not alone");
    }
};

void read_inside(House& house) {
    const sim::ReadGuard guard(house.sem);
    house.most_readers = std::max(house.most_readers, ++house.readers);
    house.check();
    sim::current().yield();
    --house.readers;
}

void write_inside(House& house) {
    const sim::WriteGuard guard(house.sem);
    ++house.writers;
    house.check();
    sim::current().yield();
    --house.writers;
}

TEST_CASE("readers of a semaphore may be inside together", "[sim][rwsem]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto report =
        explore_all(tests::program<House>([](const House& house) { return house.most_readers; },
                                          {read_inside, read_inside, read_inside}),
                    grain);
    CHECK(final_values(report) == Values{1, 2, 3});
    CHECK(report.failures.empty());
}

TEST_CASE("a writer of a semaphore is alone", "[sim][rwsem]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto report =
        explore_all(tests::program<House>([](const House& house) { return house.most_readers; },
                                          {read_inside, write_inside, read_inside, write_inside}),
                    grain);
    CHECK(final_values(report) == Values{1, 2});
    CHECK(report.failures.empty());
    CHECK(report.whole_space);
}

TEST_CASE("a reader does not join readers whom a writer waits for, but may be there before it",
          "[sim][rwsem]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto write = [](House& house) {
        const sim::WriteGuard guard(house.sem);
        house.log = 1;
    };
    const auto late = [](House& house) {
        sim::current().yield();
        const bool held_back = house.sem.holds_readers_back();
        sim::current().yield();
        const sim::ReadGuard guard(house.sem);
        if (held_back && house.readers != 0)
            sim::violation("joined", "a reader joined those whom a writer waits for");
        house.result = !held_back ? 1 : house.log == 1 ? 2 : 3;
    };
    const auto report =
        explore_all(tests::program<House>([](const House& house) { return house.result; },
                                          {read_inside, write, late}),
                    grain);
    CHECK(report.failures.empty());
    CHECK(final_values(report) == Values{1, 2, 3});  // 3: it has stolen the free semaphore
}

TEST_CASE("a reader that comes in again behind a writer who waits for it is stuck",
          "[sim][rwsem]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto twice = [](House& house) {
        const sim::ReadGuard guard(house.sem);
        sim::current().yield();
        house.sem.down_read(1);
        house.sem.up_read();
    };
    const auto report =
        explore_all(tests::program<House>([](const House& house) { return house.most_readers; },
                                          {twice, write_inside}),
                    grain);
    CHECK(tests::signatures(report) == std::vector<std::string>{"deadlock/lock_a"});
    CHECK(final_values(report) == Values{0});
}

TEST_CASE("whoever waits for a semaphore may have it when it is free", "[sim][rwsem]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto first = [](House& house) {
        const sim::WriteGuard guard(house.sem);
        sim::current().yield();
    };
    const auto reader = [](House& house) {
        const sim::ReadGuard guard(house.sem);
        house.most_readers = std::max(house.most_readers, ++house.readers);
        sim::current().yield();
        house.log = house.log * 10 + 1;
        --house.readers;
    };
    const auto writer = [](House& house) {
        const sim::WriteGuard guard(house.sem);
        house.log = house.log * 10 + 2;
    };
    const auto report =
        explore_all(tests::program<House>(
                        [](const House& house) { return house.log * 10 + house.most_readers; },
                        {first, reader, reader, writer}),
                    grain);
    CHECK(final_values(report) == Values{1121, 1122, 1211, 2111, 2112});
}

TEST_CASE("a writer that becomes a reader lets readers in and keeps writers out", "[sim][rwsem]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto downgrader = [](House& house) {
        house.sem.down_write();
        ++house.writers;
        house.check();
        sim::current().yield();
        --house.writers;
        ++house.readers;
        house.sem.downgrade_write();
        sim::current().yield();
        house.most_readers = std::max(house.most_readers, house.readers);
        --house.readers;
        house.sem.up_read();
    };
    const auto report =
        explore_all(tests::program<House>([](const House& house) { return house.most_readers; },
                                          {downgrader, read_inside, write_inside}),
                    grain);
    CHECK(final_values(report) == Values{1, 2});
    CHECK(report.failures.empty());
}

TEST_CASE("trying a semaphore fails while it is taken, and a reader's try while a writer waits for "
          "readers",
          "[sim][rwsem]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto stay_inside = [](House& house) {  // no reader is ever in the queue
        if (!house.sem.try_down_read()) return;
        sim::current().yield();
        house.sem.up_read();
    };
    const auto try_read = [](House& house) {
        const bool taken = house.sem.try_down_read();
        if (!taken && !house.sem.is_write_locked() && !house.sem.holds_readers_back())
            sim::violation("wrong-answer", "try_down_read is wrong");
        if (taken) house.sem.up_read();
        house.result += taken ? 1 : 2;
    };
    const auto try_write = [](House& house) {
        const bool taken = house.sem.try_down_write();
        if (!taken && !house.sem.is_locked())
            sim::violation("wrong-answer", "try_down_write is wrong");
        if (taken) house.sem.up_write();
        house.result += taken ? 10 : 20;
    };
    const auto report =
        explore_all(tests::program<House>([](const House& house) { return house.result; },
                                          {stay_inside, write_inside, try_read, try_write}),
                    grain);
    CHECK(report.failures.empty());
    CHECK(final_values(report) == Values{11, 12, 21, 22});
}

TEST_CASE("a semaphore that readers and writers wait for is never left to nobody", "[sim][rwsem]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto twice = [](House& house) {
        read_inside(house);
        write_inside(house);
    };
    const auto report =
        explore_all(tests::program<House>([](const House&) { return 0; }, {twice, twice}), grain);
    CHECK(report.failures.empty());
    CHECK(report.whole_space);
}

}  // namespace

}  // namespace rwsem_test
