#pragma once
#include <cstdint>

#include "sim/trace.h"

namespace app::exporter {

/// Time for tools that draw one: a step takes a millisecond.
inline constexpr std::uint64_t step_ns = 1'000'000;

/// Is told an execution in its order. Times are in ns and never go back; within a step whatever is
/// told comes a microsecond after what was told before it.
class TimelineReader {
  public:
    virtual ~TimelineReader() = default;
    virtual void stepped(std::uint32_t step, std::uint64_t ns) = 0;
    virtual void narrated(const sim::Narration& entry, std::uint64_t ns) = 0;
    virtual void traced(const sim::Tracepoint& point, std::uint64_t ns) = 0;
};

/// @param trace  narrated
void tell(const sim::Trace& trace, TimelineReader& reader);

}  // namespace app::exporter
