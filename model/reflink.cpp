// fs/btrfs/reflink.c of 6.1: deduplication. Left out: inline extents, a last sector that is not
// whole, rounds of 16 MiB (a range is cloned under one lock), and plain cloning. Locks of two
// inodes are taken in the order of their numbers, where the kernel goes by addresses.
#include "model/reflink.h"

#include <optional>
#include <tuple>

#include "model/extent_tree.h"
#include "model/file.h"
#include "model/file_item.h"
#include "model/fs_info.h"
#include "sim/trace.h"

namespace model {
namespace {

bool goes_before(const FileRange& a, const FileRange& b) {
    const auto place = [](const FileRange& range) {
        return std::tuple(range.inode.root.objectid, range.inode.ino, range.start);
    };
    return place(a) < place(b);
}

/// Mirrors lock_two_nondirectories().
class TwoInodesGuard {
  public:
    TwoInodesGuard(const FileRange& a, const FileRange& b)
        : first_(goes_before(a, b) ? a.inode : b.inode),
          second_(goes_before(a, b) ? b.inode : a.inode) {
        constexpr unsigned normal = 1, nondir2 = 2;  // lockdep's: of files, and of the second one
        first_.lock.down_write(normal, sim::Where::current());
        if (&first_ != &second_) second_.lock.down_write(nondir2, sim::Where::current());
    }
    ~TwoInodesGuard() {
        if (&first_ != &second_) second_.lock.up_write();
        first_.lock.up_write();
    }
    TwoInodesGuard(const TwoInodesGuard&) = delete;
    TwoInodesGuard& operator=(const TwoInodesGuard&) = delete;

  private:
    Inode &first_, &second_;
};

bool overlap(const FileRange& a, const FileRange& b) {
    return &a.inode == &b.inode && a.start < b.end() && b.start < a.end();
}

/// What must hold before contents are compared: both locked, nothing on its way to the disk.
/// Mirrors btrfs_remap_file_range_prep() and generic_remap_file_range_prep()
Result<void> prepare(const FileRange& from, const FileRange& to) {
    if (from.inode.nodatasum() != to.inode.nodatasum() || overlap(from, to)) return Errno::Inval;
    for (const FileRange* const range : {&from, &to}) {
        const auto written = wait_ordered_range(range->inode, range->start, range->length);
        if (!written) return written;
        if (range->end() > i_size_read(range->inode)) return Errno::Inval;
    }
    return {};
}

/// Mirrors vfs_dedupe_file_range_compare().
Result<void> compare_contents(const FileRange& from, const FileRange& to) {
    const auto here = read_range(from.inode, from.start, from.end());
    if (!here) return here.error();
    const auto there = read_range(to.inode, to.start, to.end());
    if (!there) return there.error();
    return *here == *there ? Result<void>{} : Errno::BadE;
}

/// Where a part of `from` goes: [start, end) of the other file, and the extent item for its tail.
struct Replacement {
    u64 start = 0, end = 0;
    std::optional<FileExtent> extent;  // nothing: it becomes a hole
};

Result<void> replace_in(TransHandle& trans, Inode& inode, const Replacement& with) {
    const auto dropped = drop_extents(trans, inode.root, inode.ino, with.start, with.end);
    if (!dropped) return dropped.error();
    add_nbytes(inode, -*dropped);
    if (with.extent) {
        const auto inserted = insert_cloned_extent(trans, inode, *with.extent);
        if (!inserted) return inserted;
    }
    return update_inode(trans, inode);
}

/// In a transaction of its own. Mirrors btrfs_replace_file_extents() and
/// clone_finish_inode_update()
Result<void> replace_file_extents(Inode& inode, const Replacement& with) {
    const auto trans = start_transaction(inode.root, with.extent ? 3 : 2);
    if (!trans) return trans.error();
    const auto replaced = replace_in(**trans, inode, with);
    if (!replaced) abort_transaction(**trans, replaced.error(), "btrfs_replace_file_extents");
    const auto ended = end_transaction(*trans);
    return replaced ? ended : replaced;
}

/// What of `extent` lies in `from`, as it is to stand in the other file.
FileExtent moved(const FileExtent& extent, const FileRange& from, const FileRange& to) {
    const u64 start = std::max(extent.file_offset, from.start);
    FileExtent part = extent;
    part.item.offset += start - extent.file_offset;
    part.item.num_bytes = std::min(extent.end(), from.end()) - start;
    part.file_offset = start - from.start + to.start;
    return part;
}

/// Extent by extent, with the hole before each. Both ranges are locked. Mirrors btrfs_clone()
Result<void> clone_extents(const FileRange& from, const FileRange& to) {
    const sim::Scope scope("btrfs_clone");
    for (u64 done = to.start; done < to.end();) {
        const auto found =
            lookup_file_extent(from.inode.root, from.inode.ino, from.start + (done - to.start));
        if (!found) return found.error();
        Replacement next{.start = done, .end = to.end(), .extent = std::nullopt};
        if (*found && (*found)->file_offset < from.end()) {
            next.extent = moved(**found, from, to);
            next.end = next.extent->end();
        }
        const auto replaced = replace_file_extents(to.inode, next);
        if (!replaced) return replaced;
        done = next.end;
    }
    return {};
}

void lock_range(const FileRange& range) {
    lock_extent(range.inode, range.start, range.end());
}
void unlock_range(const FileRange& range) {
    unlock_extent(range.inode, range.start, range.end());
}

/// Mirrors btrfs_extent_same().
Result<void> extent_same(const FileRange& from, const FileRange& to) {
    const sim::Scope scope("btrfs_extent_same");
    if (const auto begun = begin_dedupe_of(to.inode.root); !begun) return begun;
    const bool in_order = goes_before(from, to);
    lock_range(in_order ? from : to);
    lock_range(in_order ? to : from);
    const auto cloned = clone_extents(from, to);
    unlock_range(in_order ? to : from);
    unlock_range(in_order ? from : to);
    end_dedupe_of(to.inode.root);
    return cloned;
}

}  // namespace

Result<void> dedupe_file_range(const FileRange& from, const FileRange& to) {
    const sim::Scope scope("btrfs_remap_file_range");
    const TwoInodesGuard guard(from, to);
    if (const auto ready = prepare(from, to); !ready) return ready;
    if (const auto same = compare_contents(from, to); !same) return same;
    return extent_same(from, to);
}

}  // namespace model
