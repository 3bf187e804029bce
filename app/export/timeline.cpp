#include "app/export/timeline.h"

#include <algorithm>

namespace app::exporter {

namespace {

class Teller {
  public:
    Teller(const sim::Trace& trace, TimelineReader& reader) : trace_(trace), reader_(reader) {}

    void tell() {
        for (std::uint32_t step = 0; step < trace_.steps(); ++step) {
            begin(step);
            reader_.stepped(step, next());
            while (entry_ < trace_.narration().size() && trace_.narration()[entry_].step <= step) {
                tell_points(step);
                reader_.narrated(trace_.narration()[entry_++], next());
            }
            tell_points(step);
        }
    }

  private:
    void begin(std::uint32_t step) {
        first_ = step * step_ns;
        told_ = 0;
    }
    std::uint64_t next() {
        constexpr std::uint64_t gap_ns = 1'000, last = step_ns / gap_ns - 1;
        return first_ + std::min(told_++, last) * gap_ns;
    }
    /// Those of the step that come before the next entry of the narration.
    void tell_points(std::uint32_t step) {
        const auto& points = trace_.tracepoints();
        while (point_ < points.size() && points[point_].step <= step &&
               points[point_].place <= entry_)
            reader_.traced(points[point_++], next());
    }

    const sim::Trace& trace_;
    TimelineReader& reader_;
    std::uint64_t first_ = 0, told_ = 0;
    std::size_t entry_ = 0, point_ = 0;
};

}  // namespace

void tell(const sim::Trace& trace, TimelineReader& reader) {
    Teller(trace, reader).tell();
}

}  // namespace app::exporter
