#pragma once
#include <vector>

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
/// From the cache, or read from a device and verified (bytenr, fsid, level, structure, then the
/// parent's word), trying each copy. Takes a reference. @return IO or UClean, with the kernel's
/// messages
Result<ExtentBuffer*> read_tree_block(FsInfo& fs, Bytenr bytenr, const ParentCheck& check);
/// The cached buffer if it is up to date and what the parent says; null: must be read.
ExtentBuffer* find_uptodate_block(FsInfo& fs, Bytenr bytenr, const ParentCheck& check,
                                  Errno* error);

/// Sleeps until the block is not under writeback. Mirrors wait_on_extent_buffer_writeback().
void wait_on_extent_buffer_writeback(ExtentBuffer& eb);
/// Starts writing all dirty blocks of the transaction: lock, DIRTY -> WRITEBACK, WRITTEN, unlock,
/// submit (reference 4.5).
Result<void> write_marked_extents(FsInfo& fs, Transaction& transaction);
/// Sleeps until they are written, and forgets dirty_pages. @return IO after a write error. Mirrors
/// btrfs_wait_extents()
Result<void> wait_marked_extents(FsInfo& fs, Transaction& transaction);
/// Background writeback of dirty tree blocks, as memory pressure causes it (WB_SYNC_NONE).
void btree_writepages(FsInfo& fs);

/// Reference 6.1: barriers on every device, then super blocks (primary with FUA), with what the
/// kernel tolerates.
Result<void> write_all_supers(FsInfo& fs);

/// Fills the in-memory trees and structures from what the devices hold, by reading it, with the
/// checks that mount makes. Used after mkfs, and after a crash. A replace that was going on is
/// resumed by a task of its own. Mirrors open_ctree().
Result<void> open_ctree(FsInfo& fs);

/// The root of a tree by its id; a subvolume's is read on first use. @return NoEnt when there is
/// none, or it is deleted. Mirrors btrfs_get_fs_root().
Result<Root*> get_fs_root(FsInfo& fs, Objectid objectid);
/// The tree of a ROOT_ITEM, known to nobody else. Mirrors btrfs_read_tree_root() once it has the
/// item
Result<Root*> read_root(FsInfo& fs, const Key& key, const RootItem& item);

// ---- bytes of blocks ----------------------------------------------------------------------------

/// Writes the checksum of a tree block or super block into its first bytes: it covers everything
/// from byte 32 on.
void seal_block(unsigned char* block, u32 bytes);
/// Whether the checksum in the first bytes is that of the rest.
bool is_sealed(const unsigned char* block, u32 bytes);
/// The primary super block that the medium holds. @return Inval if there is none, UClean if its
/// checksum is wrong
Result<SuperBlock> parse_super(const Sector& sector, u64 offset);
/// The bytes of a tree block as a mount would find them: the cached buffer, else the first copy
/// whose checksum is right. Touches nothing: for checks and digests. Empty when there is none.
std::vector<unsigned char> peek_tree_block(const FsInfo& fs, Bytenr bytenr);
/// The same from the devices alone.
/// @param durable_only  what a crash would leave
std::vector<unsigned char> peek_block_on_devices(const FsInfo& fs, Bytenr bytenr,
                                                 bool durable_only);

}  // namespace model
