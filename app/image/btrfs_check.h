#pragma once
#include <string>
#include <vector>

#include "app/image/image.h"

/// `btrfs check` of btrfs-progs as a judge of images.
namespace app::image {

enum class CheckMode { Default, Lowmem };
const char* to_string(CheckMode mode);

/// What the tool says of one image in one mode.
struct ToolVerdict {
    CheckMode mode = CheckMode::Default;
    std::string device;  // whose super block it began with
    bool clean = false;
    std::vector<std::string> messages;  // its own; what it prints of any image is left out
};

/// Whether btrfs-progs is there.
bool can_check();

/// Runs the tool in both modes on files in memory, for several devices once with each of them as
/// the argument: only that one's super block is used.
std::vector<ToolVerdict> check_image(const Image& image);

bool all_clean(const std::vector<ToolVerdict>& verdicts);
/// The messages, each once, with mode and device where they differ. Empty when all are clean.
std::string complaints(const std::vector<ToolVerdict>& verdicts);

/// Whether a line is one that the tool prints of any image. Anything else means that the image is
/// not clean, whatever the exit status.
bool is_progress_line(std::string_view line);

}  // namespace app::image
