#pragma once
#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "app/cli/diagnostics.h"
#include "app/cli/events.h"
#include "app/cli/settings.h"
#include "sim/explorer.h"

namespace app::cli {

/// Where progress goes when --progress is auto: to a terminal live, else in plain lines.
ProgressMode resolve_progress(const Settings& settings, const Environment& environment);

/// Tells people how far a search is.
class Progress {
  public:
    /// @param what   "explore replace/001 on 5.5"
    /// @param bounded  whether the search deepens a bound, so that shares are of the present one
    Progress(Diagnostics& diagnostics, EventStream& events, ProgressMode mode,
             std::optional<std::chrono::nanoseconds> interval, std::string what, bool bounded);
    ~Progress();
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    void show(const sim::SearchProgress& progress);

  private:
    using Clock = std::chrono::steady_clock;
    /// When the next line comes.
    struct Gap {
        std::chrono::nanoseconds next{0};
        std::size_t lines = 0;
    };
    bool is_due(Gap& gap, ProgressMode mode, std::chrono::nanoseconds elapsed) const;
    /// @param elapsed  since the search began; the engine counts from the present bound's beginning
    std::string line(const sim::SearchProgress& progress, std::chrono::nanoseconds elapsed) const;
    std::string json(const sim::SearchProgress& progress) const;

    Diagnostics& diagnostics_;
    EventStream& events_;
    ProgressMode mode_;
    std::optional<std::chrono::nanoseconds> interval_;
    std::string what_;
    bool bounded_;
    Clock::time_point began_ = Clock::now();
    Gap lines_gap_, events_gap_;
    std::uint64_t last_executions_ = 0;
    std::chrono::nanoseconds last_finished_{0};  // when an execution was last seen to finish
    bool live_line_ = false;
};

/// "1 204 338"
std::string grouped(std::uint64_t number);
/// "1 deviation", "2 deviations".
std::string counted(std::uint64_t number, const std::string& thing);
/// "1m41s", "3.2 s"
std::string format_time(std::chrono::nanoseconds time);

}  // namespace app::cli
