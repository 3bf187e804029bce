// fs/btrfs/dev-replace.c, 6.1, at mount: what a crash or an unmount interrupted is found, and gone
// on with.
//
// Left out: reading the target's device statistics, the refusal of seed devices.
#include <algorithm>

#include "model/ctree.h"
#include "model/dev_replace.h"
#include "model/fs_info.h"
#include "model/scrub.h"
#include "model/volumes.h"

namespace model {
namespace {

Result<void> refuse_stale_target(FsInfo& fs, const char* text) {
    const auto is_target = [](const Device* device) { return device->devid == dev_replace_devid; };
    if (std::ranges::none_of(fs.fs_devices.devices, is_target)) return {};
    fs.message("error", text);
    return Errno::UClean;
}

/// With `degraded` a device of the replace may be missing: it can be cancelled then, not resumed.
Result<void> init_interrupted(FsInfo& fs, const DevReplaceItem& item) {
    DevReplace& replace = fs.dev_replace;
    replace.srcdev = find_device(fs, item.src_devid);
    replace.tgtdev = find_device(fs, dev_replace_devid);
    const bool missing = replace.srcdev == nullptr || replace.tgtdev == nullptr;
    if (missing && !fs.degraded) {
        fs.message("error", "cannot mount because device replace operation is ongoing and");
        const bool src = replace.srcdev == nullptr;
        fs.message("error", std::string(src ? "srcdev" : "tgtdev") + " (devid " +
                                std::to_string(src ? item.src_devid : 0) +
                                ") is missing, need to run 'btrfs dev scan'?");
        return Errno::IO;
    }
    if (missing) return {};
    Device& tgt = *replace.tgtdev;
    tgt.dev_state.set_bit(dev_state::replace_tgt);
    tgt.dev_state.set_bit(dev_state::in_fs_metadata);
    copy_sizes(*replace.srcdev, tgt);
    return {};
}

}  // namespace

Result<void> init_dev_replace(FsInfo& fs) {
    DevReplace& replace = fs.dev_replace;
    Path path;
    const auto found = search_slot(nullptr, *fs.dev_root, dev_replace_item_key, path, 0, false);
    if (!found) return found.error();
    if (!*found)
        return refuse_stale_target(fs, "found replace target device without a valid replace item");
    const auto item = read_item<DevReplaceItem>(path);
    replace.is_valid = true;
    replace.replace_state = static_cast<ReplaceState>(item.replace_state);
    replace.cursor_left = replace.committed_cursor_left = replace.cursor_left_last_write_of_item =
        item.cursor_left;
    replace.cursor_right = item.cursor_right;
    replace.num_write_errors = item.num_write_errors;
    replace.num_uncorrectable_read_errors = item.num_uncorrectable_read_errors;
    if (replace.is_ongoing()) return init_interrupted(fs, item);
    return refuse_stale_target(
        fs, "replace without active item, run 'device scan --forget' on the target device");
}

// ---- going on
// -----------------------------------------------------------------------------------

namespace {

/// Whole percents of the source that lie left of the cursor. Mirrors btrfs_dev_replace_progress().
u64 progress_percent(const DevReplace& replace) {
    constexpr u64 permille = 1000;
    return replace.cursor_left / (replace.srcdev->total_bytes / permille) / 10;
}

/// What starting a replace waits for was waited for before the crash or is in the commit that was
/// mounted: from the mount on everything is duplicated. Mirrors btrfs_dev_replace_kthread() and
/// btrfs_dev_replace_continue_on_mount().
void continue_on_mount(FsInfo& fs) {
    sim::Scope scope("btrfs_dev_replace_kthread");
    DevReplace& replace = fs.dev_replace;
    const Device& src = *replace.srcdev;
    fs.message("info", "continuing dev_replace from " + device_path(src) + " (devid " +
                           std::to_string(src.devid) + ") to target " +
                           device_path(*replace.tgtdev) + " @" +
                           std::to_string(progress_percent(replace)) + "%");
    const auto scrub =
        scrub_dev(fs, src.devid, replace.committed_cursor_left, src.total_bytes, true);
    // Nobody waits for the result: the kernel warns at most, and the log has said why.
    static_cast<void>(dev_replace_finishing(fs, scrub).ok());
    replace.exclusive_operation.store(0);
}

/// @return whether there is something to go on with
bool enter_resumed(FsInfo& fs) {
    DevReplace& replace = fs.dev_replace;
    const sim::WriteGuard guard(replace.rwsem);
    replace.obj.write();
    if (!replace.is_ongoing()) return false;
    if (replace.srcdev == nullptr || replace.tgtdev == nullptr) {
        fs.message("info", "cannot continue dev_replace, tgtdev is missing");
        fs.message("info", "you may cancel the operation after 'mount -o degraded'");
        replace.replace_state = ReplaceState::Suspended;
        return false;
    }
    replace.replace_state = ReplaceState::Started;
    replace.first_new_chunk = find_next_chunk(fs);
    return true;
}

void suspend_again(FsInfo& fs) {
    {
        const sim::WriteGuard guard(fs.dev_replace.rwsem);
        fs.dev_replace.obj.write();
        fs.dev_replace.replace_state = ReplaceState::Suspended;
    }
    fs.message("info", "cannot resume dev-replace, other exclusive operation running");
}

}  // namespace

void resume_dev_replace_async(FsInfo& fs) {
    if (!enter_resumed(fs)) return;
    u32 none = 0;
    if (!fs.dev_replace.exclusive_operation.compare_exchange(none, 1)) return suspend_again(fs);
    sim::current().spawn("btrfs-devrepl", sim::Job([&fs] { continue_on_mount(fs); }));
}

}  // namespace model
