#pragma once
#include "app/cli/recording.h"

/// What the verbs work on that take a scenario, a token or a failure file.
namespace app::cli {

/// One execution: recorded, or that of a scenario by strategy and seed.
struct Subject {
    ScenarioPtr scenario;
    model::KernelVersion kernel;
    sim::ExecutionOptions options;
    std::optional<Recording> recording;  // else by strategy and seed
};
sim::Result<Subject, Failure> subject_of(const Session& session, const std::string& word);

/// The choices of the execution; of a recorded one they go on by default where the record ends.
std::unique_ptr<sim::Strategy> choices_of(const Session& session, const Subject& subject,
                                          sim::Execution& execution);

/// A recording of the subject: its own, or of the execution that the strategy makes now.
sim::Result<Recording, Failure> recording_of(const Session& session, const Subject& subject);

}  // namespace app::cli
