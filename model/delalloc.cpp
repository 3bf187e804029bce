#include <algorithm>
#include <optional>

#include "model/extent_tree.h"
#include "model/file.h"
#include "model/file_item.h"
#include "model/fs_info.h"
#include "sim/trace.h"

// Where data goes, decided at writeback: the delalloc part of fs/btrfs/inode.c, v6.1
// (cow_file_range, run_delalloc_nocow). Left out: inline extents, compression, zoned allocation.
// The pinned extent map of a range under I/O is its ordered extent.

namespace model {
namespace {

/// DELALLOC goes and the range is unlocked, in one step. @return the metadata that was reserved
/// with it Mirrors the io tree half of extent_clear_unlock_delalloc().
u64 clear_unlock_delalloc(Inode& inode, u64 start, u64 end) {
    const sim::SpinGuard guard{inode.io_tree_lock};
    inode.io_tree_obj.write(start);
    const auto first = inode.delalloc.lower_bound(page_index(start));
    const auto last = inode.delalloc.lower_bound(page_index(end));
    u64 reserved = 0;
    for (auto at = first; at != last; ++at)
        reserved += at->second;
    inode.delalloc.erase(first, last);
    update_delalloc_list(inode);
    unlock_extent_locked(inode, start, end);
    return reserved;
}

/// Nothing will be written there: what was reserved for it goes back.
void abandon_range(Inode& inode, u64 start, u64 end) {
    if (start >= end) return;
    const u64 meta = clear_unlock_delalloc(inode, start, end);
    release_delalloc(inode, end - start, meta);
}

Result<void> cow_file_range(Inode& inode, u64 start, u64 end) {
    const sim::Scope scope("cow_file_range");
    while (start < end) {
        const u64 left = end - start;
        const auto extent = reserve_extent(inode.root, left, left, sectorsize, true, true);
        if (!extent) {
            abandon_range(inode, start, end);
            return extent.error();
        }
        OrderedExtent& ordered =
            add_ordered_extent(inode, start, extent->num_bytes, extent->start, extent->num_bytes,
                               ordered_flag::bit(ordered_flag::regular));
        dec_block_group_reservations(inode.fs, extent->start);
        const u64 next = start + extent->num_bytes;
        ordered.reserved_meta = clear_unlock_delalloc(inode, start, next);
        start = next;
    }
    return {};
}

// ---- NOCOW
// ------------------------------------------------------------------------------------------------------------------------------

/// Where on disk a file offset lies.
Bytenr disk_address(const FileExtent& extent, u64 offset) {
    return Bytenr(extent.item.disk_bytenr + extent.item.offset + (offset - extent.file_offset));
}

/// A snapshot shares what is older than it. The kernel looks at last_snapshot before the costly
/// checks and at the pending snapshots after them; the count of these also orders the change of
/// last_snapshot, so both are read in one step here.
bool may_be_snapshotted(Root& root, const FileExtent& extent) {
    reloc_order_last_snapshot(root);
    return root.snapshot_force_cow.load() != 0 ||
           extent.item.generation <= root.root_item.last_snapshot;
}

Result<bool> csum_exist_in_range(FsInfo& fs, Bytenr start, u64 bytes) {
    const auto sums = lookup_csums(fs, start, bytes / sectorsize);
    if (!sums) return sums.error();
    return std::any_of(sums->begin(), sums->end(),
                       [](const std::optional<u32>& sum) { return sum.has_value(); });
}

/// Whether [start, end) of the extent may be overwritten in place.
Result<bool> can_nocow_file_extent(Inode& inode, const FileExtent& extent, u64 start, u64 end) {
    const sim::Scope scope("can_nocow_file_extent");
    if (extent.item.disk_bytenr == 0) return false;
    if (extent.item.type == file_extent_reg && !inode.nodatacow()) return false;
    const auto shared = cross_ref_exist(inode.root, inode.ino, extent.orig_offset(),
                                        Bytenr(extent.item.disk_bytenr));
    if (!shared) return shared;
    if (*shared || may_be_snapshotted(inode.root, extent)) return false;
    const auto has_csums = csum_exist_in_range(inode.fs, disk_address(extent, start), end - start);
    if (!has_csums) return has_csums;
    return !*has_csums;
}

/// A walk over a delalloc range: part is overwritten in place, runs between are copied.
class NocowWalk {
  public:
    NocowWalk(Inode& inode, u64 start, u64 end)
        : inode_(inode), cow_start_(start), cur_(start), end_(end) {}

