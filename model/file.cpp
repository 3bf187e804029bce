#include "model/file.h"

#include "model/extent_tree.h"
#include "model/file_item.h"
#include "model/fs_info.h"
#include "sim/trace.h"

// Buffered writes and fallocate: fs/btrfs/file.c, v6.1.
//
// Left out: writes into NODATACOW extents when no data space can be reserved
// (btrfs_check_nocow_lock), partial sectors, times. A write waits for page locks, writeback and
// ordered extents without holding page locks of its own, then copies, marks and grows the file in
// one section: the kernel holds the page locks from the first step to the last, so nobody sees the
// middle.

namespace model {
namespace {

/// Metadata for one extent: its item, its checksums, the inode. Mirrors
/// btrfs_calculate_inode_block_rsv_size().
u64 delalloc_metadata(const Inode& inode) {
    return calc_insert_metadata_size(inode.fs, inode.nodatasum() ? 2 : 3);
}

/// Mirrors btrfs_check_data_free_space() and btrfs_delalloc_reserve_metadata().
Result<void> reserve_delalloc(Inode& inode, u64 data_bytes, u64 meta_bytes) {
    const auto data = reserve_data_bytes(inode.fs, data_bytes);
    if (!data) return data;
    const auto meta = block_rsv_add(inode.fs, inode.block_rsv, meta_bytes, Flush::All);
    if (!meta) release_delalloc(inode, data_bytes, 0);
    return meta;
}

/// One buffered write: what it waits for, and what it leaves behind.
class PageWrite {
  public:
    PageWrite(Inode& inode, u64 start, u64 end, u64 word)
        : inode_(inode), start_(start), end_(end), word_(word) {}

    /// @param meta_bytes  reserved by the caller: becomes the new delalloc's
    /// @return how many pages were not DELALLOC before
    u64 run(u64 meta_bytes) {
        for (;;) {
            inode_.page_wait.wait_event([&] { return attempt(meta_bytes) != Obstacle::Page; });
            if (obstacle_ == Obstacle::None) return new_pages_;
            if (obstacle_ == Obstacle::Range) wait_for_range();
            if (obstacle_ == Obstacle::Ordered) wait_for_ordered();
        }
    }

  private:
    enum class Obstacle { None, Page, Range, Ordered };

    Obstacle attempt(u64 meta_bytes) {
        const sim::SpinGuard pages{inode_.mapping_lock};
        inode_.mapping_obj.write(start_);
        const u64 first = page_index(start_), last = page_index(end_);
        if (any_page_in(inode_.locked_pages, first, last) ||
            any_page_in(inode_.writeback_pages, first, last))
            return obstacle_ = Obstacle::Page;
        const sim::SpinGuard tree{inode_.io_tree_lock};
        inode_.io_tree_obj.write(start_);
        if (extent_is_locked(inode_, start_, end_)) return obstacle_ = Obstacle::Range;
        const sim::SpinGuard ordered_guard{inode_.ordered_tree_lock};
        ordered_ = find_ordered_locked(inode_, start_, end_ - start_);
        if (ordered_ != nullptr) {
            ++ordered_->refs;
            return obstacle_ = Obstacle::Ordered;
        }
        copy(meta_bytes);
        return obstacle_ = Obstacle::None;
    }

    /// btrfs_copy_from_user() and btrfs_dirty_pages().
    void copy(u64 meta_bytes) {
        for (u64 index = page_index(start_); index < page_index(end_); ++index) {
            Page*& page = inode_.pages[index];
            if (page == nullptr) page = sim::make<Page>(index);
            page->obj.write(word_);
            page->word = word_;
            page->uptodate = true;
            inode_.dirty_pages.insert(index);
            const bool is_new =
                inode_.delalloc.emplace(index, new_pages_ == 0 ? meta_bytes : 0).second;
            new_pages_ += is_new ? 1 : 0;
        }
        update_delalloc_list(inode_);
        const sim::SpinGuard size{inode_.spin};
        inode_.obj.write(end_);
        inode_.i_size = std::max(inode_.i_size, end_);
    }

    void wait_for_range() {
        inode_.range_wait.wait_event([&] {
            const sim::SpinGuard guard{inode_.io_tree_lock};
            return !extent_is_locked(inode_, start_, end_);
        });
    }
    void wait_for_ordered() {
        start_ordered_extent(*ordered_);
        put_ordered_extent(ordered_);
    }

