// Device requests: events that complete in any order.
#include "sim/completion.h"
#include "tests/sim/support.h"

namespace events_test {

namespace {

using tests::explore_all;
using tests::final_values;
using tests::Values;

struct Disk {
    sim::Completion done;
    sim::Atomic<std::uint64_t> left{3};
    std::uint64_t log = 0;
};

void submit(Disk* disk, std::uint64_t name, std::uint16_t device) {
    sim::current().spawn_completion("request", device, 1000, [disk, name] {
        disk->log = disk->log * 10 + name;
        if (disk->left.dec_and_test()) disk->done.complete();
    });
}

void submit_three_and_wait(Disk& disk) {
    for (std::uint64_t name = 1; name <= 3; ++name)
        submit(&disk, name, static_cast<std::uint16_t>(name % 2));
    disk.done.wait();
}

sim::ProgramFactory three_requests() {
    return tests::program<Disk>([](const Disk& disk) { return disk.log; }, {submit_three_and_wait});
}

TEST_CASE("requests complete in any order", "[sim][events]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto report = explore_all(three_requests(), grain);
    CHECK(report.failures.empty());
    CHECK(report.whole_space);
    CHECK(final_values(report) == Values{123, 132, 213, 231, 312, 321});
}

TEST_CASE("by default the oldest request completes first, once no task can go on",
          "[sim][events]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto result = tests::run_once(three_requests(), grain, sim::make_default());
    CHECK(result.outcome == sim::Outcome::Completed);
    CHECK(result.state_hash == 123 + 1);
    CHECK(result.deviations == 0);
}

TEST_CASE("a request that completes out of order is a deviation", "[sim][events]") {
    const auto grain = GENERATE(tests::both_grains());
    CHECK(final_values(explore_all(three_requests(), grain, 0)) == Values{123});
    // one request early, or one held back and then taken at any turn
    CHECK(final_values(explore_all(three_requests(), grain, 1)) == Values{123, 132, 213, 231, 312});
    CHECK(final_values(explore_all(three_requests(), grain, 2)) ==
          Values{123, 132, 213, 231, 312, 321});
}

TEST_CASE("an execution is not complete before all its requests are", "[sim][events]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto forget = [](Disk& disk) { submit(&disk, 7, 0); };
    CHECK(final_values(explore_all(
              tests::program<Disk>([](const Disk& disk) { return disk.log; }, {forget}), grain)) ==
          Values{7});
}

TEST_CASE("a request may complete while its submitter goes on", "[sim][events]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto submitter = [](Disk& disk) {
        submit(&disk, 1, 0);
        disk.left.add_return(0);
        disk.log = disk.log * 10 + 2;
    };
    CHECK(final_values(explore_all(
              tests::program<Disk>([](const Disk& disk) { return disk.log; }, {submitter}),
              grain)) == Values{12, 21});
}

}  // namespace

}  // namespace events_test
