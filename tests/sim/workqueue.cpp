#include "sim/workqueue.h"

#include "tests/sim/support.h"

namespace workqueue_test {

namespace {

using tests::explore_all;
using tests::final_values;
using tests::Values;

struct Shop {
    sim::WorkQueue queue{"shop"};
    sim::Mutex mutex{tests::class_a};
    tests::Data first, second, third;
    std::uint64_t log = 0;
};

std::uint64_t log_of(const Shop& shop) {
    return shop.log;
}

TEST_CASE("a flush returns when all items queued before it have run, and sees what they did",
          "[sim][workqueue]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto boss = [](Shop& shop) {
        Shop* const shared = &shop;
        shop.queue.queue("first", [shared] { shared->first.set(1); });
        shop.queue.queue("second", [shared] { shared->second.set(2); });
        shop.queue.flush();
        shop.log = shop.first.get() * 10 + shop.second.get();
    };
    const auto report = explore_all(tests::program<Shop>(log_of, {boss}), grain);
    CHECK(report.failures.empty());
    CHECK(report.unordered.empty());
    CHECK(report.whole_space);
    CHECK(final_values(report) == Values{12});
}

TEST_CASE("items of a work queue run in any order", "[sim][workqueue]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto boss = [](Shop& shop) {
        Shop* const shared = &shop;
        const auto item = [shared](std::uint64_t name) {
            return [shared, name] {
                const sim::MutexGuard guard(shared->mutex);
                shared->log = shared->log * 10 + name;
            };
        };
        for (std::uint64_t name = 1; name <= 3; ++name)
            shop.queue.queue("item", item(name));
        shop.queue.flush();
        shop.log *= 10;
    };
    const auto report = explore_all(tests::program<Shop>(log_of, {boss}), grain);
    CHECK(final_values(report) == Values{1230, 1320, 2130, 2310, 3120, 3210});
}

TEST_CASE("a flush does not wait for what is queued while it waits", "[sim][workqueue]") {
    const auto grain = GENERATE(tests::both_grains());
    // The item queues itself again; with a wait for those the flush might see the second round, and
    // must not have to.
    const auto boss = [](Shop& shop) {
        Shop* const shared = &shop;
        shop.queue.queue("item", [shared] {
            shared->log += 1;
            shared->queue.queue("again", [shared] {
                const sim::MutexGuard guard(shared->mutex);
                shared->log += 1;
            });
        });
        shop.queue.flush();
        const sim::MutexGuard guard(shop.mutex);
        shop.log += 10 * shop.log;
    };
    const auto report = explore_all(tests::program<Shop>(log_of, {boss}), grain);
    CHECK(report.failures.empty());
    CHECK(final_values(report) == Values{12, 22});
}

TEST_CASE("a flush of an empty queue returns at once", "[sim][workqueue]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto boss = [](Shop& shop) {
        shop.queue.flush();
        shop.log = 1;
    };
    const auto report = explore_all(tests::program<Shop>(log_of, {boss}), grain);
    CHECK(report.executions == 1);
    CHECK(final_values(report) == Values{1});
}

TEST_CASE("who flushes while it holds the lock that an item needs stands still for ever",
          "[sim][workqueue]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto boss = [](Shop& shop) {
        Shop* const shared = &shop;
        const sim::MutexGuard guard(shop.mutex);
        shop.queue.queue("item", [shared] { const sim::MutexGuard inner(shared->mutex); });
        shop.queue.flush();
    };
    const auto report = explore_all(tests::program<Shop>(log_of, {boss}), grain);
    REQUIRE(report.failures.size() == 1);
    CHECK(report.failures[0].count == report.executions);
    CHECK_THAT(report.failures[0].result.violation->text,
               Catch::Contains("t1 waits for shop") &&
                   Catch::Contains("t1/item#1 waits for lock_a"));
}

}  // namespace

}  // namespace workqueue_test
