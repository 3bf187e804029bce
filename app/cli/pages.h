#pragma once
#include "app/cli/recorded.h"

namespace app::cli {

/// A page and what was left out of it.
struct Page {
    std::string content;
    std::uint32_t steps = 0;    // that are told of the first execution
    bool with_partner = false;  // the passing execution next to a failing one was added
    std::string cut;            // what is told if not all of it is; empty: all
};

/// The page of one execution, or of two to compare. A failing one alone takes the passing execution
/// nearest to it along, where one is known. What would make a page of more than 5 MB (--max-bytes)
/// is cut to a window around the critical step.
/// @param notes  that the page carries: trace (0 or 1), step, text
/// @return exit 2 when even the smallest window needs more
sim::Result<Page, Failure> page_of(const Session& session, const RecordedRun& run,
                                   const RecordedRun* other,
                                   const SortedJson& notes = SortedJson::array());

}  // namespace app::cli
