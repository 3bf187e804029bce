#pragma once
#include "app/cli/session.h"
#include "app/report/cases.h"

namespace app::cli {

/// Whether a verb's result can be told as test cases.
bool has_cases(VerbId verb);

/// The cases of a complete document. Failures are replayed for their ladders.
/// @param exit  the program's exit code: whether the verdict was the wanted one
report::Suite suite_of(const Session& session, const Json& document, int exit);

/// In a job of GitHub Actions: adds the table to the step's summary. @return what went wrong
std::string add_to_step_summary(const Environment& environment, const report::Suite& suite);

}  // namespace app::cli
