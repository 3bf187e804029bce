#pragma once
#include <functional>

#include "model/block_rsv.h"
#include "model/format.h"
#include "model/objects.h"
#include "sim/mutex.h"

namespace model {

struct BlockGroup;
struct ExtentBuffer;
struct Inode;
struct Root;
struct TransHandle;

/// fs/btrfs/relocation.c: data extents are copied first, then the pointers to them are changed.
enum class RelocStage : u8 { MoveDataExtents, UpdateDataPtrs };

/// fs/btrfs/relocation.c: struct reloc_control. One block group that is being emptied.
struct RelocControl {
    RelocControl(FsInfo& owner, BlockGroup* group);

    FsInfo& fs;
    BlockGroup* bg;  // null: what a crash interrupted is being finished
    RelocStage stage = RelocStage::MoveDataExtents;
    BlockRsv block_rsv{RsvType::Temp};
    Inode* data_inode = nullptr;  // the relocation inode: bg's bytes at the same offsets
    bool create_reloc_tree = false;
    bool merge_reloc_tree = false;
    bool found_file_extent = false;  // data was copied in this pass
    u64 extents_found = 0;
    u64 search_start = 0;
    u64 nodes_relocated = 0;           // bytes of nodes copied in reloc trees
    u64 merging_rsv_size = 0;          // what merging will want
    Vector<Root*> reloc_roots;         // to be merged: reloc_mutex, or nobody adds any
    Vector<Root*> reloc_root_tree;     // that count: found by their committed root
    Vector<Root*> dirty_subvol_roots;  // merged: their reloc trees are to be dropped
    Set<u64> processed_blocks;         // of this pass, by address
    /// Where blocks went in the transaction `moved_in`: what the kernel's backref cache remembers.
    Map<u64, u64> moved;
    u64 moved_in = 0;
};

/// What a filesystem knows of its relocation.
struct RelocState {
    explicit RelocState(FsInfo& fs);
    sim::Object obj;              // keyed by tree for root->reloc_root; as a whole for `ctl`
    RelocControl* ctl = nullptr;  // written under reloc_mutex
    bool has_begun = false;       // there was one: reloc_mutex
    /// The newest transaction that a relocation was part of: commit_root_sem.
    sim::Tracked<u64> last_reloc_trans;
    sim::Mutex reclaim_bgs_lock;  // delete_unused_bgs_mutex before 5.13: one chunk at a time
    Map<u64, BlockGroup*> removed_groups;  // by start: whoever found one before may look at it
};

/// Empties a chunk and removes it; the caller holds reclaim_bgs_lock.
/// @param canceled  asked between extents; true ends the relocation with Canceled
/// @return NoSpc: there is no other place; Again: excluded by a send. Mirrors
/// btrfs_relocate_chunk()
using ShouldCancel = std::function<bool()>;
Result<void> relocate_chunk(FsInfo& fs, Bytenr chunk_offset, const ShouldCancel& canceled);
/// At mount: relocation trees that a crash left are merged if their merge had begun, and dropped;
/// so are the files that data was copied through. Mirrors btrfs_recover_relocation()
Result<void> recover_relocation(FsInfo& fs);
/// Frees the device extents and removes the items and maps of an empty chunk. Mirrors
/// btrfs_remove_chunk()
Result<void> remove_chunk(TransHandle& trans, Bytenr chunk_offset);

// ---- hooks of other parts
// ------------------------------------------------------------------------

/// First touch of a file tree in a transaction: a running relocation gets its copy of the tree.
/// reloc_mutex is held. Mirrors btrfs_init_reloc_root()
Result<void> init_reloc_root(TransHandle& trans, Root& root);
/// The root item of the tree's relocation tree, in a commit. Mirrors btrfs_update_reloc_root()
Result<void> update_reloc_root(TransHandle& trans, Root& root);
/// A block of a file tree or relocation tree was copied: `cow` is not yet linked. Mirrors
/// btrfs_reloc_cow_block()
Result<void> reloc_cow_block(TransHandle& trans, Root& root, const ExtentBuffer& buf,
                             ExtentBuffer& cow);
/// A snapshot is about to be made of the tree; reloc_mutex is held. The reservation for merging it
/// is left out. Mirrors btrfs_reloc_pre_snapshot()
void reloc_pre_snapshot(const Root& source);
/// A snapshot of a tree that is being relocated gets a copy of its relocation tree. Mirrors
/// btrfs_reloc_post_snapshot()
Result<void> reloc_post_snapshot(TransHandle& trans, Root& source, Root& snap);
/// Checksums of data in the relocation inode are those of where it came from. Mirrors
/// btrfs_reloc_clone_csums()
Result<void> reloc_clone_csums(TransHandle& trans, Inode& inode, u64 file_offset, u64 bytes,
                               Bytenr disk_bytenr);
/// A nocow write looks whether the tree may have been copied: orders it with the copying.
void reloc_order_last_snapshot(const Root& root);

}  // namespace model
