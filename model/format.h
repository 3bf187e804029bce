#pragma once
#include <cstring>
#include <span>

#include "model/types.h"

/// The on-disk structures, packed and little-endian as btrfs lays them out (see the kernel's
/// uapi/linux/btrfs_tree.h). Tree blocks of the model hold these very bytes.
namespace model {

// Tree ids and special object ids.
inline constexpr Objectid root_tree_objectid = 1, extent_tree_objectid = 2, chunk_tree_objectid = 3,
                          dev_tree_objectid = 4, fs_tree_objectid = 5, root_tree_dir_objectid = 6,
                          csum_tree_objectid = 7, uuid_tree_objectid = 9, dev_items_objectid = 1,
                          first_chunk_tree_objectid = 256, first_free_objectid = 256;
inline constexpr Objectid balance_objectid = 0 - u64{4}, orphan_objectid = 0 - u64{5},
                          tree_log_objectid = 0 - u64{6}, tree_reloc_objectid = 0 - u64{8},
                          data_reloc_tree_objectid = 0 - u64{9}, extent_csum_objectid = 0 - u64{10},
                          last_free_objectid = 0 - u64{256};
inline constexpr Devid dev_replace_devid = 0;

// Key types.
inline constexpr u8 inode_item_key = 1, inode_ref_key = 12, orphan_item_key = 48, dir_item_key = 84,
                    dir_index_key = 96, extent_data_key = 108, extent_csum_key = 128,
                    root_item_key = 132, root_backref_key = 144, root_ref_key = 156,
                    extent_item_key = 168, metadata_item_key = 169, tree_block_ref_key = 176,
                    extent_data_ref_key = 178, shared_block_ref_key = 182,
                    shared_data_ref_key = 184, block_group_item_key = 192, dev_extent_key = 204,
                    dev_item_key = 216, chunk_item_key = 228, temporary_item_key = 248,
                    persistent_item_key = 249, dev_replace_key = 250;
inline constexpr Key dev_replace_item_key{0, dev_replace_key, 0};

// Block group types and profiles. "single" is no profile bit.
inline constexpr u64 bg_data = 1, bg_system = 2, bg_metadata = 4, bg_raid1 = 0x10, bg_dup = 0x20;
inline constexpr u64 bg_type_mask = 7;

// Header, extent, inode and file extent flags.
inline constexpr u64 header_flag_written = 1, header_flag_reloc = 2;
inline constexpr u64 mixed_backref_rev = 1;  // in the top byte of the header's flags
inline constexpr u64 extent_flag_data = 1, extent_flag_tree_block = 2,
                     block_flag_full_backref = 0x100;
inline constexpr u64 inode_nodatasum = 1, inode_nodatacow = 2, inode_prealloc = 0x10;
inline constexpr u8 file_extent_inline = 0, file_extent_reg = 1, file_extent_prealloc = 2;
inline constexpr u8 ft_reg_file = 1, ft_dir = 2;
inline constexpr u64 root_subvol_rdonly = 1;

#pragma pack(push, 1)

struct DiskKey {
    u64 objectid;
    u8 type;
    u64 offset;
    Key cpu() const { return {objectid, type, offset}; }
    static DiskKey from(const Key& key) { return {key.objectid, key.type, key.offset}; }
};

struct HeaderItem {
    u8 csum[32];
    u8 fsid[16];
    u64 bytenr;
    u64 flags;
    u8 chunk_tree_uuid[16];
    u64 generation;
    u64 owner;
    u32 nritems;
    u8 level;
};
static_assert(sizeof(HeaderItem) == 101);

struct LeafItem {  // the offset counts from the end of the header
    DiskKey key;
    u32 offset;
    u32 size;
};
struct KeyPtr {
    DiskKey key;
    u64 blockptr;
    u64 generation;
};

struct Timespec {
    u64 sec;
    u32 nsec;
};
struct InodeItem {
    u64 generation, transid, size, nbytes, block_group;
    u32 nlink, uid, gid, mode;
    u64 rdev, flags, sequence;
    u8 reserved[32];
    Timespec atime, ctime, mtime, otime;
};
static_assert(sizeof(InodeItem) == 160);

struct InodeRefItem {  // the name follows
    u64 index;
    u16 name_len;
};
struct DirItem {  // the name follows
    DiskKey location;
    u64 transid;
    u16 data_len, name_len;
    u8 type;
};

struct RootItem {
    InodeItem inode;
    u64 generation, root_dirid, bytenr, byte_limit, bytes_used, last_snapshot, flags;
    u32 refs;
    DiskKey drop_progress;
    u8 drop_level, level;
    u64 generation_v2;
    u8 uuid[16], parent_uuid[16], received_uuid[16];
    u64 ctransid, otransid, stransid, rtransid;
    Timespec ctime, otime, stime, rtime;
    u64 reserved[8];
};
static_assert(sizeof(RootItem) == 439);

struct RootRefItem {  // ROOT_REF and ROOT_BACKREF; the name follows
    u64 dirid, sequence;
    u16 name_len;
};

struct ExtentItem {  // inline references follow
    u64 refs, generation, flags;
};
struct ExtentDataRef {  // inline: after its type byte; keyed: the item
    u64 root, objectid, offset;
    u32 count;
};
struct SharedDataRef {
    u32 count;
};

struct FileExtentItem {  // an inline extent's data begins at disk_bytenr
    u64 generation, ram_bytes;
    u8 compression, encryption;
    u16 other_encoding;
    u8 type;
    u64 disk_bytenr, disk_num_bytes, offset, num_bytes;
};
static_assert(sizeof(FileExtentItem) == 53);

struct BlockGroupItem {
    u64 used, chunk_objectid, flags;
};
struct DevItem {
    u64 devid, total_bytes, bytes_used;
    u32 io_align, io_width, sector_size;
    u64 type, generation, start_offset;
    u32 dev_group;
    u8 seek_speed, bandwidth;
    u8 uuid[16], fsid[16];
};
static_assert(sizeof(DevItem) == 98);

struct StripeItem {
    u64 devid, offset;
    u8 dev_uuid[16];
};
struct ChunkItem {  // num_stripes stripes follow
    u64 length, owner, stripe_len, type;
    u32 io_align, io_width, sector_size;
    u16 num_stripes, sub_stripes;
};
static_assert(sizeof(ChunkItem) == 48);

struct DevExtentItem {
    u64 chunk_tree, chunk_objectid, chunk_offset, length;
    u8 chunk_tree_uuid[16];
};
struct DevReplaceItem {
    u64 src_devid, cursor_left, cursor_right, cont_reading_from_srcdev_mode, replace_state,
        time_started, time_stopped, num_write_errors, num_uncorrectable_read_errors;
};
static_assert(sizeof(DevReplaceItem) == 72);

struct BalanceArgs {
    u64 profiles, usage, devid, pstart, pend, vstart, vend, target, flags, limit;
    u32 stripes_min, stripes_max;
    u64 unused[6];
};
struct BalanceItem {
    u64 flags;
    BalanceArgs data, meta, sys;
    u64 unused[4];
};
static_assert(sizeof(BalanceItem) == 448);

struct SuperBlock {  // 4096 bytes at 64 KiB of each device
    u8 csum[32];
    u8 fsid[16];
    u64 bytenr, flags;
    u8 magic[8];
    u64 generation, root, chunk_root, log_root, log_root_transid, total_bytes, bytes_used,
        root_dir_objectid, num_devices;
    u32 sectorsize, nodesize, leafsize, stripesize, sys_chunk_array_size;
    u64 chunk_root_generation, compat_flags, compat_ro_flags, incompat_flags;
    u16 csum_type;
    u8 root_level, chunk_root_level, log_root_level;
    DevItem dev_item;
    char label[256];
    u64 cache_generation, uuid_tree_generation;
    u8 metadata_uuid[16];
    u64 reserved[28];
    u8 sys_chunk_array[2048];
    u8 backup_roots[4 * 168];
    u8 padding[565];
};
static_assert(sizeof(SuperBlock) == 4096);

#pragma pack(pop)

inline constexpr u64 super_info_offset = 65536;

/// Reads or writes a packed structure at any address.
template <class T> T load(const void* from) {
    T value;
    std::memcpy(&value, from, sizeof(T));
    return value;
}
template <class T> void store(void* to, const T& value) {
    std::memcpy(to, &value, sizeof(T));
}
/// A packed structure as an item's content; valid as long as it.
template <class T> std::span<const unsigned char> bytes_of(const T& value) {
    return {reinterpret_cast<const unsigned char*>(&value), sizeof(T)};
}

/// CRC-32C as btrfs uses it (libisal). @return the ordinary, inverted CRC-32C
u32 crc32c(const void* data, std::size_t bytes);
/// DIR_ITEM key offset.
u64 name_hash(std::string_view name);
/// EXTENT_DATA_REF key offset.
u64 extent_data_ref_hash(u64 root, u64 objectid, u64 offset);

}  // namespace model
