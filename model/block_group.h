#pragma once
#include "model/space_info.h"
#include "model/zoned.h"
#include "sim/atomic.h"
#include "sim/spinlock.h"
#include "sim/waitqueue.h"

namespace model {

struct TransHandle;

namespace bg_runtime {
inline constexpr unsigned removed = 1, to_copy = 2, new_group = 7;
}

/// fs/btrfs/block-group.h: struct btrfs_block_group.
struct BlockGroup {
    BlockGroup(FsInfo& fs, Bytenr start, u64 length, u64 flags);
    FsInfo& fs;
    sim::Object obj;  // counters, ro: lock
    sim::Spinlock lock;
    Bytenr start;
    u64 length, flags;
    u64 used = 0, reserved = 0, pinned = 0, bytes_super = 0;
    u32 ro = 0;          // a count
    sim::Object ro_obj;  // the allocator's glance at it, which takes no lock
    sim::Atomic<u32> reservations;
    sim::Atomic<u32> nocow_writers;
    sim::WaitQueue reservations_wait, nocow_wait;  // the kernel's wait_var_event()
    u32 frozen = 0;
    sim::AtomicBits runtime_flags;
    SpaceInfo* space_info = nullptr;
    bool on_dirty_list = false;
    sim::Spinlock tree_lock;  // free_space_ctl
    sim::Object free_space_obj;
    Map<u64, u64> free_space;     // start -> length; not kept on zoned devices
    ZonedGroup* zoned = nullptr;  // null: on regular devices
    u64 zone_unusable() const { return zoned == nullptr ? 0 : zoned->zone_unusable; }
    Bytenr end() const { return start + length; }
};

/// Links a new or just read group into its space_info and the index, and adds its counters there.
/// Its free space is the caller's. Mirrors btrfs_add_block_group_cache() and
/// btrfs_add_bg_to_space_info().
void add_block_group(BlockGroup& bg);
/// The item goes, and nobody finds the group any more. It is empty and read-only. Mirrors
/// btrfs_remove_block_group()
Result<void> remove_block_group(TransHandle& trans, BlockGroup& bg);
/// At mount: one group for each BLOCK_GROUP_ITEM, with the free space that the extent tree leaves.
/// Mirrors btrfs_read_block_groups() and caching.
Result<void> read_block_groups(FsInfo& fs);
BlockGroup* lookup_block_group(FsInfo& fs, Bytenr bytenr);        // containing it, or null
BlockGroup* lookup_first_block_group(FsInfo& fs, Bytenr bytenr);  // the first that ends after it
/// used/reserved/pinned by running references. alloc: reserved -> used; free: used -> pinned.
/// Mirrors btrfs_update_block_group().
Result<void> update_block_group(TransHandle& trans, Bytenr bytenr, u64 num_bytes, bool alloc);
/// Final step of an allocation: Again when the group has become read-only. Mirrors
/// btrfs_add_reserved_bytes().
Result<void> add_reserved_bytes(BlockGroup& bg, u64 ram_bytes, u64 num_bytes, bool delalloc);
void free_reserved_bytes(BlockGroup& bg, u64 num_bytes, bool delalloc);
void add_free_space(BlockGroup& bg, Bytenr start, u64 bytes);
/// May sleep: joins, may wait for a whole commit. Mirrors btrfs_inc_block_group_ro().
/// @param do_chunk_alloc  as replace asks for: a chunk may be made for what the group promised
Result<void> inc_block_group_ro(BlockGroup& bg, bool do_chunk_alloc);
void dec_block_group_ro(BlockGroup& bg);
void wait_block_group_reservations(BlockGroup& bg);
void dec_block_group_reservations(FsInfo& fs, Bytenr start);
/// @return null when the group is read-only: the caller must COW
BlockGroup* inc_nocow_writers(FsInfo& fs, Bytenr bytenr);
void dec_nocow_writers(BlockGroup& bg);
void wait_nocow_writers(BlockGroup& bg);
void freeze_block_group(BlockGroup& bg);
void unfreeze_block_group(BlockGroup& bg);
/// New group of a chunk just created; its item is inserted by create_pending_block_groups().
/// Mirrors btrfs_make_block_group().
BlockGroup& make_block_group(TransHandle& trans, u64 type, Bytenr chunk_offset, u64 size);
void create_pending_block_groups(TransHandle& trans);
Result<void> start_dirty_block_groups(TransHandle& trans);
Result<void> write_dirty_block_groups(TransHandle& trans);
/// Type and profile that a new chunk for `flags` would have. Mirrors btrfs_get_alloc_profile().
u64 get_alloc_profile(const FsInfo& fs, u64 flags);
/// @param force  even though the space_info has room
/// @return true: a chunk was made; false: none was needed. NoSpc: needed, and no device has room
Result<bool> chunk_alloc(TransHandle& trans, u64 flags, bool force);
/// Holds back what the chunk tree needs for a change, in a new system chunk if must be; chunk_mutex
/// held. Mirrors check_system_chunk().
void check_system_chunk(TransHandle& trans, u64 type);
/// bytes of super block copies in the group, taken out of its free space. Mirrors
/// exclude_super_stripes().
void exclude_super_stripes(BlockGroup& bg);

}  // namespace model
