#pragma once
#include "model/relocation.h"
#include "model/root.h"

/// What the files of relocation share with each other. Not for other parts of the model.
namespace model::reloc {

inline bool is_reloc_tree(const Root& root) {
    return root.objectid == tree_reloc_objectid;
}
bool in_group(const RelocControl& rc, u64 bytenr);

// relocation_lifespan.cpp
/// Looking at root->reloc_root and at the bit that says that it is dead, and changing them.
void order_read(const Root& root);
void order_change(const Root& root);
/// Whether the tree's copy counts no more: it was merged. Mirrors reloc_root_is_dead()
bool reloc_root_is_dead(const Root& root);
void set_dead(Root& root, bool dead);
/// The tree's relocation tree, as far as it counts. Mirrors have_reloc_root()
Root* live_reloc_root(const Root& root);
/// The tree becomes part of a transaction, and has a relocation tree: so does that one, or, since
/// 1fac4a54374f, only a live one. Mirrors the first half of btrfs_init_reloc_root()
void touch_reloc_root(TransHandle& trans, Root& root);
/// The tree's copy was merged and is about to be dropped. Mirrors clean_dirty_subvols()
void forget_merged(Root& root);
/// A relocation tree that was dropped is given back. Mirrors what btrfs_drop_snapshot() does last
void free_reloc_root(Root& reloc_root);

// relocation_roots.cpp
/// The relocation tree whose committed root stands at the address, or null. Mirrors
/// find_reloc_root()
Root* find_reloc_root(const RelocControl& rc, u64 bytenr);
/// `root` is being relocated in `reloc_root`: to be merged. reloc_mutex is held, or nobody else is
/// there yet. Mirrors __add_reloc_root()
void add_reloc_root(RelocControl& rc, Root& root, Root& reloc_root);
/// The tree that a relocation tree is a copy of.
Result<Root*> subvolume_of(Root& reloc_root);
/// Every tree that was copied is prepared for its merge, in a committed transaction.
/// @param error  why there will be no merge. Mirrors prepare_to_merge()
Result<void> prepare_to_merge(RelocControl& rc, Result<void> error);
/// Each relocation tree's blocks take the places of the old ones. Mirrors merge_reloc_roots()
Result<void> merge_reloc_roots(RelocControl& rc);
/// Drops the merged trees. Mirrors clean_dirty_subvols()
Result<void> clean_dirty_subvols(RelocControl& rc);

// relocation_blocks.cpp
/// A tree block of the group, or a leaf that points into it.
struct TreeBlock {
    u64 bytenr;
    Level level;
};
/// Moves the block in every tree that has it. Mirrors relocate_tree_blocks()
Result<void> relocate_tree_block(TransHandle& trans, RelocControl& rc, const TreeBlock& block);

// relocation_data.cpp
Result<void> create_reloc_inode(RelocControl& rc);
/// Copies a data extent to where the relocation inode's new extent is; not written yet. Mirrors
/// relocate_data_extent()
Result<void> relocate_data_extent(RelocControl& rc, u64 start, u64 bytes);
/// The items of a leaf that point into the group point to the new places. Mirrors
/// replace_file_extents()
Result<void> replace_file_extents(TransHandle& trans, RelocControl& rc, Root& root,
                                  ExtentBuffer& leaf);
/// Nobody reads from the old places any more. Mirrors invalidate_extent_cache()
void wait_for_readers(Root& root);

/// From here on it is the filesystem's; null: none is. Mirrors set_reloc_control() and
/// unset_reloc_control()
void set_reloc_control(FsInfo& fs, RelocControl* rc, bool create_reloc_tree);
/// Mirrors the ends of prepare_to_relocate() and of relocate_block_group()
Result<void> join_and_commit(FsInfo& fs);
/// Tops the reserve of relocation up to `bytes`. Mirrors btrfs_block_rsv_refill()
Result<void> refill(RelocControl& rc, u64 bytes, Flush flush);

}  // namespace model::reloc
