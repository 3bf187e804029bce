#include <algorithm>

#include "model/delayed_ref_throttle.h"
#include "model/extent_tree.h"
#include "model/file.h"
#include "model/file_item.h"
#include "model/fixes.h"
#include "model/fs_info.h"
#include "sim/trace.h"

// Truncation and eviction: btrfs_truncate(), btrfs_setsize() and btrfs_evict_inode() of
// fs/btrfs/inode.c, btrfs_truncate_inode_items() of fs/btrfs/inode-item.c, v6.1; and as 4.19 had
// them, where a truncation runs references and an eviction commits for its reserve. Left out: a
// size inside a sector; the temporary reserve of btrfs_truncate(), which charges its handle's here.

namespace model {

// ---- items
// ----------------------------------------------------------------------------------------------------------------------------

namespace {

constexpr u64 much = u64{32} << 20;  // of deleted extents, in one go

/// Deletes an inode's items from the last one down, leaf by leaf.
class ItemTruncation {
  public:
    ItemTruncation(TransHandle& trans, Root& root, u64 ino, u64 new_size, bool whole_inode)
        : trans_(trans), root_(root), ino_(ino), new_size_(new_size), whole_inode_(whole_inode) {
        progress_.last_size = new_size;
    }

    TruncateProgress run() {
        while (!finished_ && progress_.result)
            progress_.result = truncate_leaf();
        const bool in_order = progress_.result || progress_.result.error() == Errno::Again;
        if (runs_references() && deleted_ > much && in_order)
            if (const auto run = run_own_updates(trans_); !run) progress_.result = run;
        return progress_;
    }

  private:
    /// Until 5.0.
    bool runs_references() const { return !trans_.fs.has(fix::truncate_throttling); }

    Result<void> truncate_leaf() {
        if (deleted_ > much) {
            const auto ends = model::should_end_transaction(trans_);
            if (!ends || *ends) return Errno::Again;
        }
        Path path;
        const auto found = search_slot(&trans_, root_, {ino_, 0xFF, ~u64{0}}, path, -1, true);
        if (!found) return found.error();
        if (path.slots[0] == 0) {
            finished_ = true;
            return {};
        }
        first_ = path.slots[0];
        count_ = 0;
        throttle_ = wants_end_ = false;
        auto result = collect(path);
        if (count_ > 0 && result) result = del_items(trans_, root_, path, first_, count_);
        if (!result) {
            abort_transaction(trans_, result.error(), "btrfs_truncate_inode_items");
            return result;
        }
        path.release();
        return finished_ ? Result<void>{} : give_way();
    }

    /// Walks down the leaf as long as items are to go; queues the drops of their references.
    Result<void> collect(Path& path) {
        while (path.slots[0] > 0 && !finished_ && !throttle_ && !wants_end_) {
            --path.slots[0];
            const Key key = path.key();
            if (!concerns(key)) {
                finished_ = true;
                return {};
            }
            if (key.type == extent_data_key) {
                const auto done = drop_extent(path, key);
                if (!done || finished_) return done;
            }
            first_ = path.slots[0];
            ++count_;
            finished_ = key.type == inode_item_key;
        }
        return {};
    }

    bool concerns(const Key& key) const {
        return key.objectid == ino_ && (whole_inode_ || key.type >= extent_data_key);
    }

    /// Sets finished_ where the item stays.
    Result<void> drop_extent(Path& path, const Key& key) {
        FileExtent extent{key.offset, read_item<FileExtentItem>(path)};
        const bool allocated = extent.item.disk_bytenr != 0;
        if (extent.file_offset < new_size_) {
            finished_ = true;
            if (extent.end() <= new_size_) return {};
            if (allocated) progress_.sub_bytes += extent.end() - new_size_;
            extent.item.num_bytes = new_size_ - extent.file_offset;
            write_item(path, extent.item);
            return {};
        }
        progress_.last_size = key.offset;
        if (!allocated) return {};
        progress_.sub_bytes += extent.item.num_bytes;
        const auto freed = free_data_extent(trans_, {.bytenr = Bytenr(extent.item.disk_bytenr),
                                                     .num_bytes = extent.item.disk_num_bytes,
                                                     .root = root_.objectid,
                                                     .objectid = ino_,
                                                     .offset = extent.orig_offset()});
        deleted_ += extent.item.num_bytes;
        if (runs_references()) put_pressure(extent.item.num_bytes);
        throttle_ = is_throttled();
        return freed;
    }