    Result<void> run() {
        while (cur_ < end_) {
            const auto advanced = step();
            if (!advanced) return abandon(advanced.error());
        }
        return fallback_to_cow(end_);
    }

  private:
    /// One file extent, or the hole up to it.
    Result<void> step() {
        const auto found = lookup_file_extent(inode_.root, inode_.ino, cur_);
        if (!found) return found.error();
        const u64 next = *found ? std::min((*found)->file_offset, end_) : end_;
        if (next > cur_) {
            cur_ = next;
            return {};
        }
        const FileExtent extent = **found;
        const u64 stop = std::min(end_, extent.end());
        const auto can_nocow = can_nocow_file_extent(inode_, extent, cur_, stop);
        if (!can_nocow) return can_nocow.error();
        BlockGroup* const group =
            *can_nocow ? inc_nocow_writers(inode_.fs, disk_address(extent, cur_)) : nullptr;
        if (group == nullptr) {
            cur_ = stop;
            return {};
        }
        return overwrite(extent, stop, *group);
    }

    /// The group counts a nocow writer from before the first copy until the ordered extent exists,
    /// and no longer.
    Result<void> overwrite(const FileExtent& extent, u64 stop, BlockGroup& group) {
        const auto copied = fallback_to_cow(cur_);
        if (!copied) {
            dec_nocow_writers(group);
            return copied;
        }
        const bool prealloc = extent.item.type == file_extent_prealloc;
        OrderedExtent& ordered = add_ordered_extent(
            inode_, cur_, stop - cur_, disk_address(extent, cur_), stop - cur_,
            ordered_flag::bit(prealloc ? ordered_flag::prealloc : ordered_flag::nocow));
        dec_nocow_writers(group);
        ordered.reserved_meta = clear_unlock_delalloc(inode_, cur_, stop);
        release_delalloc(inode_, stop - cur_, 0);
        cur_ = cow_start_ = stop;
        return {};
    }

    /// Copies what the walk has passed and not overwritten.
    Result<void> fallback_to_cow(u64 end) {
        if (cow_start_ == end) return {};
        const u64 start = std::exchange(cow_start_, end);
        return cow_file_range(inode_, start, end);
    }

    Result<void> abandon(Errno error) {
        abandon_range(inode_, cow_start_, end_);
        return error;
    }

    Inode& inode_;
    u64 cow_start_;  // [cow_start_, cur_) is to be copied
    u64 cur_;
    const u64 end_;
};

Result<void> run_delalloc_nocow(Inode& inode, u64 start, u64 end) {
    const sim::Scope scope("run_delalloc_nocow");
    return NocowWalk(inode, start, end).run();
}

}  // namespace

Result<void> run_delalloc_range(Inode& inode, u64 start, u64 end) {
    const sim::Scope scope("run_delalloc_range");
    const bool should_nocow = (inode.flags & (inode_nodatacow | inode_prealloc)) != 0;
    return should_nocow ? run_delalloc_nocow(inode, start, end) : cow_file_range(inode, start, end);
}

void release_delalloc(Inode& inode, u64 data_bytes, u64 meta_bytes) {
    FsInfo& fs = inode.fs;
    if (data_bytes > 0) space_info_free_bytes_may_use(fs, space_info_for(fs, bg_data), data_bytes);
    if (meta_bytes > 0) block_rsv_release(fs, inode.block_rsv, meta_bytes);
}

}  // namespace model
