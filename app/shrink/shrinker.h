#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "app/scenario/scenario.h"
#include "app/shrink/parts.h"
#include "sim/execution.h"

/// Makes a failing execution smaller and keeps it failing in the same way.
namespace app::shrink {

using ScenarioPtr = std::shared_ptr<const scenario::Scenario>;

/// A failing execution, and the scenario it is one of.
struct Specimen {
    ScenarioPtr scenario;
    sim::ExecutionResult result;  // narrated

    std::size_t tasks() const { return scenario->tasks.size(); }
    std::size_t operations() const;
};

/// One line of the report: the size after a pass, how many candidates it tried, and how many of
/// them were kept.
struct PassCount {
    std::string name;
    std::size_t tasks = 0, operations = 0;
    std::uint32_t switches = 0, steps = 0;
    std::uint64_t tried = 0, kept = 0;
};

/// A smaller candidate that failed otherwise. It is never taken instead; it may be worth a look.
struct Lead {
    ScenarioPtr scenario;
    sim::ExecutionResult result;
};

struct ShrinkOptions {
    sim::ExecutionOptions execution;
    std::uint64_t budget = 50'000;              // executions, all together
    std::uint64_t budget_of_candidate = 5'000;  // of the search that is made where the old order
                                                // does not fail any more
    std::uint32_t deviations = 1;               // the bound of that search
    std::string file;                           // the name of reduced scenarios in messages
};

struct Shrunk {
    Specimen smallest;
    std::vector<PassCount> passes;
    std::map<std::string, Lead> leads;  // the first of each signature
    std::uint64_t executions = 0;
    /// No single task, operation or context switch can be removed: each was tried at the end.
    bool minimal = false;
};

/// Runs a scenario's executions. @return null when it cannot be prepared
using MakeExecution = std::function<std::unique_ptr<sim::Execution>(
    const ScenarioPtr& scenario, const sim::ExecutionOptions& options)>;

/// Removes tasks, then operations, then context switches, as long as the execution fails with the
/// signature of `start`; and over again until nothing more can go. Deterministic.
Shrunk shrink(const Specimen& start, const MakeExecution& make, const ShrinkOptions& options);

}  // namespace app::shrink
