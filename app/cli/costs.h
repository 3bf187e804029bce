#pragma once
#include <optional>

#include "app/cli/session.h"
#include "app/report/certificate.h"
#include "sim/coverage.h"

/// `explore --costs`: over which kinds of objects the reversible races were. Each asks for another
/// execution, so this is what the executions are spent on.
namespace app::cli {

/// Nothing when it was not asked for.
std::optional<report::Costs> costs_of(const Session& session, const sim::Coverage* coverage);
/// Lines in the text, all kinds in the document.
void add_costs(const report::Costs& costs, Report& report);

}  // namespace app::cli
