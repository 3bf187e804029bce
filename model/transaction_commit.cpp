// Mirrors btrfs_commit_transaction(), fs/btrfs/transaction.c, 6.1, step by step.
//
// COMMIT_PREP exists with its fix only (6.6), SUPER_COMMITTED too (5.12), and before 5.12 every
// committer runs references twice before it looks who leads. Left out: delayed items,
// flushoncommit, quotas, log trees, the free space cache, discard.
#include <algorithm>

#include "model/disk_io.h"
#include "model/extent_tree.h"
#include "model/fixes.h"
#include "model/fs_info.h"
#include "model/invariants.h"
#include "model/medium.h"
#include "model/tracepoints.h"
#include "model/transaction_internal.h"
#include "sim/trace.h"

namespace model {
namespace {

Result<void> aborted_or_ok(const Transaction& transaction) {
    const int aborted = transaction.aborted.load();
    if (aborted != 0) return static_cast<Errno>(-aborted);
    return {};
}

/// Leaves without a commit. @return `why`
Result<void> give_up(TransHandle* trans, Result<void> why) {
    static_cast<void>(end_transaction(trans));
    return why;
}

// ---- before anybody is blocked
// -------------------------------------------------------------------------------------------

Result<void> preflush_delayed_refs(TransHandle& trans) {
    DelayedRefRoot& refs = trans.transaction.delayed_refs;
    if (trans.fs.has(fix::bounded_preflush)) {
        if (refs.flags.test_and_set(delayed_refs_flag::flushing)) return {};
        return run_delayed_refs(trans, 0);
    }
    if (const auto run = run_delayed_refs(trans, 0); !run) return run;
    refs.flags.set_bit(delayed_refs_flag::flushing);
    create_pending_block_groups(trans);
    return run_delayed_refs(trans, 0);
}

/// Once in a transaction somebody begins to write the block group items; from then on no group
/// becomes read-only in it.
bool first_to_write_block_groups(TransHandle& trans) {
    sim::AtomicBits& flags = trans.transaction.flags;
    if (flags.test(trans_flag::dirty_bg_run)) return false;
    const sim::MutexGuard guard(trans.fs.ro_block_group_mutex);
    return !flags.test_and_set(trans_flag::dirty_bg_run);
}

Result<void> flush_early(TransHandle& trans) {
    trans_release_metadata(trans);
    if (const auto run = preflush_delayed_refs(trans); !run) return run;
    create_pending_block_groups(trans);
    if (!first_to_write_block_groups(trans)) return {};
    return start_dirty_block_groups(trans);
}

// ---- who commits
// ---------------------------------------------------------------------------------------------------------

/// trans_lock held. The kernel adds to the head of the list.
void add_pending_snapshot(TransHandle& trans) {
    if (trans.pending_snapshot == nullptr) return;
    auto& list = trans.transaction.pending_snapshots;
    trans.transaction.obj.write();
    list.insert(list.begin(), trans.pending_snapshot);
    trans.pending_snapshot = nullptr;
}

TransState wanted_state(const TransHandle& trans) {
    return trans.in_fsync && trans.fs.has(fix::super_committed_state) ? TransState::SuperCommitted
                                                                      : TransState::Completed;
}

struct Election {
    bool ours =
        false;  // false: somebody commits already, and what he must do for us is handed to him
    Transaction* previous = nullptr;  // with a reference, if its commit is not as far as we need it
    bool first = false;               // nothing is left of the transaction before
};

/// trans_lock held. Super block N goes before super block N+1.
void look_for_previous(TransHandle& trans, Election* election) {
    const auto& list = trans.fs.trans_list;
    const auto self = std::find(list.begin(), list.end(), &trans.transaction);
    election->first = self == list.begin();
    if (election->first || read_trans_state(**std::prev(self)) >= wanted_state(trans)) return;
    election->previous = *std::prev(self);
    get_transaction(*election->previous);
}

Election become_committer(TransHandle& trans) {
    FsInfo& fs = trans.fs;
    Transaction& transaction = trans.transaction;
    const bool prepares = fs.has(fix::commit_prep_state);
    Election election;
    const sim::SpinGuard guard(fs.trans_lock);
    fs.trans_obj.read();
    if (transaction.state >= (prepares ? TransState::CommitPrep : TransState::CommitStart)) {
        add_pending_snapshot(trans);
        get_transaction(transaction);
        return election;
    }
    election.ours = true;
    set_trans_state(transaction, prepares ? TransState::CommitPrep : TransState::CommitStart);
    fs.transaction_blocked_wait.wake_up();
    look_for_previous(trans, &election);
    return election;
}

/// Somebody else's commit will do.
Result<void> wait_for_other_committer(TransHandle* trans) {
    Transaction& transaction = trans->transaction;
    const TransState wanted = wanted_state(*trans);
    auto result = end_transaction(trans);
    wait_for_state(transaction, wanted);
    if (const auto aborted = aborted_or_ok(transaction); !aborted) result = aborted;
    put_transaction(transaction);
    return result;
}

/// A failed predecessor fails this commit as well.
Result<void> wait_for_previous(TransHandle& trans, const Election& election) {
    if (election.previous == nullptr) {
        // It may have been aborted, and be gone from the list: its blocks were never written.
        // Up to 5.15 the kernel looks for an abort only.
        FsInfo& fs = trans.fs;
        if (election.first && fs.has_error() && fs.has(fix::failed_predecessor_seen))
            return Errno::Rofs;
        return {};
    }
    wait_for_state(*election.previous, wanted_state(trans));
    const auto result = aborted_or_ok(*election.previous);
    put_transaction(*election.previous);
    return result;
}

void start_after_preparation(TransHandle& trans) {
    FsInfo& fs = trans.fs;
    if (!fs.has(fix::commit_prep_state)) return;
    const sim::SpinGuard guard(fs.trans_lock);
    set_trans_state(trans.transaction, TransState::CommitStart);
    fs.transaction_blocked_wait.wake_up();
}

// ---- who may still write
// -------------------------------------------------------------------------------------------------

void wait_for_extwriters(TransHandle& trans) {
    Transaction& transaction = trans.transaction;
    if (counts_as_extwriter(trans.type)) transaction.num_extwriters.dec();
    transaction.writer_wait.wait_event([&] { return transaction.num_extwriters.load() == 0; });
    transaction.pending_wait.wait_event([&] { return transaction.pending_ordered.load() == 0; });
}

/// From here on only JOIN_NOLOCK gets in; those inside must leave.
void block_joins(TransHandle& trans) {
    FsInfo& fs = trans.fs;
    Transaction& transaction = trans.transaction;
    {
        const sim::SpinGuard guard(fs.trans_lock);
        add_pending_snapshot(trans);
        set_trans_state(transaction, TransState::CommitDoing);
    }
    transaction.writer_wait.wait_event([&] { return transaction.num_writers.load() == 1; });
}

// ---- the critical section
// ------------------------------------------------------------------------------------------------

Result<void> settle_trees(TransHandle& trans) {
    if (const auto created = create_pending_snapshots(trans); !created) return created;
    if (const auto run = run_delayed_refs(trans, run_all_refs); !run) return run;
    if (const auto committed = commit_fs_roots(trans); !committed) return committed;
    if (const auto committed = commit_cowonly_roots(trans); !committed) return committed;
    return aborted_or_ok(trans.transaction);
}

u64 all_bytes_used(FsInfo& fs) {
    u64 used = 0;
    for (SpaceInfo* const info : fs.space_infos) {
        const sim::SpinGuard guard(info->lock);
        info->obj.read();
        used += info->bytes_used;
    }
    return used;
}

/// Mirrors update_super_roots() and the copy for the writers of the super block. The kernel counts
/// bytes_used with every extent.
void update_supers(FsInfo& fs, Transid transid) {
    const u64 used = all_bytes_used(fs);
    fs.super_obj.write(transid.get());
    SuperBlock& super = *fs.super_copy;
    super.generation = transid.get();
    super.root = fs.tree_root->root_item.bytenr;
    super.root_level = fs.tree_root->root_item.level;
    super.chunk_root = fs.chunk_root->root_item.bytenr;
    super.chunk_root_generation = fs.chunk_root->root_item.generation;
    super.chunk_root_level = fs.chunk_root->root_item.level;
    super.bytes_used = used;
    super.log_root = 0;
    super.log_root_level = 0;
    *fs.super_for_commit = super;
}

/// Mirrors the refresh of the global reserve in btrfs_prepare_extent_commit(), which went with
/// 27d56e62e474 (5.11).
void prepare_extent_commit(FsInfo& fs) {
    if (!fs.kernel.at_least(5, 11)) update_global_block_rsv(fs);
}

void add_to_switch_commits(Transaction& transaction, Root& root) {
    set_root_node_fields(root.root_item, *root.node);
    transaction.switch_commits.push_back(&root);
}

/// The next transaction may begin. tree_log_mutex stays locked until the super block is written, so
/// that no log tree of the next transaction gets into it first.
void unblock(TransHandle& trans) {
    FsInfo& fs = trans.fs;
    fs.tree_log_mutex.lock();
    {
        const sim::SpinGuard guard(fs.trans_lock);
        fs.trans_obj.write();
        set_trans_state(trans.transaction, TransState::Unblocked);
        fs.running_transaction = nullptr;
    }
    fs.reloc_mutex.unlock();
    fs.transaction_wait.wake_up();
}

/// Everything that changes trees, with all other writers gone. On success tree_log_mutex is held.
Result<void> commit_trees(TransHandle& trans) {
    FsInfo& fs = trans.fs;
    Transaction& transaction = trans.transaction;
    if (const auto aborted = aborted_or_ok(transaction); !aborted) return aborted;
    fs.reloc_mutex.lock();
    if (const auto settled = settle_trees(trans); !settled) {
        fs.reloc_mutex.unlock();
        return settled;
    }
    add_to_switch_commits(transaction, *fs.tree_root);
    add_to_switch_commits(transaction, *fs.chunk_root);
    prepare_extent_commit(fs);
    switch_commit_roots(trans);
    update_supers(fs, trans.transid);
    {
        const sim::Scope scope("btrfs_commit_device_sizes");
        commit_device_sizes(fs);
    }
    trans_release_chunk_metadata(trans);
    unblock(trans);
    return {};
}

// ---- beside the next transaction
// -----------------------------------------------------------------------------------------

Result<void> write_and_wait_transaction(TransHandle& trans) {
    const sim::Scope scope("btrfs_write_and_wait_transaction");
    const auto written = write_marked_extents(trans.fs, trans.transaction);
    const auto waited = wait_marked_extents(trans.fs, trans.transaction);
    return written ? waited : written;
}

/// tree_log_mutex is held at entry and dropped. The super block is written only after all that it
/// will reach.
Result<void> write_out(TransHandle& trans) {
    FsInfo& fs = trans.fs;
    if (is_mutated(fs, Mutation::SuperFirst)) static_cast<void>(write_all_supers(fs));
    auto result = write_and_wait_transaction(trans);
    if (!result) {
        handle_fs_error(fs, result.error(), "btrfs_commit_transaction",
                        "Error while writing out transaction");
    } else {
        result = write_all_supers(fs);
    }
    fs.tree_log_mutex.unlock();
    return result;
}

void remove_from_list(Transaction& transaction) {
    FsInfo& fs = transaction.fs;
    const sim::SpinGuard guard(fs.trans_lock);
    fs.trans_obj.write();
    std::erase(fs.trans_list, &transaction);
}

/// What the last super block pointed to may be used again: unpinning comes after the new one is on
/// the devices.
void complete(TransHandle& trans) {
    FsInfo& fs = trans.fs;
    Transaction& transaction = trans.transaction;
    if (fs.has(fix::super_committed_state)) {
        set_trans_state(transaction, TransState::SuperCommitted);
        transaction.commit_wait.wake_up();
    }
    static_cast<void>(finish_extent_commit(trans));
    if (transaction.flags.test(trans_flag::have_free_bgs)) clear_space_info_full(fs);
    fs.last_trans_committed.store(trans.transid.get());
    set_trans_state(transaction, TransState::Completed);
    transaction.commit_wait.wake_up();
    remove_from_list(transaction);
    trace_btrfs_transaction_commit(fs);
    sim::note([&] { return "committed transaction " + std::to_string(trans.transid.get()); });
}

void release_committed(TransHandle* trans) {
    Transaction& transaction = trans->transaction;
    put_transaction(transaction);  // the handle's
    put_transaction(transaction);  // the list's
    set_current_trans(nullptr);
    sim::destroy(trans);
}

/// From COMMIT_START on, by the only committer.
Result<void> lead_commit(TransHandle& trans, const Election& election) {
    FsInfo& fs = trans.fs;
    if (const auto waited = wait_for_previous(trans, election); !waited) return waited;
    start_after_preparation(trans);
    wait_for_extwriters(trans);
    scrub_pause(fs);
    block_joins(trans);
    auto result = commit_trees(trans);
    if (result) result = write_out(trans);
    if (result) complete(trans);
    const sim::Scope scope("btrfs_scrub_continue");
    scrub_continue(fs);
    return result;
}

}  // namespace

Result<void> commit_transaction(TransHandle* trans) {
    const sim::Scope scope("btrfs_commit_transaction");
    FsInfo& fs = trans->fs;
    if (const auto aborted = aborted_or_ok(trans->transaction); !aborted)
        return give_up(trans, aborted);
    if (const auto flushed = flush_early(*trans); !flushed) return give_up(trans, flushed);
    const Election election = become_committer(*trans);
    if (!election.ours) return wait_for_other_committer(trans);
    if (const auto led = lead_commit(*trans, election); !led) {
        trans_release_metadata(*trans);
        cleanup_pending_block_groups(*trans);
        trans_release_chunk_metadata(*trans);
        fs.message("warning", "Skipping commit of aborted transaction.");
        check_skipped_commit(fs);
        cleanup_transaction(trans, led.error());
        return led;
    }
    release_committed(trans);
    check_commit_completed(fs);
    if (fs.observer != nullptr) fs.observer->committed(fs);
    return {};
}

}  // namespace model
