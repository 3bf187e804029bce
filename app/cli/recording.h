#pragma once
#include "app/cli/executions.h"

namespace app::cli {

/// What a token or a failure file says.
struct Recording {
    report::Token token;
    std::vector<sim::Meaning> steps;  // of a file
    std::string word;                 // as given
};
sim::Result<Recording, Failure> load_recording(const std::string& word);

/// The scenario it was made for. @return exit 3 when there is none, 5 when it is another now
sim::Result<ScenarioPtr, Failure> scenario_of(const Session& session, const Recording& recording);

/// The same execution again. @return exit 5 when it is not the same
sim::Result<sim::ExecutionResult, Failure> replay_exactly(const Session& session,
                                                          const Recording& recording,
                                                          const ScenarioPtr& scenario,
                                                          bool narrate);

}  // namespace app::cli
