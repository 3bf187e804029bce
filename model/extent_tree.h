#pragma once
#include "model/ctree.h"
#include "model/delayed_ref.h"

namespace model {

struct Root;
struct TransHandle;

/// What find_free_extent() handed out.
struct ReservedExtent {
    Bytenr start;
    u64 num_bytes = 0;
};
/// Takes space from a block group that is not read-only: bytes_may_use -> bytes_reserved. May
/// allocate a chunk and sleep. Counts the group's reservations up: the caller drops them once an
/// ordered extent (or item) exists. @return NoSpc
Result<ReservedExtent> reserve_extent(Root& root, u64 ram_bytes, u64 num_bytes, u64 min_alloc_size,
                                      bool is_data, bool delalloc);
void free_reserved_extent(FsInfo& fs, Bytenr start, u64 len, bool delalloc);
/// reserved -> pinned, and remembered in the transaction. Mirrors btrfs_pin_extent() /
/// pin_down_extent().
Result<void> pin_extent(TransHandle& trans, Bytenr bytenr, u64 num_bytes, bool reserved);

/// Allocates a tree block and queues its reference; returns it write-locked. Mirrors
/// btrfs_alloc_tree_block().
Result<ExtentBuffer*> alloc_tree_block(TransHandle& trans, Root& root, u64 parent,
                                       Objectid root_objectid, Level level, unsigned nesting);
/// Queues the DROP, or gives the space back at once if the block was born and never seen in this
/// transaction. Mirrors btrfs_free_tree_block(): the level is what the header says now.
Result<void> free_tree_block(TransHandle& trans, Objectid root_id, ExtentBuffer& buf, u64 parent,
                             bool last_ref);
/// References for all children of `buf` (tree blocks, or data extents of file extent items).
/// Mirrors btrfs_inc_ref()/dec_ref().
Result<void> inc_ref(TransHandle& trans, Root& root, ExtentBuffer& buf, bool full_backref);
Result<void> dec_ref(TransHandle& trans, Root& root, ExtentBuffer& buf, bool full_backref);
struct ExtentInfo {
    u64 refs = 0, flags = 0;
};
/// Extent item plus what is queued. Takes head mutexes; may sleep. Mirrors
/// btrfs_lookup_extent_info(). trans may be null.
Result<ExtentInfo> lookup_extent_info(TransHandle* trans, FsInfo& fs, Bytenr bytenr,
                                      u64 offset_or_level, bool metadata);
/// Queues a reference. Mirrors btrfs_inc_extent_ref() / btrfs_free_extent().
Result<void> inc_data_ref(TransHandle& trans, const DataRef& ref);
Result<void> free_data_extent(TransHandle& trans, const DataRef& ref);
/// A newly written extent: ADD_DELAYED_EXTENT. Mirrors btrfs_alloc_reserved_file_extent().
Result<void> alloc_reserved_file_extent(TransHandle& trans, Objectid root, u64 objectid, u64 offset,
                                        const ReservedExtent& ins);
/// Whether another root or inode references the extent (commit root and queued references). Mirrors
/// btrfs_cross_ref_exist().
Result<bool> cross_ref_exist(Root& root, u64 objectid, u64 offset, Bytenr bytenr);

/// Flags to set on an extent item, handed from a head to what runs it. fs/btrfs/delayed-ref.h:
/// struct btrfs_delayed_extent_op.
struct ExtentOp {
    bool present = false;
    u64 flags = 0;
    Level level = 0;
};
/// Runs one queued reference against the extent tree. Mirrors run_one_delayed_ref().
Result<void> run_one_delayed_ref(TransHandle& trans, const DelayedRefHead& head,
                                 const DelayedRefNode& node, bool insert_reserved,
                                 const ExtentOp& extent_op);
Result<void> run_delayed_extent_op(TransHandle& trans, const DelayedRefHead& head,
                                   const ExtentOp& extent_op);
/// Adds a range to the transaction's pinned extents, merging neighbours (set_extent_dirty on the io
/// tree).
void remember_pinned(struct Transaction& transaction, Bytenr start, u64 bytes);
/// After the super block: unpins everything the transaction pinned. Mirrors
/// btrfs_finish_extent_commit().
Result<void> finish_extent_commit(TransHandle& trans);
/// Takes the range out of `pinned`. @param return_free_space  false after an abort. Mirrors
/// unpin_extent_range().
void unpin_extent_range(FsInfo& fs, Bytenr start, u64 bytes, bool return_free_space);

}  // namespace model
