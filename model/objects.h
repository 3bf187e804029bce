#pragma once
#include "sim/lockdep.h"
#include "sim/object.h"

/// The kinds of shared objects and locks of the model. Indices are unique; a new kind is added at
/// the end of its list.
namespace model::objects {

using sim::Discipline;
using sim::ObjectClass;

inline constexpr ObjectClass extent_buffer{"eb", 32};  // content of a tree block: its lock
inline constexpr ObjectClass extent_buffer_flags{"eb_flags", 33, Discipline::Lockless};  // bflags
inline constexpr ObjectClass root_node{"root_node", 34,
                                       Discipline::Lockless};       // root->node, commit_root
inline constexpr ObjectClass transaction{"transaction", 35};        // state, writers: trans_lock
inline constexpr ObjectClass delayed_ref_root{"delayed_refs", 36};  // delayed_refs.lock
inline constexpr ObjectClass delayed_ref_head{"ref_head", 37};      // head.lock
inline constexpr ObjectClass block_group{"block_group", 38};        // bg.lock
inline constexpr ObjectClass space_info{"space_info", 39};          // space_info.lock
inline constexpr ObjectClass block_rsv{"block_rsv", 40};            // rsv.lock
inline constexpr ObjectClass chunk_map{"chunk_map", 41};            // mapping tree lock
inline constexpr ObjectClass device{"device", 42};  // device lists, sizes: chunk_mutex
inline constexpr ObjectClass dev_queue{"dev_queue", 43,
                                       Discipline::Lockless};             // requests of one device
inline constexpr ObjectClass medium{"medium", 44, Discipline::Lockless};  // what a device holds
inline constexpr ObjectClass device_cache{"device_cache", 89,
                                          Discipline::Lockless};    // what of it is not durable yet
inline constexpr ObjectClass dev_replace{"dev_replace", 45};        // dev_replace.rwsem
inline constexpr ObjectClass scrub{"scrub", 46};                    // scrub_lock
inline constexpr ObjectClass inode{"inode", 47};                    // inode lock, io_tree
inline constexpr ObjectClass page{"page", 48};                      // page lock
inline constexpr ObjectClass ordered_extent{"ordered_extent", 49};  // ordered_tree_lock
inline constexpr ObjectClass ordered_list{"ordered_list", 50};      // root.ordered_extent_lock
inline constexpr ObjectClass fs_state{"fs_state", 51,
                                      Discipline::Lockless};  // error, DEV_REPLACING
inline constexpr ObjectClass fs_roots{"fs_roots", 52};        // fs_roots_radix_lock
inline constexpr ObjectClass dead_roots{"dead_roots", 53};
inline constexpr ObjectClass pinned_extents{"pinned_extents", 54};  // trans->pinned_extents
inline constexpr ObjectClass dirty_pages{"dirty_pages", 55};        // trans->dirty_pages
inline constexpr ObjectClass dirty_bgs{"dirty_bgs", 56};            // trans->dirty_bgs_lock
inline constexpr ObjectClass dirty_roots{"dirty_cowonly_roots", 57};
inline constexpr ObjectClass eb_cache{
    "eb_cache", 58, Discipline::Lockless};  // buffer_radix: looked up without a lock
inline constexpr ObjectClass free_space{"free_space", 59};  // free_space_ctl.tree_lock
inline constexpr ObjectClass counter{
    "counter", 60, Discipline::Lockless};         // nocow_writers, reservations, bio_counter
inline constexpr ObjectClass super{"super", 61};  // super_copy
inline constexpr ObjectClass root_state{"root_state", 62,
                                        Discipline::Lockless};  // root->state bits, last_trans
inline constexpr ObjectClass io_tree{"io_tree", 63};            // inode.io_tree_lock
inline constexpr ObjectClass mapping{"mapping", 64};            // inode.mapping_lock
inline constexpr ObjectClass dcache{"dcache", 65};              // fs.dcache_lock
inline constexpr ObjectClass trans_state{
    "trans_state", 68, Discipline::Lockless};  // transaction->state, read without trans_lock
inline constexpr ObjectClass block_group_ro{
    "block_group_ro", 69, Discipline::Lockless};  // bg->ro, as the allocator glances at it
inline constexpr ObjectClass mapping_tree{"mapping_tree", 66,
                                          Discipline::Lockless};  // chunk maps by logical start
inline constexpr ObjectClass scrub_counter{
    "scrub_counter", 80,
    Discipline::Lockless};  // scrubs_running, scrubs_paused, pause_req, cancel_req
inline constexpr ObjectClass dev_replace_cursor{
    "dev_replace_cursor", 81, Discipline::Lockless};  // cursors, before 81e87a736c55
inline constexpr ObjectClass delalloc_inodes{"delalloc_inodes", 83};  // fs.delalloc_lock
inline constexpr ObjectClass zone{"zone", 96, Discipline::Lockless};  // write pointers of a drive
inline constexpr ObjectClass meta_write_pointer{"meta_write_pointer", 97, Discipline::Lockless};
inline constexpr ObjectClass relocation{"relocation", 88,
                                        Discipline::Lockless};  // reloc_ctl, root->reloc_root
inline constexpr ObjectClass last_reloc_trans{"last_reloc_trans", 90};  // commit_root_sem
/// The same with reloc-trans-late.
inline constexpr ObjectClass lockless_reloc_trans{"last_reloc_trans", 93, Discipline::Lockless};
inline constexpr ObjectClass block_group_index{
    "block_group_index", 84, Discipline::Lockless};   // which block groups there are, by start
inline constexpr ObjectClass balance{"balance", 85};  // balance_ctl: balance_mutex
inline constexpr ObjectClass send_counts{"send_counts", 86, Discipline::Lockless};
inline constexpr ObjectClass root_used{"root_used", 92, Discipline::Lockless};
inline constexpr ObjectClass send_dedupe{"send_dedupe", 91};  // root_item_lock
inline constexpr ObjectClass pipe{"pipe", 87};                // what is in a pipe: its lock
inline constexpr ObjectClass ledger{"ledger", 82};  // of no task: what system calls said, in order

}  // namespace model::objects

