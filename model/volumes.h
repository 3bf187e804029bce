#pragma once
#include <map>
#include <vector>

#include "model/device.h"
#include "model/types.h"

namespace model {

struct TransHandle;
struct BlockGroup;

inline constexpr u64 stripe_len = 64 << 10;  // BTRFS_STRIPE_LEN, in bytes

struct Stripe {
    Device* dev = nullptr;  // rewritten in place by replace finishing
    u64 physical = 0;
};
/// fs/btrfs/volumes.h: struct map_lookup with its extent_map.
struct ChunkMap {
    ChunkMap(u64 logical_start, u64 chunk_length, u64 chunk_type)
        : obj(objects::chunk_map, logical_start, this), logical(logical_start),
          length(chunk_length), type(chunk_type) {}
    sim::Object obj;  // mapping_tree.lock
    u64 logical, length, type;
    Vector<Stripe> stripes;
};

/// The stripes of one bio, fixed when it was mapped.
struct IoContext {
    u64 map_type = 0;
    u64 chunk_logical = 0;
    Vector<Stripe> stripes;
    u32 max_errors = 0;
    u32 mirror_num = 1;
};
enum class MapOp : u8 { Read, Write, GetReadMirrors };

/// The chunk that contains the address, or null. Mirrors btrfs_get_chunk_map() without its message.
ChunkMap* find_chunk_map(FsInfo& fs, Bytenr logical);
/// The address behind all chunks, where the next one goes. chunk_mutex is held, or nobody adds one.
/// Mirrors find_next_chunk().
u64 find_next_chunk(const FsInfo& fs);
/// Publishes a chunk. Mirrors add_extent_mapping() on the mapping tree.
void add_chunk_map(FsInfo& fs, ChunkMap& map);
/// Stripes of a profile, and of how many of them the loss is tolerated by a write. Mirrors
/// btrfs_raid_array.
struct RaidAttr {
    u32 devs_min;     // devices needed
    u32 dev_stripes;  // stripes on each of them
    u32 tolerated_failures;
    u32 num_stripes() const { return devs_min * dev_stripes; }
};
RaidAttr raid_attr(u64 type);
/// Reference document 1.5. Takes dev_replace.rwsem for reading; the caller holds the bio counter.
/// mirror 0: any good copy.
/// @return IO for an address outside all chunks
Result<IoContext> map_block(FsInfo& fs, MapOp op, Bytenr logical, u64 length, u32 mirror);
u32 num_copies(FsInfo& fs, Bytenr logical);

/// chunk_mutex held: picks devices from the alloc list, makes the map and the block group. Mirrors
/// btrfs_create_chunk().
/// @param type  with the profile. @return NoSpc when too few devices have room
Result<BlockGroup*> create_chunk(TransHandle& trans, u64 type);
/// chunk_mutex held: updates the dev items and inserts the chunk item; a SYSTEM chunk also goes to
/// the super block's array. Mirrors btrfs_chunk_alloc_add_chunk_item().
Result<void> chunk_alloc_add_chunk_item(TransHandle& trans, BlockGroup& bg);
/// Inserts the dev extents of a chunk, under device_list_mutex since 4.7. Mirrors
/// insert_dev_extents().
Result<void> insert_dev_extents(TransHandle& trans, Bytenr chunk_offset);
Result<void> update_device(TransHandle& trans, Device& device);
/// trans->dev_update_list of the running transaction, which the caller commits: sizes as of this
/// commit. Takes chunk_mutex. Mirrors btrfs_commit_device_sizes().
void commit_device_sizes(FsInfo& fs);

// Shared by mkfs, mount and the running filesystem.

/// A free range of a device, above its first MiB and clear of the places of super blocks.
struct DevHole {
    u64 start = 0, length = 0;
};
/// The first hole of `wanted` bytes, or the largest there is. Mirrors find_free_dev_extent() over
/// alloc_state.
DevHole find_free_dev_extent(const Device& device, u64 wanted);
/// The same over any ranges (start -> length).
/// @param zone_size  0, or of a zoned device: conventional zones are never free
DevHole find_free_range(std::map<u64, u64> taken, u64 device_bytes, u64 wanted, u64 zone_size = 0);
/// Places of the super block copies that fit on a device of this size: 64 KiB, 64 MiB, 256 GiB.
std::vector<u64> super_offsets(u64 device_bytes);
/// The chunk item with its stripes, as it stands in the chunk tree and in sys_chunk_array.
std::vector<unsigned char> chunk_item_bytes(const ChunkMap& map);
DevItem dev_item_of(const Device& device, const u8* fsid);
DevExtentItem dev_extent_of(const FsInfo& fs, const ChunkMap& map);
/// Appends to super_copy.sys_chunk_array. @return FBig when it is full. Mirrors
/// btrfs_add_system_chunk()
Result<void> add_system_chunk(SuperBlock& super, const ChunkMap& map);

// Bio counter, reference document 1.6.
void bio_counter_inc_blocked(FsInfo& fs);
void bio_counter_dec(FsInfo& fs);
void rm_dev_replace_blocked(FsInfo& fs);
void rm_dev_replace_unblocked(FsInfo& fs);

}  // namespace model
