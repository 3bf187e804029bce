#pragma once
#include <atomic>
#include <functional>
#include <set>

#include "app/cli/executions.h"
#include "sim/coverage.h"
#include "sim/explorer.h"

/// What explore, hunt and matrix share.
namespace app::cli {

/// The bound of an exhaustive search, and who chose it.
struct Bound {
    std::uint32_t deviations = 0;  // DfsStrategy::unbounded: all schedules
    bool accepted = false;         // by the scenario, by --preemptions or by --accept-bounded
    std::optional<std::uint32_t> number() const;  // nothing: none
    std::string text() const;                     // "2", "none"
    Json json() const;
};
Bound bound_of(const scenario::Scenario& scenario, const Settings& settings);

/// Runs the search with progress on stderr.
sim::SearchReport explore_scenario(const Session& session, const ScenarioPtr& scenario,
                                   const model::KernelVersion& kernel, const Bound& bound,
                                   bool keep_going, const std::atomic<bool>* interrupted,
                                   const scenario::ProgramOptions& program = {},
                                   const std::shared_ptr<sim::Coverage>& coverage = nullptr,
                                   const std::function<void(sim::ExploreOptions&)>& adjust = {});
/// When a hunt goes on after a failure.
struct Persistence {
    bool keep_going = false;
    std::set<std::string> known;  // signatures that are nothing new
};
sim::SearchReport hunt_scenario(const Session& session, const ScenarioPtr& scenario,
                                const model::KernelVersion& kernel, const Persistence& persistence,
                                const std::atomic<bool>* interrupted,
                                const scenario::ProgramOptions& program = {},
                                const std::shared_ptr<sim::Coverage>& coverage = nullptr);

/// Whether a search goes on after its first failure. One whose coverage or costs are asked for
/// does, since what several workers have done by then is not repeatable; and so does one that is
/// after all that are new.
inline bool keeps_going(const Session& session) {
    return session.has("keep-going") || session.has("coverage") || session.has("costs") ||
           session.has("until-new");
}

/// A failure of a search as documents and people are shown it.
struct ShownFailure {
    Json json;
    std::string token;
    std::string summary;  // the signature, and how large the execution is
    std::string rest;     // the kernel's messages, and the lines to paste
};
sim::Result<ShownFailure, Failure> show_failure(const Session& session, const ScenarioPtr& scenario,
                                                const model::KernelVersion& kernel,
                                                const sim::Failure& failure,
                                                const std::optional<report::StrategyRun>& made_by,
                                                bool with_count);

/// The execution that did not come to its end, as text and document show it; empty: all did.
struct ShownUnending {
    std::string token;
    std::string text;
};
sim::Result<ShownUnending, Failure> show_unending(const Session& session,
                                                  const ScenarioPtr& scenario,
                                                  const model::KernelVersion& kernel,
                                                  const sim::SearchReport& search);

/// As --reduction takes it.
const char* name_of(sim::Reduction reduction);

/// "time limit 4m", "interrupted": why a search ended before it was done.
std::string end_text(const sim::SearchReport& report, const Settings& settings);

}  // namespace app::cli
