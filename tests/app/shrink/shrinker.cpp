#include "app/shrink/shrinker.h"

#include <catch2/catch.hpp>

#include "app/scenario/kernel_spec.h"
#include "app/scenario/loader.h"
#include "app/scenario/program.h"
#include "sim/explorer.h"

namespace shrink_shrinker_test {

using namespace app;

namespace {

/// The race of replace/001, with a task and operations that have no part in it.
constexpr const char* bloated = R"({
  "id": "test/001", "title": "too much of it",
  "fs": {"devices": [{"name": "a", "size": "64M"}, {"name": "c", "size": "64M", "spare": true}],
         "data": "single", "metadata": "single"},
  "prepare": ["touch f1", "chattr +C f1", "pwrite -S 0x61 0 4K f1", "sync"],
  "tasks": {
    "idle": {"run": ["pread 0 4K f1"]},
    "replace": {"run": ["btrfs replace start a c"]},
    "writer": {"run": ["pread 0 4K f1", "pwrite -S 0x62 0 4K f1", "writeback f1"]}
  },
  "expect": [{"kernel": "6.1", "verdict": "PASS-BOUNDED"}]
})";

shrink::ScenarioPtr load(const char* text) {
    auto scenario = scenario::load(text, "test.json");
    REQUIRE(scenario.ok());
    return std::make_shared<const scenario::Scenario>(std::move(scenario.value()));
}

model::KernelVersion broken_kernel() {
    return scenario::KernelSpec{.release = "5.5", .with = {}, .without = {"1bbb97b8ce7d"}}
        .resolve()
        .value();
}

std::unique_ptr<sim::Execution> make(const shrink::ScenarioPtr& scenario,
                                     const sim::ExecutionOptions& options) {
    return std::make_unique<sim::Execution>(scenario::make_factory(scenario, broken_kernel()),
                                            options);
}

/// A failing execution of the scenario, narrated: a random one, so that it switches a lot.
shrink::Specimen failing(const shrink::ScenarioPtr& scenario) {
    sim::HuntOptions options;
    options.strategy = *sim::StrategySpec::parse("pct:2");
    options.count = 20'000;
    const sim::SearchReport found =
        sim::hunt(scenario::make_factory(scenario, broken_kernel()), options);
    REQUIRE(found.failures.size() == 1);
    const auto execution = make(scenario, {.narrate = true});
    const auto replay = sim::make_replay(found.failures[0].result.schedule);
    replay->next_execution();
    return {.scenario = scenario, .result = execution->run(*replay)};
}

std::vector<std::string> operations(const scenario::Scenario& scenario) {
    std::vector<std::string> list;
    for (const scenario::TaskSpec& task : scenario.tasks)
        for (const scenario::Op& op : task.run)
            list.push_back(task.name + ": " + op.text);
    return list;
}

}  // namespace

TEST_CASE("A scenario without a part is the rest of it", "[app][shrink]") {
    const auto whole = load(bloated);
    CHECK(shrink::tasks_of(*whole).size() == 3);
    CHECK(shrink::operations_of(*whole).size() == 3);
    const auto without_idle = shrink::without(*whole, {.task = "idle", .operation = {}}, "x.ilf");
    CHECK(operations(*without_idle) ==
          std::vector<std::string>{"replace: btrfs replace start a c", "writer: pread 0 4K f1",
                                   "writer: pwrite -S 0x62 0 4K f1", "writer: writeback f1"});
    CHECK(without_idle->tasks[0].cpu == 2);  // the column that it had
    CHECK(without_idle->expect.empty());
    CHECK(without_idle->file == "x.ilf");
    CHECK(without_idle->content.prepare == whole->content.prepare);
    const auto without_read =
        shrink::without(*without_idle, {.task = "writer", .operation = 0}, "x.ilf");
    CHECK(operations(*without_read).size() == 3);
    CHECK(load(without_read->text.c_str())->content == without_read->content);
    const auto alone = shrink::without(*without_read, {.task = "writer", .operation = {}}, "x.ilf");
    CHECK(shrink::tasks_of(*alone).empty());
}

TEST_CASE("What remains of an execution has none of the part's steps", "[app][shrink]") {
    const auto whole = load(bloated);
    const shrink::Specimen specimen = failing(whole);
    const std::size_t steps = specimen.result.trace.steps();
    const auto task = shrink::remains_of(specimen.result.trace, {.task = "idle", .operation = {}});
    for (const sim::Meaning& meaning : task.meanings)
        CHECK(meaning.task.rfind("idle", 0) == std::string::npos);
    CHECK(task.meanings.size() == task.order.steps.size());
    const auto operation =
        shrink::remains_of(specimen.result.trace, {.task = "writer", .operation = 0});
    CHECK(operation.meanings.size() <= steps);
    const auto writes =
        shrink::remains_of(specimen.result.trace, {.task = "writer", .operation = 2});
    CHECK(writes.meanings.size() < steps);
    // The bios of a later operation are numbered as if those of the one that is gone had never
    // been.
    const auto nobody =
        shrink::remains_of(specimen.result.trace, {.task = "nobody", .operation = {}});
    CHECK(nobody.order.steps.size() == steps);
}

TEST_CASE("A failing execution becomes smaller and fails in the same way", "[app][shrink]") {
    const auto whole = load(bloated);
    const shrink::Specimen start = failing(whole);
    const shrink::Shrunk shrunk =
        shrink::shrink(start, make, {.execution = {}, .file = "small.ilf"});
    CHECK(shrunk.minimal);
    const shrink::Specimen& smallest = shrunk.smallest;
    CHECK(operations(*smallest.scenario) ==
          std::vector<std::string>{"replace: btrfs replace start a c",
                                   "writer: pwrite -S 0x62 0 4K f1", "writer: writeback f1"});
    CHECK(smallest.result.violation->signature == start.result.violation->signature);
    CHECK(smallest.result.switches < start.result.switches);

    // It can be repeated on its own, and no longer stretch of any task fails with fewer switches.
    const auto execution = make(smallest.scenario, {});
    const auto replay = sim::make_replay(smallest.result.schedule);
    replay->next_execution();
    CHECK(execution->run(*replay).trace_hash == smallest.result.trace_hash);
    for (const sim::Order& order :
         sim::orders_with_longer_stretches(sim::order_of(smallest.result.trace))) {
        sim::OrderReplay strategy(order);
        strategy.next_execution();
        const sim::ExecutionResult& result = execution->run(strategy);
        const bool smaller = result.failed() && result.switches < smallest.result.switches;
        CHECK_FALSE(smaller);
    }
}

TEST_CASE("Out of its budget nothing is called minimal", "[app][shrink]") {
    const auto whole = load(bloated);
    const shrink::Specimen start = failing(whole);
    const shrink::Shrunk shrunk =
        shrink::shrink(start, make, {.execution = {}, .budget = 5, .file = "small.ilf"});
    CHECK_FALSE(shrunk.minimal);
    CHECK(shrunk.smallest.result.violation->signature == start.result.violation->signature);
    CHECK(shrunk.executions <= 8);
}

}  // namespace shrink_shrinker_test
