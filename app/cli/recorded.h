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

/// All that is said of it besides: its ladder, what decides a failure, and, with a budget of
/// executions (--branches), what the choices lead to that were not taken.
sim::Result<exporter::About, Failure> about(const Session& session, const RecordedRun& run);

}  // namespace app::cli
