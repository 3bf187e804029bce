#include "sim/wait_bit.h"

#include "sim/atomic.h"
#include "tests/sim/support.h"

namespace wait_bit_test {

namespace {

using tests::explore_all;
using tests::final_values;
using tests::Values;

struct Block {
    sim::WaitBit busy;
    tests::Data data;
    std::uint64_t log = 0;
};

std::uint64_t log_of(const Block& block) {
    return block.log;
}

/// Sets the bit; the device clears it.
void submit(Block& block) {
    block.busy.set();
    sim::current().spawn_completion("io", 0, 1, [&block] {
        block.data.set(block.data.get() + 1);
        block.busy.clear_and_wake_up();
    });
}

TEST_CASE("who waits for a bit goes on once it is clear, and sees what came before",
          "[sim][wait-bit]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto both = [](Block& block) {
        submit(block);
        block.busy.wait();
        block.log = block.data.get();
        submit(block);
        block.busy.wait();
        block.log = block.log * 10 + block.data.get();
    };
    const auto report = explore_all(tests::program<Block>(log_of, {both}), grain);
    CHECK(report.failures.empty());
    CHECK(report.unordered.empty());
    CHECK(final_values(report) == Values{12});
}

TEST_CASE("a wait comes before a bit is set or after it was cleared, and changes nothing",
          "[sim][wait-bit]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto waiter = [](Block& block) {
        block.busy.wait();
        const bool busy = block.busy.test();
        block.log = block.log * 10 + (busy ? 2 : 1);
    };
    const auto report = explore_all(tests::program<Block>(log_of, {submit, waiter, waiter}), grain);
    CHECK(report.failures.empty());
    CHECK(final_values(report) == Values{11, 12, 21, 22});  // 2: it was set in between
}

TEST_CASE("of two that set a bit if it is clear one does", "[sim][wait-bit]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto contender = [](Block& block) {
        if (!block.busy.test_and_set()) ++block.log;
    };
    const auto report = explore_all(tests::program<Block>(log_of, {contender, contender}), grain);
    CHECK(final_values(report) == Values{1});
}

TEST_CASE("who sets a bit if it is clear comes before it is cleared, too",
          "[sim][wait-bit][dpor]") {
    struct State {
        sim::WaitBit busy;
        sim::Atomic<std::uint64_t> begun, seen;
    };
    const auto owner = [](State& state) {
        if (state.busy.test_and_set()) return;
        state.begun.store(1);
        state.busy.clear_and_wake_up();
    };
    const auto contender = [](State& state) {
        const std::uint64_t begun = state.begun.load();
        const bool busy = state.busy.test_and_set();
        state.seen.store(10 * begun + (busy ? 2 : 1));
        if (!busy) state.busy.clear_and_wake_up();
    };
    const auto factory = tests::program<State>([](const State& state) { return state.seen.peek(); },
                                               {owner, contender});
    const auto grain = GENERATE(tests::both_grains());
    const Values all{1, 2, 11, 12};
    CHECK(final_values(explore_all(factory, grain)) == all);
    sim::ExploreOptions options;
    options.execution.grain = grain;
    options.collect_final_states = true;
    options.reduction = GENERATE(sim::Reduction::Sleep, sim::Reduction::Dpor);
    CHECK(final_values(sim::explore(factory, options)) == all);
    options.reduction = sim::Reduction::Dpor;
    options.max_deviations = 1;
    CHECK(final_values(sim::explore(factory, options)) == all);
}

TEST_CASE("a bit that nobody clears is waited for without end", "[sim][wait-bit]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto setter = [](Block& block) { block.busy.set(); };
    const auto waiter = [](Block& block) {
        block.busy.wait();
        block.log = 1;
    };
    const auto report = explore_all(tests::program<Block>(log_of, {setter, waiter}), grain);
    CHECK(tests::signatures(report) == std::vector<std::string>{"lost-wakeup/bit"});
    CHECK(final_values(report) == Values{0, 1});  // 1: the wait came first
}

TEST_CASE("a wait orders nothing behind it", "[sim][wait-bit]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto waiter = [](Block& block) {
        block.data.set(1);
        block.busy.wait();
    };
    const auto setter = [](Block& block) {
        block.busy.set();
        block.data.set(2);
        block.busy.clear_and_wake_up();
    };
    const auto report = explore_all(tests::program<Block>(log_of, {waiter, setter}), grain);
    CHECK_FALSE(report.unordered.empty());
}

TEST_CASE("waiting for a bit is no race with clearing it", "[sim][wait-bit][dpor]") {
    const auto waiter = [](Block& block) { block.busy.wait(); };
    const auto program = tests::program<Block>(log_of, {submit, waiter, waiter});
    sim::ExploreOptions options;
    options.execution.grain = sim::Grain::Fine;
    options.max_deviations = sim::DfsStrategy::unbounded;
    options.reduction = sim::Reduction::Dpor;
    const auto report = explore(program, options);
    CHECK(report.end == sim::SearchEnd::Complete);
    CHECK(report.executions == 4);  // each waiter before the bit is set, or after it is cleared
    CHECK(report.executions == tests::count_classes(program).complete);
}

}  // namespace

}  // namespace wait_bit_test
