#include "app/cli/build_info.h"

// Set for this file alone by app/CMakeLists.txt, so that a change of them compiles nothing else
// again.
#ifndef INTERLEAF_VERSION
#define INTERLEAF_VERSION "unknown"
#endif
#ifndef INTERLEAF_SOURCE_SCENARIOS
#define INTERLEAF_SOURCE_SCENARIOS ""
#endif
#ifndef INTERLEAF_INSTALLED_SCENARIOS
#define INTERLEAF_INSTALLED_SCENARIOS ""
#endif
#ifndef INTERLEAF_SOURCE_LESSONS
#define INTERLEAF_SOURCE_LESSONS ""
#endif
#ifndef INTERLEAF_INSTALLED_LESSONS
#define INTERLEAF_INSTALLED_LESSONS ""
#endif

namespace app::cli {

std::string program_version() {
    return INTERLEAF_VERSION;
}

std::string compiler() {
#if defined(__clang__)
    return "clang " __clang_version__;
#elif defined(__GNUC__)
    return "g++ " __VERSION__;
#else
    return "unknown";
#endif
}

std::vector<std::string> scenario_folders() {
    return {INTERLEAF_SOURCE_SCENARIOS, INTERLEAF_INSTALLED_SCENARIOS};
}

std::vector<std::string> lesson_folders() {
    return {INTERLEAF_SOURCE_LESSONS, INTERLEAF_INSTALLED_LESSONS};
}

}  // namespace app::cli
