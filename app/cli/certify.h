#pragma once
#include "app/cli/search.h"
#include "app/report/certificate.h"

namespace app::cli {

/// What a search that came to its end may claim; nothing of one that did not.
std::optional<report::Certificate> certificate_of(const Session& session,
                                                  const ScenarioPtr& scenario, const Bound& bound,
                                                  const sim::SearchReport& search, Verdict verdict);

/// Writes it among the artifacts, and says where in the report. A folder that cannot be written to
/// is an error only if --artifacts named it.
std::optional<Failure> save_certificate(const Session& session,
                                        const report::Certificate& certificate, Report& report);

}  // namespace app::cli
