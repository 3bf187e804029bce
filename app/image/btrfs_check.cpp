#include "app/image/btrfs_check.h"

#include <algorithm>
#include <memory>
#include <sstream>

#include "app/image/memory_images.h"
#include "app/image/process.h"

namespace app::image {

namespace {

constexpr auto time_limit = std::chrono::minutes(1);
constexpr CheckMode modes[] = {CheckMode::Default, CheckMode::Lowmem};

bool is_number(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

/// "[1/7] checking root items"
bool is_phase(std::string_view line) {
    const std::size_t end = line.find(']');
    const std::size_t slash = line.find('/');
    return line.starts_with('[') && end != std::string_view::npos && slash < end &&
           is_number(line.substr(1, slash - 1)) &&
           is_number(line.substr(slash + 1, end - slash - 1));
}

/// "found 45056 bytes used, no error found"
bool is_result(std::string_view line) {
    constexpr std::string_view start = "found ", end = " bytes used, no error found";
    return line.starts_with(start) && line.ends_with(end) &&
           line.size() > start.size() + end.size() &&
           is_number(line.substr(start.size(), line.size() - start.size() - end.size()));
}

std::vector<std::string> unexpected_lines(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);)
        if (!is_progress_line(line)) lines.push_back(line);
    return lines;
}

/// One run of the tool, begun.
struct Run {
    CheckMode mode;
    std::string device;
    std::unique_ptr<Process> process;
};

ToolVerdict finish(Run& run) {
    const ProcessResult result = run.process->wait(time_limit);
    ToolVerdict verdict{.mode = run.mode, .device = run.device, .clean = false, .messages = {}};
    verdict.messages = unexpected_lines(result.text);
    if (!result.started) verdict.messages.emplace_back("btrfs check could not be started");
    if (result.timed_out) verdict.messages.emplace_back("btrfs check did not end");
    if (result.signal != 0 && !result.timed_out)
        verdict.messages.push_back("btrfs check died of signal " + std::to_string(result.signal));
    verdict.clean = result.status == 0 && verdict.messages.empty();
    if (!verdict.clean && verdict.messages.empty())
        verdict.messages.push_back("exit status " + std::to_string(result.status));
    return verdict;
}

const char* mode_word(CheckMode mode) {
    return mode == CheckMode::Default ? "original" : "lowmem";
}

}  // namespace

const char* to_string(CheckMode mode) {
    return mode == CheckMode::Default ? "default" : "lowmem";
}

bool is_progress_line(std::string_view line) {
    constexpr std::string_view starts[] = {
        "Opening filesystem", "Checking filesystem on", "UUID:",      "total ",
        "btree space waste",  "file data blocks",       " referenced"};
    for (const std::string_view start : starts)
        if (line.starts_with(start)) return true;
    return line.empty() || is_phase(line) || is_result(line);
}

bool can_check() {
    return is_installed("btrfs");
}

std::vector<ToolVerdict> check_image(const Image& image) {
    const MemoryImages files(image);
    if (!files.error().empty())
        return {{.mode = CheckMode::Default,
                 .device = "",
                 .clean = false,
                 .messages = {"no file in memory: " + files.error()}}};
    std::vector<Run> runs;
    for (std::size_t i = 0; i < files.devices().size(); ++i)
        for (const CheckMode mode : modes)
            runs.push_back({mode, files.devices()[i],
                            files.start({"btrfs", "check", "--readonly", "--check-data-csum",
                                         "--mode", mode_word(mode)},
                                        i)});
    std::vector<ToolVerdict> verdicts;
    for (Run& run : runs)
        verdicts.push_back(finish(run));
    if (verdicts.empty())
        verdicts.push_back({.mode = CheckMode::Default,
                            .device = "",
                            .clean = false,
                            .messages = {"no device holds a super block"}});
    return verdicts;
}

bool all_clean(const std::vector<ToolVerdict>& verdicts) {
    return std::all_of(verdicts.begin(), verdicts.end(),
                       [](const ToolVerdict& verdict) { return verdict.clean; });
}

std::string complaints(const std::vector<ToolVerdict>& verdicts) {
    std::string text;
    for (const ToolVerdict& verdict : verdicts) {
        if (verdict.clean) continue;
        text += (text.empty() ? "" : "\n") + std::string("btrfs check of ") + verdict.device +
                ", " + to_string(verdict.mode) + " mode:";
        for (const std::string& message : verdict.messages)
            text += "\n  " + message;
    }
    return text;
}

}  // namespace app::image
