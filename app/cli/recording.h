#pragma once
#include "app/cli/executions.h"

namespace app::cli {

/// What a token or a failure file says.
struct Recording {
    report::Token token;
    std::vector<sim::Meaning> steps;  // of a file
    std::string word;                 // as given
    bool has_scenario = false;        // the file carries it
};
sim::Result<Recording, Failure> load_recording(const std::string& word);

/// The scenario it was made for. @return exit 3 when there is none, 5 when it is another now
sim::Result<ScenarioPtr, Failure> scenario_of(const Session& session, const Recording& recording);

/// What replay and explain need beside it, on a command line: see replay_options().
std::string options_of(const Session& session, const Recording& recording,
                       const scenario::Scenario& scenario);

/// Refuses a --kernel that is not the recording's, in verbs that can only repeat it.
std::optional<Failure> other_kernel(const Session& session, const Recording& recording);

/// The same execution again. @return exit 5 when it is not the same
sim::Result<sim::ExecutionResult, Failure> replay_exactly(const Session& session,
                                                          const Recording& recording,
                                                          const ScenarioPtr& scenario,
                                                          bool narrate);

/// Runs the recorded choices in an execution that was prepared for them. @return exit 5 when it is
/// not the execution that was recorded
std::optional<Failure> run_exactly(const Recording& recording, sim::Execution& execution,
                                   const sim::ExecutionResult*& result);

}  // namespace app::cli
