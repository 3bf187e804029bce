#pragma once
#include <string>
#include <vector>

/// What the build knows of itself.
namespace app::cli {

std::string program_version();
std::string compiler();
/// Folders of the scenarios that come with the program: of the source tree, and where they are
/// installed.
std::vector<std::string> scenario_folders();
/// The same of the lessons.
std::vector<std::string> lesson_folders();

}  // namespace app::cli
