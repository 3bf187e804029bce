#include "app/cli/progress.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <unistd.h>

#include "app/json.h"

namespace app::cli {

using std::chrono::nanoseconds;
using std::chrono::seconds;

namespace {

constexpr std::array<seconds, 6> growing_gaps{seconds(1),  seconds(2),  seconds(5),
                                              seconds(10), seconds(30), seconds(60)};
constexpr nanoseconds live_gap = std::chrono::milliseconds(250);
constexpr nanoseconds stall_after = seconds(10);

double in_seconds(nanoseconds time) {
    return std::chrono::duration<double>(time).count();
}

bool is_set(const Environment& environment, const char* name) {
    const auto it = environment.find(name);
    return it != environment.end() && !it->second.empty();
}

}  // namespace

ProgressMode resolve_progress(const Settings& settings, const Environment& environment) {
    if (settings.quiet) return ProgressMode::None;
    if (settings.progress != ProgressMode::Auto) return settings.progress;
    const auto term = environment.find("TERM");
    const bool dumb = term == environment.end() || term->second == "dumb";
    const bool in_ci = is_set(environment, "CI") || is_set(environment, "GITHUB_ACTIONS");
    return ::isatty(STDERR_FILENO) != 0 && !dumb && !in_ci ? ProgressMode::Live
                                                           : ProgressMode::Plain;
}

Progress::Progress(Diagnostics& diagnostics, EventStream& events, ProgressMode mode,
                   std::optional<nanoseconds> interval, std::string what, bool bounded)
    : diagnostics_(diagnostics), events_(events), mode_(mode), interval_(interval),
      what_(std::move(what)), bounded_(bounded) {
    lines_gap_.next = mode == ProgressMode::Live ? live_gap : interval.value_or(growing_gaps[0]);
    events_gap_.next = interval.value_or(growing_gaps[0]);
}

Progress::~Progress() {
    if (live_line_) diagnostics_.raw("\r\033[K");
}

bool Progress::is_due(Gap& gap, ProgressMode mode, nanoseconds elapsed) const {
    if (mode == ProgressMode::None || elapsed < gap.next) return false;
    ++gap.lines;
    if (mode == ProgressMode::Live)
        gap.next = elapsed + live_gap;
    else if (interval_)
        gap.next = elapsed + *interval_;
    else  // at 1, 2, 5, 10, 30 and 60 seconds, then each minute
        gap.next = gap.lines < growing_gaps.size() ? nanoseconds(growing_gaps[gap.lines])
                                                   : elapsed + growing_gaps.back();
    return true;
}

void Progress::show(const sim::SearchProgress& progress) {
    const nanoseconds elapsed = Clock::now() - began_;
    if (progress.executions != last_executions_) {
        last_executions_ = progress.executions;
        last_finished_ = elapsed;
    }
    const ProgressMode streamed =
        mode_ == ProgressMode::None || !events_.is_on() ? ProgressMode::None : ProgressMode::Jsonl;
    if (is_due(events_gap_, streamed, elapsed)) events_.write(json(progress));
    if (!is_due(lines_gap_, mode_, elapsed)) return;
    if (mode_ == ProgressMode::Jsonl) return diagnostics_.info(json(progress));
    if (mode_ == ProgressMode::Plain) return diagnostics_.info(line(progress, elapsed));
    live_line_ = true;
    diagnostics_.raw("\r\033[K" + line(progress, elapsed));
}

/// The share is an estimate: how many branches are found on the way differs from program to
/// program. How often the truth is inside: bench/README.md.
std::pair<nanoseconds, nanoseconds> time_left(const sim::SearchProgress& progress) {
    constexpr double shortest = 0.6, longest = 2.0;  // of what the share makes the whole
    const double here = in_seconds(progress.elapsed);
    const auto in_time = [&](double factor) {
        const double left = std::max(0.0, here * (factor / progress.share_done - 1));
        return nanoseconds(static_cast<std::int64_t>(std::min(left, 1e9) * 1e9));
    };
    return {in_time(shortest), in_time(longest)};
}

std::string Progress::line(const sim::SearchProgress& progress, nanoseconds elapsed) const {
    const double here = std::max(in_seconds(progress.elapsed), 1e-9);
    const auto rate = static_cast<std::uint64_t>(static_cast<double>(progress.executions) / here);
    std::string text = what_ + ": ";
    if (bounded_) text += "bound " + std::to_string(progress.bound) + ", ";
    text += grouped(progress.executions) + " executions, " + grouped(rate) + "/s, ";
    const bool knows_share = progress.share_done > 0 && progress.share_done < 1;
    if (knows_share) {
        char share[32];
        std::snprintf(share, sizeof share, "%.1f", 100 * progress.share_done);
        text += "about " + std::string(share) + "% done, ";
    }
    text += format_time(elapsed) + " elapsed";
    if (knows_share) {
        const auto [low, high] = time_left(progress);
        text += ", " + format_time(low) + " to " + format_time(high) + " left";
    }
    if (progress.failures > 0) text += ", " + grouped(progress.failures) + " failures";
    if (elapsed - last_finished_ >= stall_after)
        text += ", stalled: no execution finished for " + format_time(elapsed - last_finished_);
    return text;
}

std::string Progress::json(const sim::SearchProgress& progress) const {
    Json event = {{"schema", 1},
                  {"event", "progress"},
                  {"what", what_},
                  {"executions", progress.executions},
                  {"steps", progress.steps},
                  {"bound", progress.bound},
                  {"share_done", progress.share_done},
                  {"failures", progress.failures},
                  {"elapsed_ms", progress.elapsed.count() / 1'000'000}};
    if (progress.share_done > 0 && progress.share_done < 1) {
        const auto [low, high] = time_left(progress);
        event["left_ms"] = {low.count() / 1'000'000, high.count() / 1'000'000};
    }
    return event.dump();
}

std::string grouped(std::uint64_t number) {
    std::string digits = std::to_string(number);
    for (std::size_t at = digits.size(); at > 3; at -= 3)
        digits.insert(at - 3, " ");
    return digits;
}

std::string counted(std::uint64_t number, const std::string& thing) {
    return grouped(number) + " " + thing + (number == 1 ? "" : "s");
}

std::string format_time(nanoseconds time) {
    const double all = in_seconds(time);
    const auto whole = static_cast<std::uint64_t>(all + 0.5);
    char text[48];
    if (all < 9.95)
        std::snprintf(text, sizeof text, "%.1f s", all);
    else if (whole < 60)
        std::snprintf(text, sizeof text, "%llu s", static_cast<unsigned long long>(whole));
    else if (whole < 3600)
        std::snprintf(text, sizeof text, "%llum%02llus",
                      static_cast<unsigned long long>(whole / 60),
                      static_cast<unsigned long long>(whole % 60));
    else
        std::snprintf(text, sizeof text, "%lluh%02llum",
                      static_cast<unsigned long long>(whole / 3600),
                      static_cast<unsigned long long>(whole / 60 % 60));
    return text;
}

}  // namespace app::cli
