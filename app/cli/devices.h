#pragma once
#include "app/cli/session.h"
#include "app/crash/search.h"

/// --crash-at and --check-images, for the verbs that have them.
namespace app::cli {

/// What they ask for; null: nothing. Says so when there is no btrfs-progs to check images with.
std::shared_ptr<crash::CrashSearch> crash_search(const Session& session);
/// For one execution of a scenario.
scenario::ProgramOptions watch_devices(const Session& session, const scenario::Scenario& scenario,
                                       const model::KernelVersion& kernel);
/// " --crash-at every-flush", as given; empty when nothing was.
std::string devices_options(const Session& session);
/// How many crash points and images there were, and how many distinct ones.
void describe_devices(Report& report, const std::shared_ptr<crash::CrashSearch>& search);

}  // namespace app::cli
