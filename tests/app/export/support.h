#pragma once
#include <catch2/catch.hpp>
#include <memory>

#include "app/export/recorder.h"
#include "app/scenario/loader.h"
#include "app/scenario/program.h"
#include "sim/strategy.h"

namespace app::exporter {

inline constexpr const char* two_writers = R"({
    "id": "test/001", "title": "two writers", "groups": ["test"],
    "fs": {"devices": [{"name": "a", "size": "64M"}], "data": "single", "metadata": "single"},
    "prepare": ["touch f1", "touch f2", "sync"],
    "tasks": {"one": {"cpu": 1, "run": ["pwrite -S 0x61 0 4K f1", "sync"]},
              "two": {"cpu": 2, "run": ["pwrite -S 0x62 0 4K f2", "writeback f2"]}}})";

/// One for all tests: a trace points to the names of tasks in it.
inline std::shared_ptr<const scenario::Scenario> scenario_under_test() {
    static const auto scenario = std::make_shared<const scenario::Scenario>(
        scenario::load(two_writers, "test.json").value());
    return scenario;
}

inline sim::Execution two_writers_execution(const sim::ExecutionOptions& options) {
    const auto kernel = model::KernelVersion::parse("6.1", {}, {}).value();
    return sim::Execution(scenario::make_factory(scenario_under_test(), kernel), options);
}

inline Recorded record_two_writers(sim::Strategy& strategy) {
    Recorded result;
    Recorder* recorder = nullptr;
    sim::ExecutionOptions options{.narrate = true};
    options.observer = [&] {
        auto made = std::make_unique<Recorder>(result);
        recorder = made.get();
        return made;
    };
    sim::Execution execution = two_writers_execution(options);
    REQUIRE(execution.preparation_error().empty());
    recorder->attach(static_cast<scenario::ScenarioProgram&>(execution.program()).fs());
    strategy.next_execution();
    execution.run(strategy);
    return result;
}

/// Nobody looks on: only the result is filled in.
inline Recorded run_two_writers(sim::Strategy& strategy) {
    Recorded result;
    sim::Execution execution = two_writers_execution({.narrate = true});
    REQUIRE(execution.preparation_error().empty());
    strategy.next_execution();
    result.result = execution.run(strategy);
    return result;
}

}  // namespace app::exporter
