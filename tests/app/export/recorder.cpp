#include "app/export/recorder.h"

#include <catch2/catch.hpp>

#include "app/export/branches.h"
#include "app/export/trace_document.h"
#include "app/scenario/loader.h"
#include "app/scenario/program.h"
#include "sim/strategies.h"

using namespace app;
using namespace app::exporter;

namespace {

constexpr const char* two_writers = R"({
    "id": "test/001", "title": "two writers", "groups": ["test"],
    "fs": {"devices": [{"name": "a", "size": "64M"}], "data": "single", "metadata": "single"},
    "prepare": ["touch f1", "touch f2", "sync"],
    "tasks": {"one": {"cpu": 1, "run": ["pwrite -S 0x61 0 4K f1", "sync"]},
              "two": {"cpu": 2, "run": ["pwrite -S 0x62 0 4K f2", "writeback f2"]}}})";

/// One for all tests: a trace points to the names of tasks in it.
std::shared_ptr<const scenario::Scenario> scenario_under_test() {
    static const auto scenario = std::make_shared<const scenario::Scenario>(
        scenario::load(two_writers, "test.json").value());
    return scenario;
}

/// One execution, recorded or not.
Recorded run(std::uint64_t seed, bool recorded) {
    Recorded result;
    Recorder* recorder = nullptr;
    sim::ExecutionOptions options{.narrate = true};
    if (recorded)
        options.observer = [&] {
            auto made = std::make_unique<Recorder>(result);
            recorder = made.get();
            return made;
        };
    sim::Execution execution(
        scenario::make_factory(scenario_under_test(),
                               model::KernelVersion::parse("6.1", {}, {}).value()),
        options);
    REQUIRE(execution.preparation_error().empty());
    if (recorded)
        recorder->attach(static_cast<scenario::ScenarioProgram&>(execution.program()).fs());
    const auto strategy = sim::make_random(seed);
    strategy->next_execution();
    const sim::ExecutionResult& end = execution.run(*strategy);
    if (!recorded) result.result = end;
    return result;
}

}  // namespace

TEST_CASE("An execution that is recorded is the same as one that is not", "[app][export]") {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        const Recorded seen = run(seed, true), unseen = run(seed, false);
        CHECK(seen.result.trace_hash == unseen.result.trace_hash);
        CHECK(seen.result.state_hash == unseen.result.state_hash);
        CHECK(seen.changes.size() == unseen.result.steps);
        CHECK(seen.choices.size() == unseen.result.choice_points);
    }
}

TEST_CASE("Locks are held from the step that took them until the one that gave them back",
          "[app][export]") {
    const Recorded recorded = run(3, true);
    REQUIRE(!recorded.holds.empty());
    for (const Interval& hold : recorded.holds) {
        CHECK(hold.first <= hold.last);
        CHECK(hold.last < recorded.result.steps);
        bool taken = false;
        for (const sim::Access& access : recorded.result.trace.accesses_of(hold.first))
            taken = taken || (access.object == hold.object &&
                              (access.kind == sim::AccessKind::Acquire ||
                               access.kind == sim::AccessKind::AcquireShared));
        // Spinlocks are no accesses in the coarse grain, and none is held from step to step.
        CHECK(taken);
    }
}

TEST_CASE("A document gives back the state at each step, in a window too", "[app][export]") {
    const Recorded recorded = run(2, true);
    About about;
    about.scenario = scenario_under_test();
    const Json whole = trace_document(recorded, about);
    const std::uint32_t steps = recorded.result.steps;
    REQUIRE(steps > 100);
    about.window = Window{70, 20};
    const Json part = trace_document(recorded, about);
    CHECK(part.at("steps").at("task").size() == 20);
    Json state = recorded.first;
    for (std::uint32_t step = 0; step <= steps; ++step) {
        REQUIRE(state_at(whole, step) == state);
        if (step >= 70 && step <= 90) CHECK(state_at(part, step - 70) == state);
        if (step < steps) apply(state, recorded.changes[step]);
    }
}

TEST_CASE("A branch makes the recorded choices up to its own", "[app][export]") {
    const Recorded recorded = run(4, true);
    const ChoicePoint& point = recorded.choices.at(recorded.choices.size() / 2);
    const std::size_t chosen = taken(recorded, point);
    const std::size_t other = chosen == 0 ? 1 : 0;
    const sim::Schedule branch = branch_schedule(recorded, point, other);
    for (const sim::Departure& departure : branch.departures)
        CHECK((departure.ordinal < point.ordinal ||
               (departure.ordinal == point.ordinal && departure.index == other)));
}
