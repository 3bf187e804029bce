#pragma once
#include "model/device.h"
#include "sim/mutex.h"
#include "sim/rwsem.h"
#include "sim/waitqueue.h"

namespace model {

struct TransHandle;

enum class ReplaceState : u8 {
    NeverStarted = 0,
    Started = 1,
    Finished = 2,
    Canceled = 3,
    Suspended = 4
};

/// Operations on the whole filesystem that exclude each other: enum btrfs_exclusive_operation.
namespace exclop {
inline constexpr u32 none = 0, dev_replace = 1, balance = 2, balance_paused = 3, resize = 4,
                     send = 5;
}

/// fs/btrfs/ctree.h: struct btrfs_dev_replace.
struct DevReplace {
    explicit DevReplace(FsInfo& fs);
    sim::Object obj;         // state, devices: rwsem
    sim::Object cursor_obj;  // cursors, item_needs_writeback: rwsem, from 81e87a736c55 on
    sim::RwSem rwsem;
    sim::Mutex lock_finishing_cancel_unmount;
    sim::Atomic<u32> exclusive_operation;  // fs_info's: an exclop
    ReplaceState replace_state = ReplaceState::NeverStarted;
    bool is_valid = false, item_needs_writeback = false;
    Device* srcdev = nullptr;
    Device* tgtdev = nullptr;
    u64 first_new_chunk = 0;  // chunks from this address on were allocated after the start
    u64 cursor_left = 0, cursor_right = 0, committed_cursor_left = 0,
        cursor_left_last_write_of_item = 0;
    u64 num_write_errors = 0, num_uncorrectable_read_errors = 0;
    sim::Atomic<u64> bio_counter;
    sim::WaitQueue replace_wait;
    bool is_ongoing() const {
        return is_valid &&
               (replace_state == ReplaceState::Started || replace_state == ReplaceState::Suspended);
    }
};
/// Copies the source to the spare device and puts that in its place. @return InProgress while
/// another one runs, what the copying failed with, Canceled. Mirrors btrfs_dev_replace_by_ioctl().
Result<void> dev_replace_by_ioctl(FsInfo& fs, std::string_view srcdev_name,
                                  std::string_view tgtdev_name);
/// Stops a running replace and waits until its copier has stopped. @return NotConn when none runs
Result<void> dev_replace_cancel(FsInfo& fs);
/// A running replace stops here, to be gone on with by the next mount; its copier is left to
/// scrub_cancel(). Mirrors btrfs_dev_replace_suspend_for_unmount()
void dev_replace_suspend_for_unmount(FsInfo& fs);
Result<void> run_dev_replace(TransHandle& trans);  // the item, in commit_cowonly_roots
/// What a replace ends with, however its copying ended: the target takes the source's place, or
/// goes. Takes and waits for what commits take; returns at once if the replace was suspended.
/// @return what the copying failed with, or why it cannot be ended now. Mirrors
/// btrfs_dev_replace_finishing()
Result<void> dev_replace_finishing(FsInfo& fs, Result<void> scrub);

/// At mount, once the dev tree can be read: what the item says. From here on writes are duplicated
/// if a replace was going on. @return UClean for a target that no replace has, IO if a device of
/// the replace is missing and the mount is not degraded
Result<void> init_dev_replace(FsInfo& fs);
/// At the end of a mount that may write: a replace that was going on is gone on with, by a task of
/// its own. It stays suspended, with a message, if its target is missing or the exclusive operation
/// is taken. Does not wait. Mirrors btrfs_resume_dev_replace_async()
void resume_dev_replace_async(FsInfo& fs);
/// Whether a write at `physical` of `dev` also goes to the target, and where (map_block,
/// reference 1.5 step 5 and 8.1's policies). The caller holds the rwsem.
bool duplicates_write(FsInfo& fs, const Device& dev, u64 physical, Bytenr logical);

}  // namespace model
