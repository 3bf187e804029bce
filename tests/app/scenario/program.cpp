#include "app/scenario/program.h"

#include <catch2/catch.hpp>

#include "app/scenario/kernel_spec.h"
#include "app/scenario/loader.h"
#include "model/fs_info.h"
#include "model/transaction.h"
#include "sim/execution.h"
#include "sim/strategies.h"

namespace scenario_program_test {

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

std::string preparation_error(const std::string& prepare,
                              const std::function<void(model::FsInfo&)>& prepared = {}) {
    auto scenario = load(R"({"id": "test/001", "title": "a preparation", "fs": {"devices": [{"name":
        "a", "size": "64M"}]}, "tasks": {"t": {"run": ["sync"]}}, "prepare": )" +
                             prepare + "}",
                         "test.json");
    INFO((scenario.ok() ? std::string() : to_string(scenario.error())));
    REQUIRE(scenario.ok());
    const auto kernel = KernelSpec{.release = "6.1", .with = {}, .without = {}}.resolve().value();
    const sim::Execution execution(
        [&] {
            return std::make_unique<ScenarioProgram>(
                std::make_shared<const Scenario>(scenario.value()), kernel,
                ProgramOptions{.prepared = prepared, .observer = {}});
        },
        {});
    return execution.preparation_error();
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

TEST_CASE("What comes after an unmount finds nothing", "[app][scenario]") {
    const auto made = ran(R"(["touch f1", "umount", "touch f2", "umount"])");
    CHECK_FALSE(made.result.violation);
    CHECK_FALSE(made.operations[0].error);
    CHECK_FALSE(made.operations[1].error);
    CHECK(made.operations[2].error == model::Errno::NoEnt);
    CHECK(made.operations[3].error == model::Errno::Inval);
}

TEST_CASE("A device that is pulled out makes calls fail, and is no failure", "[app][scenario]") {
    const auto made = ran(R"(["touch f1", "offline a", "fsync f1", "touch f2"])");
    CHECK_FALSE(made.result.violation);
    CHECK(made.operations[2].error == model::Errno::IO);
    CHECK(made.operations[3].error == model::Errno::Rofs);
}

TEST_CASE("A call that may fail counts as a success", "[app][scenario]") {
    const auto made = ran(R"(["rm f1 || true", "&& sync"])");
    CHECK_FALSE(made.result.violation);
    CHECK(made.operations[0].error == model::Errno::NoEnt);
    CHECK(made.operations[1].ended);
}

TEST_CASE("A preparation goes on past a call that may fail, and past no other", "[app][scenario]") {
    CHECK(preparation_error(R"(["rm f1 || true", "sync"])").empty());
    CHECK(preparation_error(R"(["touch f1", "rm f2", "sync"])") ==
          "/prepare: \"rm f2\" returned -ENOENT");
}

TEST_CASE("A repeat ends with the call that breaks it, and only that one", "[app][scenario]") {
    CHECK(preparation_error(
              R"(["touch f0", "touch f1", {"repeat": 3, "run": ["rm f{i} || break", "touch g{i}"]},
                  "rm g0", "rm g1", {"repeat": 1, "run": ["touch h"]}, "rm h"])")
              .empty());
    CHECK(
        preparation_error(
            R"(["touch f0", {"repeat": 3, "run": ["rm f{i} || break", "touch g{i}"]}, "rm g1"])") ==
        "/prepare: \"rm g1\" returned -ENOENT");
}

TEST_CASE("A preparation that leaves an aborted transaction is of no use", "[app][scenario]") {
    const auto abort = [](model::FsInfo& fs) {
        auto trans = model::start_transaction(*fs.fs_root, 1);
        model::abort_transaction(*trans.value(), model::Errno::NoSpc, "a_test");
        static_cast<void>(model::end_transaction(trans.value()));
    };
    const std::string error = preparation_error(R"(["sync"])", abort);
    CHECK(error.find("after /prepare: \"sync\": the filesystem became read-only; ") == 0);
    CHECK(error.find("Transaction aborted (error -28)") != std::string::npos);
    CHECK(error.find("in a_test: errno=-28 No space left") != std::string::npos);
}

TEST_CASE("A preparation with too many device requests says where and how many are possible",
          "[app][scenario]") {
    const std::string error = preparation_error(
        R"(["touch f1", {"repeat": 3000, "run": ["pwrite -S {i*0} 0 4K f1", "sync"]}])");
    CHECK(error.find("/prepare: \"") == 0);
    CHECK(error.find("prepare starts more than 4095 tasks and device requests, which is the limit "
                     "of one task") != std::string::npos);
}

TEST_CASE("A call behind && is made only if the one before it succeeded", "[app][scenario]") {
    const auto made = ran(R"(["touch f1", "&& sync", "rm f2", "&& sync", "&& sync", "sync"])");
    std::vector<bool> ended;
    for (const OpResult& operation : made.operations)
        ended.push_back(operation.ended);
    CHECK(ended == std::vector<bool>{true, true, true, false, false, true});
    CHECK_FALSE(ran(R"(["&& sync"])").operations[0].ended);
}

}  // namespace scenario_program_test
