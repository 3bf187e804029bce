// Mirrors the ends of a transaction that fails, 6.1: fs/btrfs/messages.c (super.c before), the tail
// of transaction.c, and the cleanup in disk-io.c. Left out: dumps of space infos, destruction of
// ordered extents and delalloc by the transaction kthread, and waiting for a relocation.
#include <vector>

#include "model/ctree.h"
#include "model/extent_tree.h"
#include "model/fs_info.h"
#include "model/tracepoints.h"
#include "model/transaction_internal.h"
#include "sim/trace.h"

namespace model {
namespace {

/// Errors that somebody else has explained already get no warning with a stack. Mirrors
/// abort_should_print_stack().
bool warns_about(Errno error) {
    return error != Errno::IO && error != Errno::Rofs && error != Errno::NoMem;
}

void force_readonly(FsInfo& fs) {
    if (fs.readonly) return;
    fs.readonly = true;
    fs.message("info", "forced readonly");
}

/// Nothing that was dirty in the transaction will be written. Mirrors
/// btrfs_destroy_marked_extents().
void destroy_marked_extents(Transaction& transaction) {
    FsInfo& fs = transaction.fs;
    const std::vector<u64> blocks(transaction.dirty_pages.begin(), transaction.dirty_pages.end());
    for (const u64 start : blocks) {
        ExtentBuffer* const eb = find_extent_buffer(fs, Bytenr(start));
        if (eb == nullptr) continue;
        tree_lock(*eb);
        eb->writeback.wait();
        eb->bflags.clear_bit(eb_flag::dirty);
        tree_unlock(*eb);
        free_extent_buffer_stale(eb);
    }
    transaction.dirty_pages.clear();
}

/// Mirrors btrfs_destroy_pinned_extent(): the space is not pinned any more, and not free either.
void destroy_pinned_extents(Transaction& transaction) {
    FsInfo& fs = transaction.fs;
    Map<u64, u64> ranges;
    {
        const sim::SpinGuard guard(transaction.pinned_lock);
        transaction.pinned_obj.write();
        ranges.swap(transaction.pinned_extents);
    }
    for (const auto& [start, length] : ranges) {
        const sim::MutexGuard guard(fs.unused_bg_unpin_mutex);
        unpin_extent_range(fs, Bytenr(start), length, false);
    }
}

/// Mirrors btrfs_cleanup_one_transaction(): everybody who waits for the transaction goes on, state
/// by state.
void cleanup_one_transaction(Transaction& transaction) {
    const sim::Scope scope("btrfs_cleanup_one_transaction");
    FsInfo& fs = transaction.fs;
    for (Device* const device : transaction.dev_update_list)
        device->post_commit = false;
    transaction.dev_update_list.clear();
    destroy_delayed_refs(fs, transaction.delayed_refs);
    set_trans_state(transaction, TransState::CommitStart);
    fs.transaction_blocked_wait.wake_up();
    set_trans_state(transaction, TransState::Unblocked);
    fs.transaction_wait.wake_up();
    destroy_marked_extents(transaction);
    free_redirty_list(transaction);
    destroy_pinned_extents(transaction);
    set_trans_state(transaction, TransState::Completed);
    transaction.commit_wait.wake_up();
}

/// The running transaction takes nobody in any more; waits until only `writers` are left in it.
void drain_running(FsInfo& fs, Transaction& transaction, u32 writers) {
    {
        const sim::SpinGuard guard(fs.trans_lock);
        fs.trans_obj.read();
        if (fs.running_transaction != &transaction) return;
        set_trans_state(transaction, TransState::CommitDoing);
    }
    transaction.writer_wait.wait_event([&] { return transaction.num_writers.load() == writers; });
}

void unlink(FsInfo& fs, Transaction& transaction) {
    const sim::SpinGuard guard(fs.trans_lock);
    fs.trans_obj.write();
    std::erase(fs.trans_list, &transaction);
}

void no_longer_running(FsInfo& fs, Transaction& transaction) {
    const sim::SpinGuard guard(fs.trans_lock);
    fs.trans_obj.write();
    if (fs.running_transaction == &transaction) fs.running_transaction = nullptr;
}

/// @return the oldest transaction left; with a reference if somebody commits it
Transaction* first_left(FsInfo& fs, bool* committing) {
    const sim::SpinGuard guard(fs.trans_lock);
    fs.trans_obj.read();
    if (fs.trans_list.empty()) return nullptr;
    Transaction* const transaction = fs.trans_list.front();
    *committing = transaction->state >= TransState::CommitPrep;
    if (*committing) get_transaction(*transaction);
    return transaction;
}

}  // namespace

bool transaction_aborted(const TransHandle& trans) {
    return trans.aborted != 0;
}

/// The error line, then the whole filesystem becomes read-only. @mirrors __btrfs_handle_fs_error(),
/// v6.1
void handle_fs_error(FsInfo& fs, Errno error, const char* function, const char* text) {
    if (error == Errno::Rofs && fs.readonly) return;
    std::string line = "BTRFS: error " + fs.device_and_state() + " in " + function + ": errno=-" +
                       std::to_string(static_cast<int>(error)) + " " + errno_text(error);
    if (text != nullptr) line += std::string(" (") + text + ")";
    sim::current().message(std::move(line));
    fs.fs_state.set_bit(fs_state_bit::error);
    force_readonly(fs);
}

void handle_fs_error(FsInfo& fs, Errno error, const char* function) {
    handle_fs_error(fs, error, function, nullptr);
}

void abort_transaction(TransHandle& trans, Errno error, const char* function) {
    FsInfo& fs = trans.fs;
    Transaction& transaction = trans.transaction;
    const bool first = !fs.fs_state.test_and_set(fs_state_bit::trans_aborted);
    const int code = static_cast<int>(error);
    if (first && warns_about(error))
        sim::current().message("BTRFS: Transaction aborted (error -" + std::to_string(code) + ")");
    if (transaction.aborted_in == nullptr) transaction.aborted_in = function;
    trans.aborted = -code;
    transaction.aborted.store(-code);
    fs.transaction_wait.wake_up();
    fs.transaction_blocked_wait.wake_up();
    handle_fs_error(fs, error, function, nullptr);
}

void cleanup_transaction(TransHandle* trans, Errno error) {
    const sim::Scope scope("cleanup_transaction");
    FsInfo& fs = trans->fs;
    Transaction& transaction = trans->transaction;
    abort_transaction(*trans, error, "cleanup_transaction");
    drain_running(fs, transaction, 1);
    unlink(fs, transaction);
    cleanup_one_transaction(transaction);
    no_longer_running(fs, transaction);
    put_transaction(transaction);  // the handle's
    put_transaction(transaction);  // the list's
    trace_btrfs_transaction_commit(fs);
    set_current_trans(nullptr);
    sim::destroy(trans);
    static_cast<void>(scrub_cancel(fs));  // NotConn: none was running
}

void cleanup_transactions(FsInfo& fs) {
    const sim::Scope scope("btrfs_cleanup_transaction");
    bool committing = false;
    while (Transaction* const transaction = first_left(fs, &committing)) {
        if (committing) {
            static_cast<void>(wait_for_commit(fs, transaction->transid));
            put_transaction(*transaction);
            continue;
        }
        drain_running(fs, *transaction, 0);
        cleanup_one_transaction(*transaction);
        no_longer_running(fs, *transaction);
        unlink(fs, *transaction);
        put_transaction(*transaction);
    }
}

}  // namespace model
