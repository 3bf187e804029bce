#include "sim/order.h"

#include "bench/programs/account.h"
#include "tests/sim/support.h"

namespace order_test {

namespace {

using programs::Account;
using tests::program_of;

sim::Order order(const std::vector<std::string>& tasks) {
    sim::Order order;
    for (const std::string& task : tasks)
        order.add(task);
    return order;
}
std::string text(const sim::Order& order) {
    std::string text;
    for (const std::uint32_t step : order.steps)
        text += order.names[step];
    return text;
}

TEST_CASE("an execution is repeated by the order of its tasks alone", "[sim][order]") {
    const auto grain = GENERATE(tests::both_grains());
    sim::Execution execution(program_of<Account>(2U, Account::Lock::EachAccess), {.grain = grain});
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        const auto random = sim::make_random(seed);
        random->next_execution();
        const sim::ExecutionResult original = execution.run(*random);
        sim::OrderReplay again(sim::order_of(execution.scheduler().trace()));
        again.next_execution();
        const sim::ExecutionResult& repeated = execution.run(again);
        REQUIRE(repeated.trace_hash == original.trace_hash);
        REQUIRE(repeated.schedule == original.schedule);
    }
}

TEST_CASE("an order that is not possible is followed as nearly as may be", "[sim][order]") {
    struct State {
        sim::Mutex lock{tests::class_a};
        tests::Data value;
    };
    const auto add_under_lock = [](State& state) {
        state.lock.lock();
        state.value.set(state.value.get() + 1);
        state.lock.unlock();
    };
    sim::Execution execution(
        tests::program<State>([](const State& state) { return state.value.peek(); },
                              {add_under_lock, add_under_lock}),
        {.grain = sim::Grain::Fine});
    // t2 is wanted in the middle of t1's section, where it is blocked: it comes when it can.
    std::vector<std::string> wanted(3, "t1");
    wanted.insert(wanted.end(), 20, "t2");
    wanted.insert(wanted.end(), 20, "t1");
    sim::OrderReplay strategy(order(wanted));
    strategy.next_execution();
    CHECK(execution.run(strategy).outcome == sim::Outcome::Completed);
    const sim::Order made = sim::order_of(execution.scheduler().trace());
    CHECK(made.names[made.steps.back()] == "t2");
    // Names that do not exist change nothing.
    sim::OrderReplay nobody(order({"t7", "t8"}));
    nobody.next_execution();
    CHECK(execution.run(nobody).schedule.departures.empty());
}

TEST_CASE("a stretch is joined to the task's next one from both sides", "[sim][order]") {
    std::vector<std::string> orders;
    for (const sim::Order& changed :
         sim::orders_with_longer_stretches(order({"a", "b", "b", "a", "c", "b"})))
        orders.push_back(text(changed));
    CHECK(orders == std::vector<std::string>{"aabbcb", "bbaacb", "abbbac", "aacbbb"});
    CHECK(sim::orders_with_longer_stretches(order({"a", "b", "c"})).empty());
    CHECK(sim::orders_with_longer_stretches(order({})).empty());
}

}  // namespace

}  // namespace order_test
