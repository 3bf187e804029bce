#pragma once
#include <functional>
#include <string>
#include <vector>

#include "model/fs_info.h"
#include "sim/explorer.h"
#include "tests/model/support/simulated_fs.h"

namespace test {

using FsTask = std::function<void(model::FsInfo&)>;

/// A prepared filesystem with all invariants watched, tasks that run on it, and the checks of the
/// end.
struct Watched {
    model::Geometry geometry = small_geometry();
    std::string kernel = "6.1";
    std::vector<std::string> with{}, without{};
    FsTask prepare{};
    std::vector<FsTask> tasks{};
};
sim::ProgramFactory watched_program(const Watched& watched);

/// One execution under the default schedule.
sim::ExecutionResult run_watched(const Watched& watched);
/// Random executions until one fails. @return its result, or the last one's
sim::SearchReport hunt_watched(const Watched& watched, std::uint64_t executions,
                               std::uint64_t seed = 1);
/// All executions with at most that many deviations from the default schedule.
sim::SearchReport explore_watched(const Watched& watched, std::uint32_t deviations);
/// The signature of the failure, or "unordered: " and an access without an order; empty if there
/// was neither.
std::string signature_of(const sim::ExecutionResult& result);
std::string signature_of(const sim::SearchReport& report);

/// small_geometry() and a spare device "c" of the same size.
model::Geometry geometry_with_spare(unsigned devices = 1);
/// The call must succeed: otherwise the execution fails with "test/WHAT".
void must(const model::Result<void>& result, const char* what);

}  // namespace test
