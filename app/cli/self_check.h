#pragma once
#include "app/cli/executions.h"

/// `explore --self-check RATE`: what the command line and the report say of it.
namespace app::cli {

/// A share from 0 to 1.
std::optional<double> parse_share(std::string_view text);

/// What the search has to check of itself. The program is the scenario's alone: who looks on at its
/// devices sees other moments when steps change places.
sim::SelfCheckOptions self_check_options(const Session& session, const ScenarioPtr& scenario,
                                         const model::KernelVersion& kernel);

/// Adds the pairs that were swapped, and the access that is not declared with both executions that
/// show it. @return what went wrong when they had to be written to files
std::optional<Failure> add_self_check(const Session& session, const ScenarioPtr& scenario,
                                      const sim::SearchReport& search, Report& report);

}  // namespace app::cli
