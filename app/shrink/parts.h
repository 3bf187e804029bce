#pragma once
#include <optional>
#include <string>
#include <vector>

#include "app/scenario/scenario.h"
#include "sim/meaning.h"
#include "sim/order.h"
#include "sim/trace.h"

/// Taking parts out of a scenario, and out of what one of its executions did.
namespace app::shrink {

/// A task of a scenario, or one operation of a task.
struct Part {
    std::string task;
    std::optional<std::size_t> operation;  // nothing: the whole task
};
/// Every task, then every operation of a task that has several, in the scenario's order. Nothing
/// when there is just one task: a scenario has at least one.
std::vector<Part> tasks_of(const scenario::Scenario& scenario);
std::vector<Part> operations_of(const scenario::Scenario& scenario);

/// The scenario without the part, without its expectations (they were of the whole), and with each
/// task on the CPU that it had. @param file  the name it has in messages
std::shared_ptr<const scenario::Scenario> without(const scenario::Scenario& scenario,
                                                  const Part& part, const std::string& file);

/// What is left of an execution when a part of its scenario is gone, told in two ways.
struct Remains {
    sim::Order order;                    // whose step came when
    std::vector<sim::Meaning> meanings;  // and what it was
};
/// @param trace  of a narrated execution
Remains remains_of(const sim::Trace& trace, const Part& part);

}  // namespace app::shrink
