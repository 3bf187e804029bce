#pragma once
#include "model/device.h"
#include "model/types.h"

namespace model {

struct TransHandle;
struct BlockGroup;

struct Stripe {
    Device* dev = nullptr;  // rewritten in place by replace finishing
    u64 physical = 0;
};
/// fs/btrfs/volumes.h: struct map_lookup with its extent_map.
struct ChunkMap {
    ChunkMap(u64 logical_start, u64 chunk_length, u64 chunk_type)
        : obj(objects::chunk_map, logical_start, this), logical(logical_start), length(chunk_length), type(chunk_type) {}
    sim::Object obj;  // mapping_tree.lock
    u64 logical, length, type;
    Vector<Stripe> stripes;
};

/// The stripes of one bio, fixed when it was mapped.
struct IoContext {
    u64 map_type = 0;
    Vector<Stripe> stripes;
    u32 max_errors = 0;
    u32 mirror_num = 1;
};
enum class MapOp : u8 { Read, Write, GetReadMirrors };

ChunkMap* find_chunk_map(FsInfo& fs, Bytenr logical);
/// Reference document 1.5. Takes dev_replace.rwsem for reading; the caller holds the bio counter. mirror 0: any good copy.
/// @return IO for an address outside all chunks
Result<IoContext> map_block(FsInfo& fs, MapOp op, Bytenr logical, u64 length, u32 mirror);
u32 num_copies(FsInfo& fs, Bytenr logical);

/// chunk_mutex held: picks devices from the alloc list, makes the map and the block group. Mirrors btrfs_create_chunk().
Result<BlockGroup*> create_chunk(TransHandle& trans, u64 type);
/// Inserts chunk item, dev items, and (under device_list_mutex) dev extents. Mirrors btrfs_chunk_alloc_add_chunk_item() and
/// insert_dev_extents().
Result<void> chunk_alloc_add_chunk_item(TransHandle& trans, BlockGroup& bg);
Result<void> insert_dev_extents(TransHandle& trans, Bytenr chunk_offset);
Result<void> update_device(TransHandle& trans, Device& device);
/// trans->dev_update_list: sizes as of this commit. Mirrors btrfs_commit_device_sizes().
void commit_device_sizes(FsInfo& fs);

// Bio counter, reference document 1.6.
void bio_counter_inc_blocked(FsInfo& fs);
void bio_counter_dec(FsInfo& fs);
void rm_dev_replace_blocked(FsInfo& fs);
void rm_dev_replace_unblocked(FsInfo& fs);

}  // namespace model
