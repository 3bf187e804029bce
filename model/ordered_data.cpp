#include "model/ordered_data.h"

#include "model/extent_tree.h"
#include "model/file.h"
#include "model/file_item.h"
#include "model/fs_info.h"
#include "model/ledger.h"
#include "model/relocation.h"
#include "model/tracepoints.h"
#include "sim/trace.h"

// fs/btrfs/ordered-data.c, and btrfs_finish_ordered_io() of fs/btrfs/inode.c, v6.1.
//
// Left out: compressed, truncated and logged extents (a page leaves the cache only when its ordered
// extent is complete, and fsync commits), so PENDING is never set. The waits for many extents start
// and await them one by one in the caller, where the kernel gives each to a flush worker: nothing
// waits for the order.

namespace model {

OrderedExtent::OrderedExtent(Inode& owner, u64 offset, u64 bytes, Bytenr disk, u64 disk_bytes,
                             u64 initial_flags)
    : obj(objects::ordered_extent, offset, this), inode(owner), file_offset(offset),
      num_bytes(bytes), disk_bytenr(disk), disk_num_bytes(disk_bytes), bytes_left(bytes),
      flags(initial_flags, offset), wait(offset, "ordered extent"), sums(bytes / sectorsize) {}

// ---- the inode's tree and the root's list
// -----------------------------------------------------------------------------------------

namespace {

void insert_into_tree(OrderedExtent& ordered) {
    Inode& inode = ordered.inode;
    const sim::SpinGuard guard{inode.ordered_tree_lock};
    inode.ordered_tree_obj.write(ordered.file_offset);
    inode.ordered_tree.emplace(ordered.file_offset, &ordered);
}

void insert_into_root_list(OrderedExtent& ordered) {
    Root& root = ordered.inode.root;
    FsInfo& fs = root.fs;
    const sim::SpinGuard guard{root.ordered_extent_lock};
    root.ordered_obj.write();
    root.ordered_extents.push_back(&ordered);
    if (root.ordered_extents.size() > 1) return;
    const sim::SpinGuard roots_guard{fs.ordered_root_lock};
    fs.ordered_roots_obj.write();
    fs.ordered_roots.push_back(&root);
}

/// COMPLETE: the metadata of the write is in the trees.
void remove_from_tree(OrderedExtent& ordered) {
    Inode& inode = ordered.inode;
    const sim::SpinGuard guard{inode.ordered_tree_lock};
    inode.ordered_tree_obj.write(ordered.file_offset);
    inode.ordered_tree.erase(ordered.file_offset);
    ordered.flags.set_bit(ordered_flag::complete);
}

void remove_from_root_list(OrderedExtent& ordered) {
    Root& root = ordered.inode.root;
    FsInfo& fs = root.fs;
    const sim::SpinGuard guard{root.ordered_extent_lock};
    root.ordered_obj.write();
    std::erase(root.ordered_extents, &ordered);
    if (!root.ordered_extents.empty()) return;
    const sim::SpinGuard roots_guard{fs.ordered_root_lock};
    fs.ordered_roots_obj.write();
    std::erase(fs.ordered_roots, &root);
}

/// Mirrors btrfs_remove_ordered_extent().
void remove_ordered_extent(OrderedExtent& ordered) {
    const sim::Scope scope("btrfs_remove_ordered_extent");
    release_delalloc(ordered.inode, 0, ordered.reserved_meta);
    remove_from_tree(ordered);
    trace_btrfs_ordered_extent_remove(ordered);
    remove_from_root_list(ordered);
    ordered.wait.wake_up_all();
}

}  // namespace

OrderedExtent& add_ordered_extent(Inode& inode, u64 file_offset, u64 num_bytes, Bytenr disk_bytenr,
                                  u64 disk_num_bytes, u64 flags) {
    const sim::Scope scope("btrfs_add_ordered_extent");
    OrderedExtent& ordered = *sim::make<OrderedExtent>(inode, file_offset, num_bytes, disk_bytenr,
                                                       disk_num_bytes, flags);
    ++inode.refs;  // ihold(): the caller has a reference, so nobody can notice when the count moves
    insert_into_tree(ordered);
    insert_into_root_list(ordered);
    trace_btrfs_ordered_extent_add(ordered);
    sim::note([&] {
        return "creates ordered extent at file offset " + std::to_string(file_offset) + ", disk " +
               std::to_string(disk_bytenr.get());
    });
    return ordered;
}

OrderedExtent* find_ordered_locked(Inode& inode, u64 file_offset, u64 len) {
    inode.ordered_tree_obj.read();
    auto next = inode.ordered_tree.upper_bound(file_offset);
    if (next != inode.ordered_tree.begin() && std::prev(next)->second->end() > file_offset) --next;
    const bool overlaps = next != inode.ordered_tree.end() &&
                          (next->first < file_offset || next->first - file_offset < len);
    return overlaps ? next->second : nullptr;
}

OrderedExtent* lookup_ordered_range(Inode& inode, u64 file_offset, u64 len) {
    const sim::SpinGuard guard{inode.ordered_tree_lock};
    OrderedExtent* const ordered = find_ordered_locked(inode, file_offset, len);
    if (ordered != nullptr) ++ordered->refs;
    return ordered;
}

void put_ordered_extent(OrderedExtent* ordered) {
    sim::current().order(ordered->obj, sim::AccessKind::Write);  // the last gives the inode back
    if (--ordered->refs > 0) return;
    Inode& inode = ordered->inode;
    sim::destroy(ordered);
    add_delayed_iput(inode);
}

// ---- the end of the I/O
// --------------------------------------------------------------------------------------------------------

namespace {

/// ordered_tree_lock held. @return whether these were its last bytes
bool finish_bytes(OrderedExtent& ordered, u64 bytes, bool uptodate) {
    SIM_ASSERT(ordered.bytes_left >= bytes);
    ordered.obj.write(bytes);
    if (!uptodate) ordered.flags.set_bit(ordered_flag::ioerr);
    ordered.bytes_left -= bytes;
    if (ordered.bytes_left > 0) return false;
    ordered.flags.set_bit(ordered_flag::io_done);
    ordered.wait.wake_up_all();
    ++ordered.refs;  // the worker's
    return true;
}

void queue_finish(OrderedExtent* ordered) {
    ordered->inode.fs.endio_write_workers.queue(
        "endio-write", [ordered] { static_cast<void>(finish_ordered_io(*ordered)); });
}

}  // namespace

void mark_ordered_io_finished(Inode& inode, u64 file_offset, u64 num_bytes, bool uptodate) {
    const sim::Scope scope("btrfs_mark_ordered_io_finished");
    const u64 end = file_offset + num_bytes;
    while (file_offset < end) {
        OrderedExtent* done = nullptr;
        {
            const sim::SpinGuard guard{inode.ordered_tree_lock};
            OrderedExtent* const ordered =
                find_ordered_locked(inode, file_offset, end - file_offset);
            if (ordered == nullptr) return;
            const u64 from = std::max(file_offset, ordered->file_offset);
            const u64 to = std::min(end, ordered->end());
            if (finish_bytes(*ordered, to - from, uptodate)) done = ordered;
            trace_btrfs_ordered_extent_mark_finished(*ordered);
            file_offset = to;
        }
        if (done != nullptr) queue_finish(done);
    }
}

namespace {

/// NO_HOLES: the size on disk follows the size in memory. Mirrors
/// btrfs_inode_safe_disk_i_size_write().
void inode_safe_disk_i_size_write(Inode& inode) {
    const sim::SpinGuard guard{inode.spin};
    inode.obj.write();
    inode.disk_i_size = inode.i_size;
}

Result<void> write_inode_item(TransHandle& trans, Inode& inode) {
    inode_safe_disk_i_size_write(inode);
    const auto updated = update_inode(trans, inode);
    if (!updated) abort_transaction(trans, updated.error(), "btrfs_finish_ordered_io");
    return updated;
}

/// Mirrors add_pending_csums(). PREALLOC too: the extent had none while nobody could read it.
Result<void> add_pending_csums(TransHandle& trans, const OrderedExtent& ordered) {
    if (ordered.inode.nodatasum()) return {};
    if (ordered.inode.root.objectid == data_reloc_tree_objectid)
        return reloc_clone_csums(trans, ordered.inode, ordered.file_offset, ordered.num_bytes,
                                 ordered.disk_bytenr);
    trans.adding_csums = true;
    const auto added = csum_file_blocks(trans, ordered.place(), ordered.sums);
    trans.adding_csums = false;
    return added;
}

/// The file extent item and its data reference; or the end of PREALLOC. Sets `inserted` once the
/// space belongs to the item.
Result<void> record_extent(TransHandle& trans, OrderedExtent& ordered, u64 flags, bool& inserted) {
    Inode& inode = ordered.inode;
    if ((flags & ordered_flag::bit(ordered_flag::prealloc)) != 0)
        return mark_extent_written(trans, inode, ordered.file_offset, ordered.end());
    const auto recorded = insert_reserved_file_extent(
        trans, inode, ordered.file_offset, ordered.num_bytes, ordered.place(), file_extent_reg);
    inserted = recorded.ok();
    return recorded;
}

/// Steps 13 and 14, inside one joined handle.
Result<void> record_in_trees(TransHandle& trans, OrderedExtent& ordered, u64 flags,
                             bool& inserted) {
    auto result = record_extent(trans, ordered, flags, inserted);
    if (result) result = add_pending_csums(trans, ordered);
    if (!result) {
        abort_transaction(trans, result.error(), "btrfs_finish_ordered_io");
        return result;
    }
    return write_inode_item(trans, ordered.inode);
}

/// A handle that charges the inode's reserve.
Result<TransHandle*> join_for(Inode& inode) {
    const auto trans = join_transaction(inode.root);
    if (trans) (*trans)->block_rsv = &inode.block_rsv;
    return trans;
}

/// A NOCOW write changed nothing in the trees but the inode.
Result<void> finish_nocow(OrderedExtent& ordered) {
    const auto trans = join_for(ordered.inode);
    if (!trans) return trans.error();
    return end_transaction(*trans, write_inode_item(**trans, ordered.inode));
}

Result<void> finish_new_extent(OrderedExtent& ordered, u64 flags, bool& inserted) {
    Inode& inode = ordered.inode;
    lock_extent(inode, ordered.file_offset, ordered.end());
    const auto trans = join_for(inode);
    if (!trans) {
        unlock_extent(inode, ordered.file_offset, ordered.end());
        return trans.error();
    }
    const auto result = record_in_trees(**trans, ordered, flags, inserted);
    unlock_extent(inode, ordered.file_offset, ordered.end());
    return end_transaction(*trans, result);
}

Result<void> finish_writes(OrderedExtent& ordered, u64 flags, bool& inserted) {
    if ((flags & ordered_flag::bit(ordered_flag::ioerr)) != 0) return Errno::IO;
    if ((flags & ordered_flag::bit(ordered_flag::nocow)) != 0) return finish_nocow(ordered);
    return finish_new_extent(ordered, flags, inserted);
}

}  // namespace

Result<void> finish_ordered_io(OrderedExtent& ordered) {
    const sim::Scope scope("btrfs_finish_ordered_io");
    const u64 flags = ordered.flags.load();
    bool inserted = false;
    FsInfo& fs = ordered.inode.fs;
    if (fs.zoned != nullptr) zone_finish_endio(fs, ordered.place(), ordered.disk_num_bytes);
    const auto result = finish_writes(ordered, flags, inserted);
    const bool newly_allocated = (flags & ordered_flag::bit(ordered_flag::regular)) != 0;
    if (!result && ordered.inode.fs.ledger != nullptr)
        ordered.inode.fs.ledger->lost_write(ordered.inode);
    if (!result && newly_allocated && !inserted)
        free_reserved_extent(ordered.inode.fs, ordered.place(), ordered.disk_num_bytes, true);
    remove_ordered_extent(ordered);
    --ordered.refs;  // the tree's; the worker's is left
    put_ordered_extent(&ordered);
    return result;
}

// ---- waiting
// ------------------------------------------------------------------------------------------------------------------------

void start_ordered_extent(OrderedExtent& ordered) {
    const sim::Scope scope("btrfs_start_ordered_extent");
    trace_btrfs_ordered_extent_start(ordered);
    static_cast<void>(filemap_fdatawrite_range(ordered.inode, ordered.file_offset, ordered.end()));
    ordered.wait.wait_event([&] { return ordered.flags.test(ordered_flag::complete); });
}

Result<void> wait_ordered_range(Inode& inode, u64 start, u64 len) {
    const sim::Scope scope("btrfs_wait_ordered_range");
    const u64 end = len > ~u64{0} - start ? ~u64{0} : start + len;
    const auto written = filemap_fdatawrite_range(inode, start, end);
    auto result = filemap_fdatawait_range(inode, start, end);
    if (!written) result = written;
    while (start < end) {
        OrderedExtent* const ordered = lookup_ordered_range(inode, start, end - start);
        if (ordered == nullptr) break;
        start_ordered_extent(*ordered);
        start = ordered->end();
        if (ordered->flags.test(ordered_flag::ioerr)) result = Errno::IO;
        put_ordered_extent(ordered);
    }
    return result;
}

namespace {

/// The set that a waiter waits for is fixed here: what is added later does not belong to it.
std::vector<OrderedExtent*> overlapping_extents(Root& root, Bytenr start, Bytenr end) {
    const sim::SpinGuard guard{root.ordered_extent_lock};
    root.ordered_obj.read();
    std::vector<OrderedExtent*> found;
    for (OrderedExtent* const ordered : root.ordered_extents) {
        if (ordered->disk_bytenr >= end || ordered->disk_end() <= start) continue;
        ++ordered->refs;
        found.push_back(ordered);
    }
    return found;
}

std::vector<Root*> roots_with_ordered_extents(FsInfo& fs) {
    const sim::SpinGuard guard{fs.ordered_root_lock};
    fs.ordered_roots_obj.read();
    return {fs.ordered_roots.begin(), fs.ordered_roots.end()};
}

}  // namespace

u64 wait_ordered_extents(Root& root, Bytenr start, u64 len) {
    const sim::Scope scope("btrfs_wait_ordered_extents");
    const sim::MutexGuard guard{root.ordered_extent_mutex};
    const Bytenr end = len > ~u64{0} - start.get() ? Bytenr(~u64{0}) : start + len;
    const auto waited_for = overlapping_extents(root, start, end);
    for (OrderedExtent* const ordered : waited_for) {
        start_ordered_extent(*ordered);
        put_ordered_extent(ordered);
    }
    return waited_for.size();
}

u64 wait_ordered_roots(FsInfo& fs, Bytenr start, u64 len) {
    const sim::Scope scope("btrfs_wait_ordered_roots");
    const sim::MutexGuard guard{fs.ordered_operations_mutex};
    u64 count = 0;
    for (Root* const root : roots_with_ordered_extents(fs))
        count += wait_ordered_extents(*root, start, len);
    return count;
}

}  // namespace model
