#pragma once
#include <functional>
#include <memory>
#include <string>

#include "app/scenario/loader.h"
#include "app/scenario/program.h"
#include "model/fs_info.h"
#include "sim/execution.h"
#include "sim/strategies.h"

namespace test {

/// A scenario with these parts; devices a and b of 64M, c a spare.
inline std::shared_ptr<const app::scenario::Scenario>
scenario_of(const std::string& fs, const std::string& prepare, const std::string& tasks) {
    const std::string text = R"({"id": "test/001", "title": "a test", "groups": ["auto"], "fs": )" +
                             fs + R"(, "prepare": [)" + prepare + R"(], "tasks": {)" + tasks +
                             R"(}, "expect": []})";
    auto loaded = app::scenario::load(text, "test.json");
    if (!loaded.ok()) throw std::runtime_error(loaded.error().message);
    return std::make_shared<app::scenario::Scenario>(std::move(loaded.value()));
}

inline const std::string one_device =
    R"({"devices": [{"name": "a", "size": "64M"}], "data": "single", "metadata": "single"})";

/// One execution in default order; `look` sees its end.
inline sim::ExecutionResult
run_default(const std::shared_ptr<const app::scenario::Scenario>& scenario,
            const app::scenario::ProgramOptions& options = {},
            const std::function<void(const model::FsInfo&)>& look = {}) {
    sim::Execution execution(app::scenario::make_factory(scenario, model::KernelVersion{}, options),
                             {});
    if (!execution.preparation_error().empty())
        throw std::runtime_error(execution.preparation_error());
    const auto usual = sim::make_default();
    usual->next_execution();
    sim::ExecutionResult result = execution.run(*usual);
    if (look) look(static_cast<app::scenario::ScenarioProgram&>(execution.program()).fs());
    return result;
}

}  // namespace test
