#pragma once
#include <filesystem>
#include <string>

#include "app/json.h"
#include "app/report/cases.h"

namespace app::cli {

/// A matrix for readers, in Markdown: the table with its legend, what replays each failure, and the
/// ladders of those that nobody expects.
/// @param document  the complete document of the verb  @param suite  its cases
/// @param folder  where the page lies: its links begin there
std::string matrix_page(const Json& document, const report::Suite& suite,
                        const std::filesystem::path& folder);

}  // namespace app::cli
