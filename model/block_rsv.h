#pragma once
#include "model/objects.h"
#include "model/types.h"
#include "sim/object.h"
#include "sim/spinlock.h"

namespace model {

struct Root;
struct SpaceInfo;
struct TransHandle;

enum class RsvType : u8 { Global, Delalloc, Trans, Chunk, DelayedOps, DelayedRefs, Empty, Temp };
/// What a reservation that does not fit may do. fs/btrfs/space-info.h: enum
/// btrfs_reserve_flush_enum.
enum class Flush : u8 { No, Limit, Evict, Data, All, AllSteal, Emergency };

/// fs/btrfs/block-rsv.h: struct btrfs_block_rsv. Bytes held back in a space_info for later
/// allocations.
struct BlockRsv {
    explicit BlockRsv(RsvType type = RsvType::Temp);
    sim::Object obj;  // lock
    sim::Spinlock lock;
    RsvType type;
    u64 size = 0, reserved = 0;
    SpaceInfo* space_info = nullptr;
    bool full = false, failfast = false;
};

/// Adds to the reserve, flushing as allowed. @return NoSpc
Result<void> block_rsv_add(FsInfo& fs, BlockRsv& rsv, u64 bytes, Flush flush);
void block_rsv_release(FsInfo& fs, BlockRsv& rsv, u64 bytes);  // ~0: all
/// Charges one tree block: the root's reserve, then the global one. Mirrors btrfs_use_block_rsv().
/// @return NoSpc
Result<BlockRsv*> use_block_rsv(TransHandle& trans, Root& root, u64 blocksize);
void unuse_block_rsv(FsInfo& fs, BlockRsv& rsv, u64 blocksize);
void block_rsv_add_bytes(BlockRsv& rsv, u64 bytes, bool update_size);
/// @return NoSpc if it holds less
Result<void> block_rsv_use_bytes(BlockRsv& rsv, u64 bytes);
void update_global_block_rsv(FsInfo& fs);
/// At mount, once the space_infos stand: which space each reserve draws on. Mirrors
/// btrfs_init_global_block_rsv().
void init_global_block_rsv(FsInfo& fs);
/// The reserve that the root's blocks charge when the handle's is not it, or null. Mirrors
/// btrfs_init_root_block_rsv().
BlockRsv* root_block_rsv(FsInfo& fs, const Root& root);

// The reserve of the delayed references: fs/btrfs/delayed-ref.c.
// Before ba2c4d4e3bd3 (5.0) there is none: references reserve nothing, and these do nothing.
void update_delayed_refs_rsv(TransHandle& trans);
void delayed_refs_rsv_release(FsInfo& fs, u64 items);
void migrate_to_delayed_refs_rsv(FsInfo& fs, BlockRsv& source, u64 bytes);
/// Tops the reserve up by at most one item. @return NoSpc
Result<void> delayed_refs_rsv_refill(FsInfo& fs, Flush flush);
/// Leaves of the csum tree that deleting the checksums of so many bytes may touch. Mirrors
/// btrfs_csum_bytes_to_leaves().
u64 csum_bytes_to_leaves(const FsInfo& fs, u64 bytes);
/// Bytes for `items` insertions: items * 2 * max_level * nodesize. Mirrors
/// btrfs_calc_insert_metadata_size().
u64 calc_insert_metadata_size(const FsInfo& fs, u64 items);
/// Bytes for `items` changes without splits. Mirrors btrfs_calc_metadata_size().
u64 calc_metadata_size(const FsInfo& fs, u64 items);

}  // namespace model
