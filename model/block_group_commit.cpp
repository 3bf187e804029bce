// Mirrors fs/btrfs/block-group.c of 6.1: how used bytes reach the block group items. Running
// references changes the counters and puts the group on the transaction's dirty list; a commit
// writes the items, once before it blocks anybody and again in its critical section, until nothing
// is dirty.
//
// Left out: the free space cache (version 1), so there is no IO list, and the shortcut of 6.2 for
// unchanged items.
#include <algorithm>

#include "model/ctree.h"
#include "model/extent_tree.h"
#include "model/fixes.h"
#include "model/fs_info.h"
#include "model/tracepoints.h"
#include "sim/trace.h"

namespace model {
namespace {

/// dirty_bgs_lock held by the caller for `on_dirty_list`.
void mark_dirty(TransHandle& trans, BlockGroup& bg, bool counts) {
    Transaction& transaction = trans.transaction;
    const sim::SpinGuard guard(transaction.dirty_bgs_lock);
    transaction.dirty_bgs_obj.write();
    if (bg.on_dirty_list) return;
    bg.on_dirty_list = true;
    transaction.dirty_bgs.push_back(&bg);
    if (counts && trans.fs.has(fix::delayed_refs_rsv)) ++trans.delayed_ref_updates;
}

void reserved_to_used(BlockGroup& bg, u64 bytes) {
    SpaceInfo& info = *bg.space_info;
    const sim::SpinGuard info_guard(info.lock);
    const sim::SpinGuard guard(bg.lock);
    bg.obj.write();
    info.obj.write();
    bg.used += bytes;
    bg.reserved -= bytes;
    info.bytes_used += bytes;
    info.bytes_reserved -= bytes;
}

void used_to_pinned(BlockGroup& bg, u64 bytes) {
    SpaceInfo& info = *bg.space_info;
    const sim::SpinGuard info_guard(info.lock);
    const sim::SpinGuard guard(bg.lock);
    bg.obj.write();
    info.obj.write();
    bg.used -= bytes;
    bg.pinned += bytes;
    info.bytes_used -= bytes;
    trace_update_bytes_pinned(info, bytes);
    info.bytes_pinned += bytes;
}

/// @return NoEnt while the group's creator has not inserted the item yet
Result<void> update_block_group_item(TransHandle& trans, BlockGroup& bg) {
    Path path;
    const Key key{bg.start.get(), block_group_item_key, bg.length};
    const auto found = search_slot(&trans, *trans.fs.extent_root, key, path, 0, true);
    if (!found) return found.error();
    if (!*found) return Errno::NoEnt;
    auto item = read_item<BlockGroupItem>(path);
    {
        const sim::SpinGuard guard(bg.lock);
        bg.obj.read();
        item.used = bg.used;
    }
    write_item(path, item);
    sim::note([&] {
        return "block group " + std::to_string(bg.start.get()) + " has " +
               std::to_string(item.used) + " bytes used";
    });
    return {};
}

std::vector<BlockGroup*> splice_dirty(Transaction& transaction) {
    const sim::SpinGuard guard(transaction.dirty_bgs_lock);
    transaction.dirty_bgs_obj.write();
    std::vector<BlockGroup*> taken(transaction.dirty_bgs.begin(), transaction.dirty_bgs.end());
    transaction.dirty_bgs.clear();
    return taken;
}

void leave_dirty_list(Transaction& transaction, BlockGroup& bg) {
    const sim::SpinGuard guard(transaction.dirty_bgs_lock);
    transaction.dirty_bgs_obj.write();
    bg.on_dirty_list = false;
}

/// The item of a group that another handle has made may be missing still: then the group stays
/// dirty for the critical section.
Result<void> write_early(TransHandle& trans, BlockGroup& bg) {
    const sim::MutexGuard guard(trans.transaction.cache_write_mutex);
    leave_dirty_list(trans.transaction, bg);
    const auto written = update_block_group_item(trans, bg);
    if (!written && written.error() == Errno::NoEnt) {
        mark_dirty(trans, bg, false);
        return {};
    }
    if (!written) abort_transaction(trans, written.error(), "btrfs_start_dirty_block_groups");
    delayed_refs_rsv_release(trans.fs, 1);
    return written;
}

/// In the critical section the only other writer there may be is about to insert the missing item
/// and to leave.
Result<void> write_finally(TransHandle& trans, BlockGroup& bg) {
    Transaction& transaction = trans.transaction;
    if (const auto run = run_delayed_refs(trans, run_all_refs); !run) return run;
    auto written = update_block_group_item(trans, bg);
    if (!written && written.error() == Errno::NoEnt) {
        transaction.writer_wait.wait_event([&] { return transaction.num_writers.load() == 1; });
        written = update_block_group_item(trans, bg);
    }
    if (!written) abort_transaction(trans, written.error(), "btrfs_write_dirty_block_groups");
    delayed_refs_rsv_release(trans.fs, 1);
    return written;
}

BlockGroup* take_first_dirty(Transaction& transaction) {
    const sim::SpinGuard guard(transaction.dirty_bgs_lock);
    if (transaction.dirty_bgs.empty()) {
        transaction.dirty_bgs_obj.read();
        return nullptr;
    }
    transaction.dirty_bgs_obj.write();
    BlockGroup* const bg = transaction.dirty_bgs.front();
    transaction.dirty_bgs.erase(transaction.dirty_bgs.begin());
    bg->on_dirty_list = false;
    return bg;
}

}  // namespace

Result<void> update_block_group(TransHandle& trans, Bytenr bytenr, u64 num_bytes, bool alloc) {
    const sim::Scope scope("btrfs_update_block_group");
    BlockGroup* const bg = lookup_block_group(trans.fs, bytenr);
    if (bg == nullptr) return Errno::NoEnt;
    if (alloc) {
        reserved_to_used(*bg, num_bytes);
    } else {
        used_to_pinned(*bg, num_bytes);
        if (is_mutated(trans.fs, Mutation::EarlyReuse)) {
            unpin_extent_range(trans.fs, bytenr, num_bytes, true);
        } else {
            remember_pinned(trans.transaction, bytenr, num_bytes);
        }
    }
    mark_dirty(trans, *bg, true);
    update_delayed_refs_rsv(trans);
    return {};
}

/// Twice at most: the items change the extent tree, whose own block groups are dirty then. @mirrors
/// v6.1
Result<void> start_dirty_block_groups(TransHandle& trans) {
    const sim::Scope scope("btrfs_start_dirty_block_groups");
    Transaction& transaction = trans.transaction;
    for (int round = 0; round < 2; ++round) {
        const auto dirty = splice_dirty(transaction);
        if (dirty.empty()) return {};
        create_pending_block_groups(trans);
        for (BlockGroup* const bg : dirty)
            if (const auto written = write_early(trans, *bg); !written) return written;
        if (const auto run = run_delayed_refs(trans, 0); !run) return run;
    }
    return {};
}

Result<void> write_dirty_block_groups(TransHandle& trans) {
    const sim::Scope scope("btrfs_write_dirty_block_groups");
    while (BlockGroup* const bg = take_first_dirty(trans.transaction))
        if (const auto written = write_finally(trans, *bg); !written) return written;
    return {};
}

}  // namespace model
