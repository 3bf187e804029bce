#include "app/export/recorder.h"

#include <catch2/catch.hpp>

#include "app/export/branches.h"
#include "app/export/trace_document.h"
#include "sim/strategies.h"
#include "tests/app/export/support.h"

namespace export_recorder_test {

using namespace app;
using namespace app::exporter;

namespace {

/// One execution, recorded or not.
Recorded run(std::uint64_t seed, bool recorded) {
    const auto strategy = sim::make_random(seed);
    return recorded ? record_two_writers(*strategy) : run_two_writers(*strategy);
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
    const SortedJson whole = trace_document(recorded, about);
    const std::uint32_t steps = recorded.result.steps;
    REQUIRE(steps > 100);
    about.window = Window{70, 20};
    const SortedJson part = trace_document(recorded, about);
    CHECK(part.at("steps").at("task").size() == 20);
    SortedJson state = recorded.first;
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

}  // namespace export_recorder_test
