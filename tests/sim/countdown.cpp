#include "sim/countdown.h"

#include <optional>

#include "tests/sim/support.h"

namespace countdown_test {

namespace {

using tests::explore_all;
using tests::final_values;
using tests::Values;

/// A request in two parts, which two devices end.
struct Request {
    std::optional<sim::Countdown> parts;
    std::array<tests::Data, 2> data;
    tests::Data end;
    std::uint64_t log = 0;
};

std::uint64_t log_of(const Request& request) {
    return request.log;
}

void send(Request& request) {
    request.parts.emplace(2, "done", [&request] {
        const std::uint64_t sum = request.data[0].get() + request.data[1].get();
        request.parts.reset();
        request.end.set(sum);
        request.log = sum;
    });
    for (std::size_t i = 0; i < 2; ++i)
        sim::current().spawn_completion("part", static_cast<std::uint16_t>(i), 1, [&request, i] {
            request.data[i].set(i + 1);
            request.parts->count_down();
        });
}

TEST_CASE("what follows the last part comes once, after all of them, and sees what they did",
          "[sim][countdown]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto report = explore_all(tests::program<Request>(log_of, {send}), grain);
    CHECK(report.failures.empty());
    CHECK(report.unordered.empty());
    CHECK(final_values(report) == Values{3});
}

TEST_CASE("it does not matter which part is the last", "[sim][countdown][dpor]") {
    const auto program = tests::program<Request>(log_of, {send});
    sim::ExploreOptions options;
    options.execution.grain = sim::Grain::Fine;
    options.max_deviations = sim::DfsStrategy::unbounded;
    options.reduction = sim::Reduction::Dpor;
    const auto report = explore(program, options);
    CHECK(report.end == sim::SearchEnd::Complete);
    CHECK(report.executions == 1);
    CHECK(tests::count_classes(program).complete == 1);
}

TEST_CASE("without its last part a request never ends", "[sim][countdown]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto half = [](Request& request) {
        request.parts.emplace(2, "done", [] {});
        request.parts->count_down();
    };
    const auto report = explore_all(tests::program<Request>(log_of, {half}), grain);
    REQUIRE(report.failures.size() == 1);
    CHECK(report.failures[0].signature.starts_with("lost-wakeup/"));
}

}  // namespace

}  // namespace countdown_test
