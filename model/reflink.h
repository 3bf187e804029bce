#pragma once
#include "model/types.h"

namespace model {

struct Inode;

/// Sectors of a file.
struct FileRange {
    Inode& inode;
    u64 start = 0, length = 0;
    u64 end() const { return start + length; }
};

/// `to` gets the extents of `from`, which is as long, if both hold the same; in a read-only
/// subvolume, too. Sleeps on the locks and ordered extents of both files, reads what is not cached,
/// and starts transactions.
/// @return BadE: they differ (FILE_DEDUPE_RANGE_DIFFERS); Inval: a range ends beyond its file, the
/// two overlap, or one file has checksums and the other none; Again: the subvolume of `to` is being
/// sent. Mirrors btrfs_remap_file_range() with REMAP_FILE_DEDUP
Result<void> dedupe_file_range(const FileRange& from, const FileRange& to);

}  // namespace model