    bool is_throttled() { return check_space_for_delayed_refs(trans_.fs, trans_.transaction); }

    /// Workers begin to run references, and space is asked for that will not be used: who does not
    /// get it ends the transaction. Mirrors truncate_space_check().
    void put_pressure(u64 bytes) {
        FsInfo& fs = trans_.fs;
        if (is_throttled())
            async_run_delayed_refs(
                fs, {.count = 2 * trans_.delayed_ref_updates, .transid = trans_.transid});
        const u64 reserve = csum_bytes_to_leaves(fs, bytes) * fs.nodesize;
        wants_end_ = !block_rsv_add(fs, fs.trans_block_rsv, reserve, Flush::No);
        if (!wants_end_) trans_.bytes_reserved += reserve;
    }

    /// A handle is held, so nothing can be flushed; whoever has no room ends the transaction and
    /// comes again.
    Result<void> give_way() {
        if (!runs_references())
            return throttle_ && !delayed_refs_rsv_refill(trans_.fs, Flush::No)
                       ? Result<void>(Errno::Again)
                       : Result<void>();
        if (throttle_)
            if (const auto run = run_own_updates(trans_); !run) return run;
        return wants_end_ ? Result<void>(Errno::Again) : Result<void>();
    }

    TransHandle& trans_;
    Root& root_;
    const u64 ino_, new_size_;
    const bool whole_inode_;
    bool finished_ = false, throttle_ = false, wants_end_ = false;
    u64 deleted_ = 0;
    unsigned first_ = 0, count_ = 0;
    TruncateProgress progress_;
};

bool wants_another_transaction(const Result<void>& result) {
    return !result && (result.error() == Errno::Again || result.error() == Errno::NoSpc);
}

}  // namespace

TruncateProgress truncate_inode_items(TransHandle& trans, Root& root, u64 ino, u64 new_size,
                                      bool whole_inode) {
    const sim::Scope scope("btrfs_truncate_inode_items");
    return ItemTruncation(trans, root, ino, new_size, whole_inode).run();
}

// ---- pages
// ----------------------------------------------------------------------------------------------------------------------------

namespace {

struct DroppedDelalloc {
    u64 data_bytes = 0, meta_bytes = 0;
};

/// Forgets pages from `first` on. @return false while one of them is locked or under writeback
bool try_truncate_pages(Inode& inode, u64 first, DroppedDelalloc& dropped) {
    const sim::SpinGuard guard{inode.mapping_lock};
    inode.mapping_obj.write(first);
    const auto none_from = [first](const Set<u64>& indices) {
        return indices.lower_bound(first) == indices.end();
    };
    if (!none_from(inode.locked_pages) || !none_from(inode.writeback_pages)) return false;
    inode.dirty_pages.erase(inode.dirty_pages.lower_bound(first), inode.dirty_pages.end());
    for (auto at = inode.pages.lower_bound(first); at != inode.pages.end(); ++at) {
        at->second->obj.write();
        at->second->uptodate = false;
    }
    const sim::SpinGuard tree_guard{inode.io_tree_lock};
    inode.io_tree_obj.write(first);
    const auto delalloc = inode.delalloc.lower_bound(first);
    for (auto at = delalloc; at != inode.delalloc.end(); ++at) {
        dropped.data_bytes += sectorsize;
        dropped.meta_bytes += at->second;
    }
    inode.delalloc.erase(delalloc, inode.delalloc.end());
    update_delalloc_list(inode);
    return true;
}

/// Mirrors truncate_inode_pages() with btrfs_invalidate_folio().
void truncate_pages(Inode& inode, u64 first) {
    DroppedDelalloc dropped;
    inode.page_wait.wait_event([&] { return try_truncate_pages(inode, first, dropped); });
    release_delalloc(inode, dropped.data_bytes, dropped.meta_bytes);
}

// ---- truncate
// ---------------------------------------------------------------------------------------------------------------------------

void set_sizes(Inode& inode, u64 size, u64 disk_size, u64 sub_bytes) {
    const sim::SpinGuard guard{inode.spin};
    inode.obj.write(size);
    inode.i_size = size;
    inode.disk_i_size = disk_size;
    inode.nbytes -= sub_bytes;
}

/// One transaction's worth of btrfs_truncate().
Result<void> truncate_some(Inode& inode, u64 new_size) {
    const auto trans = start_transaction(inode.root, 2);
    if (!trans) return trans.error();
    lock_extent(inode, new_size, ~u64{0});
    const auto progress = truncate_inode_items(**trans, inode.root, inode.ino, new_size, false);
    set_sizes(inode, new_size, progress.result ? new_size : progress.last_size, progress.sub_bytes);
    unlock_extent(inode, new_size, ~u64{0});
    const auto updated = update_inode(**trans, inode);
    const auto ended = end_transaction(*trans);
    if (!progress.result) return progress.result;
    return updated ? ended : updated;
}

/// Mirrors btrfs_truncate().
Result<void> truncate(Inode& inode, u64 new_size) {
    const sim::Scope scope("btrfs_truncate");
    const auto waited = wait_ordered_range(inode, new_size, ~u64{0});
    if (!waited) return waited;
    for (;;) {
        const auto result = truncate_some(inode, new_size);
        if (!wants_another_transaction(result)) return result;
    }
}

Result<void> expand(Inode& inode, u64 new_size) {
    const auto trans = start_transaction(inode.root, 1);
    if (!trans) return trans.error();
    set_sizes(inode, new_size, new_size, 0);
    const auto updated = update_inode(**trans, inode);
    const auto ended = end_transaction(*trans);
    return updated ? ended : updated;
}

}  // namespace

Result<void> setsize(Inode& inode, u64 new_size) {
    const sim::Scope scope("btrfs_setsize");
    u64 old_size = 0;
    {
        const sim::SpinGuard guard{inode.spin};
        inode.obj.write(new_size);
        old_size = inode.i_size;
        if (new_size <= old_size) inode.i_size = new_size;
    }
    if (new_size > old_size) return expand(inode, new_size);
    truncate_pages(inode, page_index(new_size));
    return truncate(inode, new_size);
}

// ---- evict
// ------------------------------------------------------------------------------------------------------------------------------

namespace {

/// The temporary reserve of an eviction.
class EvictReserve {
  public:
    explicit EvictReserve(Inode& inode) : inode_(inode), rsv_(RsvType::Temp) {
        FsInfo& fs = inode.fs;
        rsv_.space_info = &space_info_for(fs, bg_metadata);
        rsv_.size = calc_metadata_size(fs, 1);
        rsv_.failfast = true;
    }

