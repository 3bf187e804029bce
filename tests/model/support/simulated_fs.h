#pragma once
#include <functional>
#include <string>
#include <vector>

#include "model/fs_info.h"
#include "sim/execution.h"

namespace test {

/// Devices "a", "b", ... of a size that holds one chunk of each kind in every profile.
model::Geometry small_geometry(unsigned devices = 1);

struct Options {
    model::Geometry geometry = small_geometry();
    std::string kernel = "6.1";
    bool mount = true;  // open_ctree() in the preparation
    sim::Grain grain = sim::Grain::Coarse;
    bool narrate = false;  // the result's trace tells scopes and remarks
};

/// Makes a filesystem, then runs the tasks on it, once, under the default schedule.
sim::ExecutionResult run_on_fs(const Options& options,
                               std::vector<std::function<void(model::FsInfo&)>> tasks);
/// The same for one task.
sim::ExecutionResult run_on_fs(const Options& options, std::function<void(model::FsInfo&)> task);

}  // namespace test
