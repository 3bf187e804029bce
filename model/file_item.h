#pragma once
#include <optional>
#include <span>
#include <vector>

#include "model/ctree.h"
#include "model/format.h"

/// fs/btrfs/file-item.c, and the file extent items of fs/btrfs/file.c. Inline, compressed and
/// explicit hole extents are left out: the model's filesystems have NO_HOLES and write every file
/// in whole sectors.
namespace model {

struct Inode;
struct Root;
struct TransHandle;

/// An EXTENT_DATA item and where in the file it begins.
struct FileExtent {
    u64 file_offset = 0;
    FileExtentItem item{};
    u64 end() const { return file_offset + item.num_bytes; }
    /// File offset at which the whole disk extent would begin: what its data reference is keyed by.
    u64 orig_offset() const { return file_offset - item.offset; }
};

/// The first file extent item that ends after `offset`, or nothing. Mirrors the search of
/// btrfs_get_extent().
Result<std::optional<FileExtent>> lookup_file_extent(Root& root, u64 ino, u64 offset);
/// Removes [start, end) from the file's extent items, splitting at the borders; queues the
/// references that go and come.
/// @return bytes of allocated space that left the file (the kernel's args->bytes_found). Mirrors
/// btrfs_drop_extents().
Result<u64> drop_extents(TransHandle& trans, Root& root, u64 ino, u64 start, u64 end);
/// Drops what was there, inserts the item of a new extent, queues its reference. Mirrors
/// insert_reserved_file_extent().
/// @param type  file_extent_reg or file_extent_prealloc
Result<void> insert_reserved_file_extent(TransHandle& trans, Inode& inode, u64 file_offset,
                                         u64 num_bytes, Bytenr disk_bytenr, u8 type);
/// Inserts an item where the file has none, and queues a reference to its extent, which another
/// item holds already. Mirrors btrfs_insert_replace_extent() of an extent that is not new
Result<void> insert_cloned_extent(TransHandle& trans, Inode& inode, const FileExtent& extent);
/// The file holds that much more allocated space; a negative number less.
void add_nbytes(Inode& inode, u64 bytes);
/// PREALLOC -> REG for [start, end), splitting and merging items. Mirrors
/// btrfs_mark_extent_written().
Result<void> mark_extent_written(TransHandle& trans, Inode& inode, u64 start, u64 end);

/// Inserts the checksums of a written extent; extends the item before when it ends where this range
/// begins. Mirrors btrfs_csum_file_blocks().
Result<void> csum_file_blocks(TransHandle& trans, Bytenr logical, std::span<const u32> sums);
/// Removes the checksums of [bytenr, bytenr + len), trimming or splitting items that reach beyond.
/// Mirrors btrfs_del_csums().
Result<void> del_csums(TransHandle& trans, Bytenr bytenr, u64 len);
/// The checksum of each sector, where the tree has one. Mirrors btrfs_lookup_bio_sums() and
/// btrfs_lookup_csums_range().
/// @param commit_root  search the committed tree, without locks
Result<std::vector<std::optional<u32>>> lookup_csums(FsInfo& fs, Bytenr logical, u64 sectors,
                                                     bool commit_root = false);
/// CRC-32C of one data sector, whose content is an 8-byte word repeated 512 times.
u32 csum_data_word(u64 word);

}  // namespace model
