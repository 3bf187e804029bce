#pragma once
#include <optional>

#include "model/device.h"
#include "sim/mutex.h"
#include "sim/waitqueue.h"

namespace model {

/// fs_info's scrub fields, and the handshake with the committer (reference 3.1).
struct ScrubState {
    explicit ScrubState(FsInfo& fs);
    sim::Mutex lock;  // scrub_lock
    sim::Object obj;  // device->scrub_ctx: lock
    sim::Atomic<u32> running, paused, pause_req, cancel_req;
    sim::WaitQueue pause_wait;
};
/// One scrub or replace of one device. fs/btrfs/scrub.c: struct scrub_ctx.
struct ScrubCtx {
    ScrubCtx(FsInfo& owner, Device& device, bool dev_replace);
    FsInfo& fs;
    Device& dev;
    Device* wr_tgtdev = nullptr;
    bool is_dev_replace = false;
    u64 write_pointer = 0;  // of the target, physical: on zoned devices
    // struct btrfs_scrub_progress
    u64 data_extents_scrubbed = 0, tree_extents_scrubbed = 0, csum_errors = 0, verify_errors = 0,
        read_errors = 0, super_errors = 0, uncorrectable_errors = 0, corrected_errors = 0,
        no_csum = 0;
};
/// A device extent of the committed dev tree.
struct DevExtent {
    u64 physical = 0, length = 0;
    Bytenr chunk_offset;
};
/// The first device extent of the device at or after `from`, in the commit root.
Result<std::optional<DevExtent>> next_dev_extent(FsInfo& fs, Devid devid, u64 from);
void scrub_pause(FsInfo& fs);  // btrfs_scrub_pause: committer
void scrub_continue(FsInfo& fs);
Result<void> scrub_cancel(FsInfo& fs);  // NotConn when none runs
/// Reads and verifies every committed extent with a stripe on the device in [start, end); a replace
/// writes it to the target.
/// @return InProgress, Canceled, NoSpc when a block group cannot become read-only and must. Mirrors
/// btrfs_scrub_dev().
Result<void> scrub_dev(FsInfo& fs, Devid devid, u64 start, u64 end, bool is_dev_replace);

}  // namespace model
