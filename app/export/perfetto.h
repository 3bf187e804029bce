#pragma once
#include <string>

#include "app/export/recorder.h"
#include "app/scenario/scenario.h"

namespace app::exporter {

/// A trace for Perfetto, and how much is in it.
struct PerfettoTrace {
    std::string content;  // a message perfetto.protos.Trace
    std::size_t cpus = 0, tasks = 0, locks = 0, objects = 0, flows = 0, counters = 0;  // tracks
};

/// Tracks for each processor, task, lock and object, as track events. On a task's track its calls
/// nest, and its steps and remarks are instants; locks have tracks of who held them and who waited;
/// transactions, heads of delayed references, ordered extents and block groups have one each, from
/// when they are there until they are gone; arrows go from a wake-up to the step that it made
/// possible. Times: timeline.h.
PerfettoTrace perfetto_trace(const Recorded& recorded, const scenario::Scenario& scenario);

}  // namespace app::exporter
