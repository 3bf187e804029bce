#pragma once
#include <vector>

#include "model/inode.h"

/// The data path of files: buffered writes, writeback, allocation at writeback, reads.
/// fs/btrfs/file.c, inode.c, extent_io.c.
namespace model {

inline constexpr u64 page_index(u64 offset) {
    return offset / sectorsize;
}
inline constexpr u64 page_offset(u64 index) {
    return index * sectorsize;
}
/// Whether one of the indices lies in [first, last).
inline bool any_page_in(const Set<u64>& indices, u64 first, u64 last) {
    const auto at = indices.lower_bound(first);
    return at != indices.end() && *at < last;
}

/// Copies `word` into the pages of [start, end), sector aligned; the caller holds inode.lock.
/// Mirrors btrfs_buffered_write().
Result<void> buffered_write(Inode& inode, u64 start, u64 end, u64 word);
/// Extents allocated ahead of writing, for the holes of [start, end); the caller holds inode.lock.
/// Mirrors btrfs_fallocate().
Result<void> fallocate_range(Inode& inode, u64 start, u64 end);
/// One extent for [start, end), which is a hole. The caller holds inode.lock. Mirrors
/// btrfs_prealloc_file_range() with min_size
Result<void> prealloc_extent(Inode& inode, u64 start, u64 end);
/// The words of [start, end) within i_size, from the page cache or the devices. @return IO when no
/// copy has the right checksum
Result<std::vector<u64>> read_range(Inode& inode, u64 start, u64 end);
/// Forgets clean pages. Mirrors invalidate_inode_pages2_range().
void invalidate_clean_pages(Inode& inode);

/// start_delalloc_roots() for one root. Mirrors btrfs_start_delalloc_snapshot().
Result<void> start_delalloc_root(Root& root);

/// Allocates [start, end), whose pages and range the caller has locked and whose delalloc this
/// ends. delalloc.cpp. Mirrors btrfs_run_delalloc_range().
Result<void> run_delalloc_range(Inode& inode, u64 start, u64 end);

/// Gives back what delalloc of pages reserved: data bytes, and their share of the inode's metadata
/// reserve.
void release_delalloc(Inode& inode, u64 data_bytes, u64 meta_bytes);

}  // namespace model
