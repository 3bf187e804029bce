#pragma once
#include "model/ctree.h"
#include "model/device.h"

namespace model {

struct Transaction;

/// fs/btrfs/disk-io.c, and the metadata part of extent_io.c.

/// What a parent says of its child; unset fields are not checked.
struct ParentCheck {
    Transid transid;  // 0: any
    Level level = 0;
    bool has_level = false, has_first_key = false;
    Key first_key;
};
/// From the cache, or read from a device and verified (bytenr, fsid, level, structure, then the parent's word), trying each
/// copy. Takes a reference. @return IO or UClean, with the kernel's messages
Result<ExtentBuffer*> read_tree_block(FsInfo& fs, Bytenr bytenr, const ParentCheck& check);
/// The cached buffer if it is up to date and what the parent says; null: must be read.
ExtentBuffer* find_uptodate_block(FsInfo& fs, Bytenr bytenr, const ParentCheck& check, Errno* error);

/// Starts writing all dirty blocks of the transaction: lock, DIRTY -> WRITEBACK, WRITTEN, unlock, submit (reference 4.5).
Result<void> write_marked_extents(FsInfo& fs, Transaction& transaction);
/// Sleeps until they are written. @return IO after a write error
Result<void> wait_marked_extents(FsInfo& fs, Transaction& transaction);
/// Background writeback of dirty tree blocks, as memory pressure causes it (WB_SYNC_NONE).
void btree_writepages(FsInfo& fs);

/// Reference 6.1: barriers on every device, then super blocks (primary with FUA), with what the kernel tolerates.
Result<void> write_all_supers(FsInfo& fs);

/// Fills the in-memory trees and structures from what the devices hold, by reading it, with the checks that mount makes.
/// Used after mkfs, and after a crash. Mirrors open_ctree().
Result<void> open_ctree(FsInfo& fs);

/// A subvolume's root, read on first use. Mirrors btrfs_get_fs_root().
Result<Root*> get_fs_root(FsInfo& fs, Objectid objectid);

}  // namespace model
