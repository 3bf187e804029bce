#pragma once
#include "app/cli/recorded.h"

namespace app::cli {

/// A page and what was left out of it.
struct Page {
    std::string content;
    std::uint32_t steps = 0;  // of the first execution, that the page tells
    bool with_partner = false;
};

/// The page of one execution, or of two to compare. A failing one alone takes the passing execution
/// nearest to it along, where one is known. What would make a page of more than 5 MB is cut to a
/// window around the critical step.
/// @param notes  that the page carries: trace (0 or 1), step, text
sim::Result<Page, Failure> page_of(const Session& session, const RecordedRun& run,
                                   const RecordedRun* other,
                                   const exporter::Json& notes = exporter::Json::array());

}  // namespace app::cli
