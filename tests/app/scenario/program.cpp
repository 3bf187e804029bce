#include "app/scenario/program.h"

#include <catch2/catch.hpp>

#include "app/scenario/kernel_spec.h"
#include "app/scenario/loader.h"
#include "sim/execution.h"
#include "sim/strategies.h"

using namespace app::scenario;

namespace {

/// One execution of a task that does `run` (JSON), and what its operations came to.
struct Ran {
    sim::ExecutionResult result;
    std::vector<OpResult> operations;
};

Ran ran(const std::string& run, bool watched = true) {
    auto scenario = load(R"({"id": "test/001", "title": "one task", "fs": {"devices": [{"name": "a",
        "size": "64M"}]}, "tasks": {"t": {"run": )" +
                             run + "}}}",
                         "test.json");
    REQUIRE(scenario.ok());
    const auto kernel = KernelSpec{.release = "6.1", .with = {}, .without = {}}.resolve().value();
    const ScenarioProgram* program = nullptr;
    sim::Execution execution(
        [&] {
            auto made = std::make_unique<ScenarioProgram>(
                std::make_shared<const Scenario>(scenario.value()), kernel,
                ProgramOptions{.watched = watched, .prepared = {}, .observer = {}});
            program = made.get();
            return made;
        },
        {});
    const auto strategy = sim::make_replay({});
    strategy->next_execution();
    auto result = execution.run(*strategy);
    return {std::move(result), program->results()[0]};
}

}  // namespace

TEST_CASE("A call that fails is no failure, unless its scenario says so", "[app][scenario]") {
    CHECK_FALSE(ran(R"(["rm f1"])").result.violation);
    CHECK_FALSE(ran(R"(["touch f1 || fail"])").result.violation);
    const auto failing = ran(R"(["rm f1 || fail"])").result;
    REQUIRE(failing.violation);
    CHECK(failing.violation->signature == "call-succeeds/t/ENOENT");
    CHECK(failing.violation->text == "t: \"rm f1 || fail\" returned -ENOENT");
    CHECK_FALSE(ran(R"(["rm f1 || fail"])", false).result.violation);
}

TEST_CASE("A call behind && is made only if the one before it succeeded", "[app][scenario]") {
    const auto made = ran(R"(["touch f1", "&& sync", "rm f2", "&& sync", "&& sync", "sync"])");
    std::vector<bool> ended;
    for (const OpResult& operation : made.operations)
        ended.push_back(operation.ended);
    CHECK(ended == std::vector<bool>{true, true, true, false, false, true});
    CHECK_FALSE(ran(R"(["&& sync"])").operations[0].ended);
}
