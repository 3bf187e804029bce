#pragma once
#include <string>

#include "app/export/recorder.h"
#include "app/scenario/scenario.h"

namespace app::exporter {

/// An execution as the text of the kernel's `trace` file, which Perfetto and other readers of
/// ftrace take: the model's tracepoints with the names and fields of Linux 6.1, sched_switch and
/// sched_waking for who runs where, and what is no tracepoint in the kernel as markers
/// (tracing_mark_write): functions as slices (B and E, in the manner of ATrace), remarks and kernel
/// messages as instants (I). Times: timeline.h.
struct FtraceText {
    std::string content;
    std::size_t lines = 0;        // of events
    std::size_t tracepoints = 0;  // of them, of btrfs and the block layer
};
FtraceText ftrace_text(const Recorded& recorded, const scenario::Scenario& scenario);

}  // namespace app::exporter
