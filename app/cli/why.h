#pragma once
#include "app/cli/recording.h"
#include "sim/critical.h"
#include "sim/flips.h"

namespace app::cli {

/// Why an execution fails, found by running others near it: the critical step, and the pairs of
/// steps whose order matters.
struct Why {
    std::optional<sim::CriticalStep> critical;
    std::optional<sim::Flips> flips;   // the nearest to the failing execution first
    std::vector<std::string> passing;  // a token for each of them; empty where it would be too long
    std::vector<sim::FailingShare> shares;  // --probability
    std::uint64_t executions = 0;
};

/// @param failed  the execution as replayed, narrated. @return exit 2 for a wrong --critical or
/// --flips
sim::Result<Why, Failure> find_why(const Session& session, const Recording& recording,
                                   const ScenarioPtr& scenario, const sim::ExecutionResult& failed);

/// "Label           text", wrapped to `width` columns.
std::string explain_entry(std::string label, const std::string& text, std::size_t width);

void describe_why(Report& report, const Why& why, const sim::Trace& trace);
/// @param width  columns
std::string why_text(const Why& why, const sim::Trace& trace, std::size_t width);

}  // namespace app::cli