    /// A handle that charges the reserve, which holds enough to change one item. Mirrors
    /// evict_refill_and_join().
    Result<TransHandle*> refill_and_join() {
        if (inode_.fs.has(fix::evict_starts)) return start_transaction(inode_.root, 1);
        const auto trans =
            inode_.fs.has(fix::evict_flush_state) ? flush_and_join() : join_or_commit();
        if (trans) (*trans)->block_rsv = &rsv_;
        return trans;
    }
    Result<void> end(TransHandle* trans) {
        trans->block_rsv = &inode_.fs.trans_block_rsv;
        return end_transaction(trans);
    }
    void release() { block_rsv_release(inode_.fs, rsv_, ~u64{0}); }

  private:
    Result<TransHandle*> flush_and_join() {
        FsInfo& fs = inode_.fs;
        u64 for_delayed_refs = calc_insert_metadata_size(fs, 1);
        if (!refill(rsv_.size + for_delayed_refs, Flush::Evict)) {
            for_delayed_refs = 0;
            if (!refill_without_refs()) return give_up();
        }
        const auto trans = join_transaction(inode_.root);
        if (trans) give_to_handle(**trans, for_delayed_refs);
        return trans;
    }

    /// From 5.17 on (ee6adbfd6a2c) the reservation itself steals from the global reserve.
    bool refill_without_refs() {
        FsInfo& fs = inode_.fs;
        if (fs.kernel.at_least(5, 17)) return refill(rsv_.size, Flush::Evict).ok();
        return !delayed_refs_want_all(fs) && take_from_global();
    }

