#pragma once
#include "app/cli/subject.h"
#include "app/export/trace_document.h"

namespace app::cli {

/// An execution that was run once more while somebody wrote everything down.
struct RecordedRun {
    Recording recording;
    ScenarioPtr scenario;
    exporter::Recorded recorded;
};
/// @param word  an id, a file of a scenario or a failure, a token
sim::Result<RecordedRun, Failure> record(const Session& session, const std::string& word);
sim::Result<RecordedRun, Failure> record(const Session& session, Recording recording,
                                         ScenarioPtr scenario);

/// The execution that makes these choices, and goes on by default where they end.
sim::Result<RecordedRun, Failure> record_schedule(const Session& session,
                                                  const ScenarioPtr& scenario,
                                                  const model::KernelVersion& kernel,
                                                  const sim::Schedule& schedule);

/// All that is said of it besides: its ladder, what decides a failure, and, with a budget of
/// executions, what the choices lead to that were not taken.
/// @param branches  the budget; nothing: that of --branches
sim::Result<exporter::About, Failure> about(const Session& session, const RecordedRun& run,
                                            std::optional<std::uint64_t> branches = std::nullopt);

}  // namespace app::cli
