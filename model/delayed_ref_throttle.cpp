// Mirrors what throttles by delayed references: btrfs_check_space_for_delayed_refs(),
// btrfs_should_throttle_delayed_refs() and btrfs_async_run_delayed_refs() of
// fs/btrfs/extent-tree.c, should_end_transaction() and its part of __btrfs_end_transaction() in
// fs/btrfs/transaction.c; as 4.19 had them, and what is left of them in 6.1.
//
// Left out: the average run time of references, and the throttling by it; the commit by the task
// that ends its handle, which only relocation and the removal of snapshots asked for.
#include "model/delayed_ref_throttle.h"

#include <algorithm>

#include "model/extent_backref.h"
#include "model/fixes.h"
#include "model/fs_info.h"
#include "model/transaction_internal.h"
#include "sim/completion.h"
#include "sim/trace.h"

namespace model {
namespace {

// ---- is there space?
// -----------------------------------------------------------------------------------------------------------

struct Fill {
    u64 size = 0, reserved = 0;
};

Fill fill_of(BlockRsv& rsv) {
    const sim::SpinGuard guard(rsv.lock);
    rsv.obj.read();
    return {rsv.size, rsv.reserved};
}

/// Leaves of the extent tree that so many heads may fill. Mirrors heads_to_leaves().
u64 heads_to_leaves(const FsInfo& fs, u64 heads) {
    return heads * (sizeof(ExtentItem) + inline_ref_size(tree_block_ref_key)) /
           (fs.nodesize - sizeof(HeaderItem));
}

u64 bytes_for_queued_refs(const FsInfo& fs, DelayedRefRoot& refs) {
    const sim::SpinGuard guard(refs.lock);
    refs.obj.read();
    const u64 leaves = heads_to_leaves(fs, refs.num_heads_ready);
    const u64 more = leaves > 1 ? leaves - 1 : 0;
    return 2 * (calc_insert_metadata_size(fs, 1) + more * fs.nodesize) +
           csum_bytes_to_leaves(fs, refs.pending_csums) * fs.nodesize;
}

u64 bytes_for_dirty_block_groups(const FsInfo& fs, Transaction& transaction) {
    const sim::SpinGuard guard(transaction.dirty_bgs_lock);
    transaction.dirty_bgs_obj.read();
    return calc_insert_metadata_size(fs, transaction.dirty_bgs.size());
}

bool is_full(SpaceInfo& info) {
    const sim::SpinGuard guard(info.lock);
    info.obj.read();
    return info.full;
}

/// 4.19's guess. Without room for another chunk it asks for twice as much, since running references
/// queues more.
bool queue_may_need_global_rsv(FsInfo& fs, Transaction& transaction) {
    u64 needed = bytes_for_queued_refs(fs, transaction.delayed_refs) +
                 bytes_for_dirty_block_groups(fs, transaction);
    if (is_full(*fs.global_block_rsv.space_info)) needed *= 2;
    return fill_of(fs.global_block_rsv).reserved <= needed;
}

/// Mirrors should_end_transaction(), with btrfs_block_rsv_check() of half the size.
bool is_tight(FsInfo& fs, Transaction& transaction) {
    if (check_space_for_delayed_refs(fs, transaction)) return true;
    const Fill global = fill_of(fs.global_block_rsv);
    return global.reserved < global.size / 2;
}

// ---- workers
// -------------------------------------------------------------------------------------------------------------------

bool running_is_blocked(FsInfo& fs) {
    const sim::SpinGuard guard(fs.trans_lock);
    fs.trans_obj.read();
    return fs.running_transaction != nullptr && is_transaction_blocked(*fs.running_transaction);
}

/// Mirrors delayed_ref_async_start(). Once a commit has begun it is the committer who runs them.
void run_in_worker(FsInfo& fs, u64 count, Transid transid) {
    const sim::Scope scope("delayed_ref_async_start");
    if (running_is_blocked(fs)) return;
    const auto trans = join_transaction(*fs.extent_root);
    if (!trans) return;
    (*trans)->sync = true;
    if ((*trans)->transid <= transid)
        static_cast<void>(run_delayed_refs(**trans, count));  // an error has aborted it
    static_cast<void>(end_transaction(*trans));
}

// ---- the transaction kthread
// ---------------------------------------------------------------------------------------------------

/// @return whether this call did it
bool block_running(Transaction& transaction) {
    const sim::SpinGuard guard(transaction.fs.trans_lock);
    transaction.fs.trans_obj.read();
    if (transaction.state != TransState::Running) return false;
    set_trans_state(transaction, TransState::Blocked);
    return true;
}

void wake_transaction_kthread(FsInfo& fs) {
    sim::current().spawn("btrfs-transaction", sim::Job([&fs] {
                             const sim::Scope scope("transaction_kthread");
                             const auto trans = attach_transaction(*fs.tree_root);
                             if (trans) static_cast<void>(commit_transaction(*trans));
                         }));
}

}  // namespace

bool check_space_for_delayed_refs(FsInfo& fs, Transaction& transaction) {
    if (!fs.has(fix::space_for_delayed_refs)) return queue_may_need_global_rsv(fs, transaction);
    return delayed_refs_want_all(fs);
}

bool delayed_refs_want_all(FsInfo& fs) {
    const u64 held = fill_of(fs.global_block_rsv).reserved;
    const Fill refs = fill_of(fs.delayed_refs_rsv);
    return refs.size >= held + refs.reserved;
}

Result<bool> should_end_transaction(TransHandle& trans) {
    Transaction& transaction = trans.transaction;
    if (keeps_starts_out(read_trans_state(transaction)) ||
        transaction.delayed_refs.flags.test(delayed_refs_flag::flushing))
        return true;
    if (!trans.fs.has(fix::no_refs_at_end))
        if (const auto run = run_own_updates(trans); !run) return run.error();
    return is_tight(trans.fs, transaction);
}

Result<void> run_own_updates(TransHandle& trans) {
    const u64 updates = trans.delayed_ref_updates;
    if (updates == 0) return {};
    trans.delayed_ref_updates = 0;
    if (trans.fs.has(fix::no_inline_refs)) return {};
    return run_delayed_refs(trans, 2 * updates);
}

void async_run_delayed_refs(FsInfo& fs, const AsyncRefs& refs) {
    if (fs.has(fix::no_ref_workers)) return;
    const sim::Scope scope("btrfs_async_run_delayed_refs");
    sim::Completion done;
    sim::Completion* const waiter = refs.wait ? &done : nullptr;
    fs.extent_workers.queue("extent-refs",
                            [&fs, count = refs.count, transid = refs.transid, waiter] {
                                run_in_worker(fs, count, transid);
                                if (waiter != nullptr) waiter->complete();
                            });
    if (refs.wait) done.wait();
}

AsyncRefs refs_left_to_run(TransHandle& trans) {
    if (trans.fs.has(fix::no_refs_at_end)) return {};
    constexpr u64 least = 32;
    const u64 count = std::max(trans.delayed_ref_updates, least);
    trans.delayed_ref_updates = 0;
    if (trans.sync || !check_space_for_delayed_refs(trans.fs, trans.transaction)) return {};
    // A commit may wait for these two.
    const bool may_wait = trans.type != TransType::JoinNolock && trans.type != TransType::Attach;
    return {.count = count, .transid = trans.transid, .wait = may_wait};
}

void block_if_tight(TransHandle& trans) {
    FsInfo& fs = trans.fs;
    if (fs.has(fix::no_blocked_state) || trans.type == TransType::JoinNolock) return;
    if (!is_tight(fs, trans.transaction)) return;
    if (block_running(trans.transaction)) wake_transaction_kthread(fs);
}

}  // namespace model