    /// Until 5.4: what cannot be had without a commit is taken from the global reserve, and where
    /// that is needed for the references, this task commits and tries again.
    Result<TransHandle*> join_or_commit() {
        FsInfo& fs = inode_.fs;
        constexpr int attempts = 3;
        const u64 for_delayed_refs =
            fs.has(fix::delayed_refs_rsv) ? calc_insert_metadata_size(fs, 1) : 0;
        for (int failures = 0;;) {
            const bool refilled = refill(rsv_.size + for_delayed_refs, Flush::Limit).ok();
            if (!refilled && ++failures == attempts) return give_up();
            const auto trans = join_transaction(inode_.root);
            if (!trans) return trans;
            if (refilled) {
                give_to_handle(**trans, for_delayed_refs);
                return trans;
            }
            if (!check_space_for_delayed_refs(fs, (*trans)->transaction) && take_from_global())
                return trans;
            if (const auto committed = commit_transaction(*trans); !committed)
                return committed.error();
        }
    }

    Errno give_up() {
        inode_.fs.message("warning",
                          inode_.fs.has(fix::evict_flush_state)
                              ? "could not allocate space for delete; will truncate on mount"
                              : "could not allocate space for a delete; will truncate on mount");
        return Errno::NoSpc;
    }

    Result<void> refill(u64 wanted, Flush flush) {
        u64 held = 0;
        {
            const sim::SpinGuard guard{rsv_.lock};
            rsv_.obj.read();
            held = rsv_.reserved;
        }
        if (held >= wanted) return {};
        const auto reserved =
            reserve_metadata_bytes(inode_.fs, *rsv_.space_info, wanted - held, flush);
        if (reserved) block_rsv_add_bytes(rsv_, wanted - held, false);
        return reserved;
    }

    /// What the references of the handle may want is the handle's own.
    void give_to_handle(TransHandle& trans, u64 bytes) {
        if (bytes == 0 || !block_rsv_use_bytes(rsv_, bytes)) return;
        trans.bytes_reserved = bytes;
        block_rsv_add_bytes(inode_.fs.trans_block_rsv, bytes, true);
    }

    bool take_from_global() {
        if (!block_rsv_use_bytes(inode_.fs.global_block_rsv, rsv_.size)) return false;
        block_rsv_add_bytes(rsv_, rsv_.size, false);
        return true;
    }

    Inode& inode_;
    BlockRsv rsv_;
};

/// @return an error that ends the eviction; Again or NoSpc ask for another round
Result<void> evict_some(Inode& inode, EvictReserve& reserve) {
    const auto trans = reserve.refill_and_join();
    if (!trans) return trans.error() == Errno::NoSpc ? Errno::Canceled : trans.error();
    const auto progress = truncate_inode_items(**trans, inode.root, inode.ino, 0, true);
    const auto ended = reserve.end(*trans);
    return progress.result ? ended : progress.result;
}

Result<void> evict_items(Inode& inode, EvictReserve& reserve) {
    for (;;) {
        const auto result = evict_some(inode, reserve);
        if (!wants_another_transaction(result)) return result;
    }
}

/// An error leaves the orphan item for the next mount.
void delete_orphan(Inode& inode, EvictReserve& reserve) {
    const auto trans = reserve.refill_and_join();
    if (!trans) return;
    static_cast<void>(del_orphan_item(**trans, inode.root, inode.ino));
    static_cast<void>(reserve.end(*trans));
}

}  // namespace

void evict_inode(Inode& inode) {
    const sim::Scope scope("btrfs_evict_inode");
    truncate_pages(inode, 0);
    EvictReserve reserve(inode);
    if (evict_items(inode, reserve)) delete_orphan(inode, reserve);
    reserve.release();
}

}  // namespace model
