#pragma once
#include "app/cli/search.h"
#include "app/report/certificate.h"

namespace app::cli {

/// What a search that came to its end may claim; nothing of one that did not.
std::optional<report::Certificate> certificate_of(const Session& session,
                                                  const ScenarioPtr& scenario, const Bound& bound,
                                                  const sim::SearchReport& search, Verdict verdict);

/// The same of a search that ended where it was to end, be it with a failure.
report::Certificate describe_search(const Session& session, const ScenarioPtr& scenario,
                                    const Bound& bound, const sim::SearchReport& search,
                                    Verdict verdict);

/// Digest of what a search without crash points and failures prepares; nothing when it cannot be.
std::optional<std::uint64_t> prepared_state(const Session& session, const ScenarioPtr& scenario,
                                            const model::KernelVersion& kernel);

/// Writes it to the folder. @return what went wrong; empty: nothing
std::string write_certificate(const std::string& folder, const report::Certificate& certificate);

/// Writes it among the artifacts, and says where in the report. A folder that cannot be written to
/// is an error only if --artifacts named it.
std::optional<Failure> save_certificate(const Session& session,
                                        const report::Certificate& certificate, Report& report);

}  // namespace app::cli