namespace model::lock_classes {

using sim::LockClass;

inline constexpr LockClass trans_lock{"trans_lock", 1};
inline constexpr LockClass reloc_mutex{"reloc_mutex", 2};
inline constexpr LockClass tree_log_mutex{"tree_log_mutex", 3};
inline constexpr LockClass commit_root_sem{"commit_root_sem", 4};
inline constexpr LockClass ro_block_group_mutex{"ro_block_group_mutex", 5};
inline constexpr LockClass delayed_refs_lock{"delayed_refs->lock", 6};
inline constexpr LockClass ref_head_lock{"head->lock", 7};
inline constexpr LockClass ref_head_mutex{"head->mutex", 8};
inline constexpr LockClass space_info_lock{"space_info->lock", 9};
inline constexpr LockClass groups_sem{"groups_sem", 10};
inline constexpr LockClass block_group_lock{"block_group->lock", 11};
inline constexpr LockClass block_rsv_lock{"block_rsv->lock", 12};
inline constexpr LockClass free_space_lock{"free_space_ctl->tree_lock", 13};
inline constexpr LockClass chunk_mutex{"chunk_mutex", 14};
inline constexpr LockClass device_list_mutex{"device_list_mutex", 15};
inline constexpr LockClass dev_replace_rwsem{"dev_replace.rwsem", 16};
inline constexpr LockClass finishing_mutex{"lock_finishing_cancel_unmount", 17};
inline constexpr LockClass scrub_lock{"scrub_lock", 18};
inline constexpr LockClass mapping_tree_lock{"mapping_tree.lock", 19};
inline constexpr LockClass ordered_operations_mutex{"ordered_operations_mutex", 20};
inline constexpr LockClass ordered_extent_mutex{"ordered_extent_mutex", 21};
inline constexpr LockClass ordered_root_lock{"ordered_root_lock", 22};
inline constexpr LockClass ordered_extent_lock{"ordered_extent_lock", 23};
inline constexpr LockClass ordered_tree_lock{"ordered_tree.lock", 24};
inline constexpr LockClass inode_lock{"inode->i_rwsem", 25, 3};
inline constexpr LockClass page_lock{"page_lock", 28};
inline constexpr LockClass cleaner_mutex{"cleaner_mutex", 29};
inline constexpr LockClass fs_roots_lock{"fs_roots_radix_lock", 30};
inline constexpr LockClass dirty_bgs_lock{"dirty_bgs_lock", 31};
inline constexpr LockClass cache_write_mutex{"cache_write_mutex", 32};
inline constexpr LockClass refs_lock{"eb->refs_lock", 33};
inline constexpr LockClass super_lock{"super_lock", 34};
inline constexpr LockClass unused_bg_unpin_mutex{"unused_bg_unpin_mutex", 35};
inline constexpr LockClass balance_mutex{"balance_mutex", 36};
inline constexpr LockClass delalloc_lock{"delalloc_root_lock", 37};
inline constexpr LockClass io_tree_lock{"io_tree.lock", 38};
inline constexpr LockClass dirty_roots_lock{"dirty_cowonly_roots.lock", 39};
inline constexpr LockClass pinned_lock{"pinned_extents.lock", 40};
inline constexpr LockClass dirty_pages_lock{"dirty_pages.lock", 41};
inline constexpr LockClass bg_cache_lock{"block_group_cache_lock", 42};
inline constexpr LockClass buffer_lock{"buffer_lock", 43};
inline constexpr LockClass dev_queue_lock{"dev_queue.lock", 44};
inline constexpr LockClass btrfs_inode_lock{"btrfs_inode->lock", 45};
inline constexpr LockClass i_pages_lock{"i_pages", 46};
inline constexpr LockClass dcache_lock{"dcache_lock", 47};
inline constexpr LockClass zoned_meta_io_lock{"zoned_meta_io_lock", 60};
inline constexpr LockClass reclaim_bgs_lock{"reclaim_bgs_lock", 48};
inline constexpr LockClass root_item_lock{"root_item_lock", 49};
inline constexpr LockClass send_reloc_lock{"send_reloc_lock", 50};
inline constexpr LockClass pipe_lock{"pipe->mutex", 51};

// Tree locks: one class for each tree and level, as lockdep keys them (btrfs-tree-00,
// btrfs-extent-01, ...), with the kernel's nesting subclasses. Eight numbers for each class: ten
// trees of eight levels.
enum Nesting : unsigned {
    NestNormal = 0,
    NestCow,
    NestLeft,
    NestRight,
    NestLeftCow,
    NestRightCow,
    NestSplit,
    NestNewRoot
};
inline constexpr u_int16_t first_tree_lock = 128;
/// The class of the locks of one tree's blocks of one level. Mirrors btrfs_lockdep_keysets
/// (model/locking.cpp).
const LockClass& tree_lock_class(std::uint64_t owner, unsigned level);

}  // namespace model::lock_classes
