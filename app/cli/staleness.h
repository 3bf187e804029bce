#pragma once
#include "app/cli/session.h"
#include "app/report/certificate.h"

/// Whether a certificate speaks of what is there now.
namespace app::cli {

/// What is not as it was when the certificate was made: "the scenario is another (content 5c1e
/// then, 9d20 now)"; empty: all is.
std::string changed_inputs(const report::Certificate& certificate,
                           const scenario::Scenario& scenario);

/// The line that makes it again. @param file  its name
std::string line_to_run_again(const report::Certificate& certificate, const std::string& file);

/// @return exit 3 when its scenario or kernel is not known, 5 when it is stale, with the line to
/// run
std::optional<Failure> check_inputs(const Session& session, const report::Certificate& certificate,
                                    const std::string& file);

}  // namespace app::cli
