#pragma once
#include <atomic>

#include "app/cli/executions.h"
#include "sim/explorer.h"

/// What explore, hunt and matrix share.
namespace app::cli {

/// The bound of an exhaustive search, and who chose it.
struct Bound {
    std::uint32_t deviations = 0;  // DfsStrategy::unbounded: all schedules
    bool accepted = false;         // by the scenario, by --preemptions or by --accept-bounded
    std::string text() const;      // "2", "none"
    nlohmann::ordered_json json() const;
};
Bound bound_of(const scenario::Scenario& scenario, const Settings& settings);

/// Runs the search with progress on stderr.
sim::SearchReport explore_scenario(const Session& session, const ScenarioPtr& scenario,
                                   const model::KernelVersion& kernel, const Bound& bound,
                                   bool keep_going, const std::atomic<bool>* interrupted,
                                   const scenario::ProgramOptions& program = {});
sim::SearchReport hunt_scenario(const Session& session, const ScenarioPtr& scenario,
                                const model::KernelVersion& kernel, bool keep_going,
                                const std::atomic<bool>* interrupted,
                                const scenario::ProgramOptions& program = {});

/// A failure of a search as documents show it: signature, count, token.
struct ShownFailure {
    nlohmann::ordered_json json;
    std::string token;
    std::string text;
};
sim::Result<ShownFailure, Failure> show_failure(const Session& session, const ScenarioPtr& scenario,
                                                const model::KernelVersion& kernel,
                                                const sim::Failure& failure,
                                                const std::optional<report::StrategyRun>& made_by,
                                                bool with_count);

/// As --reduction takes it.
const char* name_of(sim::Reduction reduction);

/// "time limit 4m", "interrupted": why a search ended before it was done.
std::string end_text(const sim::SearchReport& report, const Settings& settings);

}  // namespace app::cli