    Inode& inode_;
    const u64 start_, end_, word_;
    Obstacle obstacle_ = Obstacle::None;
    OrderedExtent* ordered_ = nullptr;
    u64 new_pages_ = 0;
};

}  // namespace

Result<void> buffered_write(Inode& inode, u64 start, u64 end, u64 word) {
    const sim::Scope scope("btrfs_buffered_write");
    if (start >= end) return {};
    const u64 meta_bytes = delalloc_metadata(inode);
    const auto reserved = reserve_delalloc(inode, end - start, meta_bytes);
    if (!reserved) return reserved;
    const u64 new_pages = PageWrite(inode, start, end, word).run(meta_bytes);
    release_delalloc(inode, end - start - page_offset(new_pages), new_pages == 0 ? meta_bytes : 0);
    return {};
}

// ---- fallocate
// ------------------------------------------------------------------------------------------------------------------------

namespace {

struct Hole {
    u64 start, end;
};

/// What of [start, end) has no extent. The caller has locked the range.
Result<std::vector<Hole>> find_holes(Inode& inode, u64 start, u64 end) {
    std::vector<Hole> holes;
    while (start < end) {
        const auto extent = lookup_file_extent(inode.root, inode.ino, start);
        if (!extent) return extent.error();
        const u64 next = *extent ? std::min((*extent)->file_offset, end) : end;
        if (start < next) holes.push_back({start, next});
        start = *extent ? std::max((*extent)->end(), next) : end;
    }
    return holes;
}

/// Mirrors insert_prealloc_file_extent(), and the growth of the file in
/// __btrfs_prealloc_file_range().
Result<void> insert_prealloc_item(TransHandle& trans, Inode& inode, u64 start,
                                  const ReservedExtent& extent) {
    const auto inserted = insert_reserved_file_extent(trans, inode, start, extent.num_bytes,
                                                      extent.start, file_extent_prealloc);
    if (!inserted) return inserted;
    {
        const sim::SpinGuard guard{inode.spin};
        inode.obj.write();
        inode.flags |= inode_prealloc;
        inode.i_size = std::max(inode.i_size, start + extent.num_bytes);
        inode.disk_i_size = inode.i_size;
    }
    return update_inode(trans, inode);
}

/// In a transaction of its own. The space is given back if no transaction could be had; after an
/// abort nothing matters.
Result<void> insert_prealloc(Inode& inode, u64 start, const ReservedExtent& extent) {
    const auto trans = start_transaction(inode.root, 3);
    if (!trans) {
        free_reserved_extent(inode.fs, extent.start, extent.num_bytes, false);
        return trans.error();
    }
    const auto inserted = insert_prealloc_item(**trans, inode, start, extent);
    if (!inserted) abort_transaction(**trans, inserted.error(), "__btrfs_prealloc_file_range");
    const auto ended = end_transaction(*trans);
    return inserted ? ended : inserted;
}

/// No ordered extent ever exists for this space: only the group's reservations show it until the
/// item is inserted. Mirrors __btrfs_prealloc_file_range(). @return how far it came, with the error
/// that stopped it
struct Preallocated {
    u64 bytes = 0;  // that no longer count as reserved by the caller
    Result<void> result;
};
Preallocated prealloc_file_range(Inode& inode, Hole hole, u64 min_size) {
    const sim::Scope scope("btrfs_prealloc_file_range");
    Preallocated done;
    while (hole.start < hole.end && done.result) {
        const u64 left = hole.end - hole.start;
        const auto extent = reserve_extent(inode.root, left, left, min_size, true, false);
        if (!extent) return {done.bytes, extent.error()};
        done.result = insert_prealloc(inode, hole.start, *extent);
        dec_block_group_reservations(inode.fs, extent->start);
        done.bytes += extent->num_bytes;
        hole.start += extent->num_bytes;
    }
    return done;
}

Result<void> fill_holes(Inode& inode, const std::vector<Hole>& holes, u64 min_size) {
    u64 needed = 0;
    for (const Hole& hole : holes)
        needed += hole.end - hole.start;
    if (needed == 0) return {};
    const auto reserved = reserve_data_bytes(inode.fs, needed);
    if (!reserved) return reserved;
    for (const Hole& hole : holes) {
        const auto [bytes, result] = prealloc_file_range(inode, hole, min_size);
        needed -= bytes;
        if (result) continue;
        release_delalloc(inode, needed, 0);
        return result;
    }
    return {};
}

/// fallocate_update_isize(): also where nothing was allocated.
Result<void> update_isize(Inode& inode, u64 end) {
    {
        const sim::SpinGuard guard{inode.spin};
        inode.obj.write(end);
        if (inode.i_size >= end) return {};
        inode.i_size = inode.disk_i_size = end;
    }
    const auto trans = start_transaction(inode.root, 1);
    if (!trans) return trans.error();
    const auto updated = update_inode(**trans, inode);
    const auto ended = end_transaction(*trans);
    return updated ? ended : updated;
}

}  // namespace

Result<void> prealloc_extent(Inode& inode, u64 start, u64 end) {
    lock_extent(inode, start, end);
    const auto result = fill_holes(inode, {{start, end}}, end - start);
    unlock_extent(inode, start, end);
    return result;
}

Result<void> fallocate_range(Inode& inode, u64 start, u64 end) {
    const sim::Scope scope("btrfs_fallocate");
    const auto waited = wait_ordered_range(inode, start, end - start);
    if (!waited) return waited;
    lock_extent(inode, start, end);
    const auto holes = find_holes(inode, start, end);
    auto result = holes ? fill_holes(inode, *holes, sectorsize) : Result<void>{holes.error()};
    if (result) result = update_isize(inode, end);
    unlock_extent(inode, start, end);
    return result;
}

}  // namespace model
