// Mirrors fs/btrfs/transaction.c of 6.1: the objects, their lifetimes, waiting, and the first touch
// of a tree in a transaction. Starting and ending is in transaction_start.cpp, the commit in
// transaction_commit.cpp and transaction_roots.cpp, the end by abort in transaction_abort.cpp.
//
// Older kernels use the same code, except where a fix is asked for. Left out: freeze levels, quota
// reservations, log trees, delayed items and delayed iputs (the model writes both at once).
#include "model/transaction.h"

#include <algorithm>

#include "model/fs_info.h"
#include "model/relocation.h"
#include "model/transaction_internal.h"
#include "sim/trace.h"

namespace model {
namespace {

Transaction* find_transaction(FsInfo& fs, Transid transid) {
    for (Transaction* const transaction : fs.trans_list)
        if (transaction->transid == transid) return transaction;
    return nullptr;
}

/// The newest that is being committed; null when that one is completed, or none is.
Transaction* newest_committing(FsInfo& fs) {
    const auto& list = fs.trans_list;
    const auto it = std::find_if(list.rbegin(), list.rend(), [](const Transaction* t) {
        return t->state >= TransState::CommitStart;
    });
    return it == list.rend() || (*it)->state == TransState::Completed ? nullptr : *it;
}

Transaction* get_committing(FsInfo& fs, Transid transid) {
    const sim::SpinGuard guard(fs.trans_lock);
    fs.trans_obj.read();
    Transaction* const found =
        transid.get() != 0 ? find_transaction(fs, transid) : newest_committing(fs);
    if (found != nullptr) get_transaction(*found);
    return found;
}

/// @return the oldest transaction that is not COMPLETED if it is not younger than `transid`, with a
/// reference. One that is COMPLETED stays on the list for a moment, in which the kernel looks at it
/// again and again: waiting for what is over.
Transaction* get_oldest_up_to(FsInfo& fs, Transid transid) {
    const sim::SpinGuard guard(fs.trans_lock);
    fs.trans_obj.read();
    for (Transaction* const transaction : fs.trans_list) {
        transaction->state_obj.read();
        if (transaction->state == TransState::Completed) continue;
        if (transaction->transid > transid) return nullptr;
        get_transaction(*transaction);
        return transaction;
    }
    return nullptr;
}

Result<void> record_root(TransHandle& trans, Root& root) {
    FsInfo& fs = trans.fs;
    root.state.set_bit(root_state::in_trans_setup);
    {
        const sim::SpinGuard guard(fs.fs_roots_lock);
        fs.fs_roots_tag_obj.insert(root.objectid);
        fs.fs_roots_trans_tag.insert(root.objectid);
    }
    root.last_trans.store(trans.transid.get());
    const auto copied = init_reloc_root(trans, root);
    root.state.clear_bit(root_state::in_trans_setup);
    sim::note([&] {
        return "tree " + std::to_string(root.objectid) + " is part of transaction " +
               std::to_string(trans.transid.get());
    });
    return copied;
}

}  // namespace

const char* to_string(TransState state) {
    switch (state) {
    case TransState::Running:
        return "RUNNING";
    case TransState::Blocked:
        return "BLOCKED";
    case TransState::CommitPrep:
        return "COMMIT_PREP";
    case TransState::CommitStart:
        return "COMMIT_START";
    case TransState::CommitDoing:
        return "COMMIT_DOING";
    case TransState::Unblocked:
        return "UNBLOCKED";
    case TransState::SuperCommitted:
        return "SUPER_COMMITTED";
    case TransState::Completed:
        return "COMPLETED";
    }
    return "";
}

Transaction::Transaction(FsInfo& owner, Transid id)
    : fs(owner), obj(objects::transaction, id.get(), this),
      state_obj(objects::trans_state, id.get(), this), transid(id),
      num_writers(0, id.get(), objects::counter), num_extwriters(0, id.get(), objects::counter),
      aborted(0, id.get(), objects::fs_state), writer_wait(id.get(), "writer_wait"),
      commit_wait(id.get(), "commit_wait"), pending_wait(id.get(), "pending_wait"),
      pending_ordered(0, id.get(), objects::counter), delayed_refs(id.get()),
      dirty_pages_lock(lock_classes::dirty_pages_lock, id.get()),
      dirty_pages_obj(objects::dirty_pages, id.get(), this),
      pinned_lock(lock_classes::pinned_lock, id.get()),
      pinned_obj(objects::pinned_extents, id.get(), this),
      dirty_bgs_lock(lock_classes::dirty_bgs_lock, id.get()),
      dirty_bgs_obj(objects::dirty_bgs, id.get(), this),
      cache_write_mutex(lock_classes::cache_write_mutex, id.get()),
      flags(0, id.get(), objects::counter) {}

TransHandle::TransHandle(FsInfo& owner, Transaction& running, TransType kind)
    : fs(owner), transaction(running), transid(running.transid), type(kind) {}

// ---- lifetime
// ------------------------------------------------------------------------------------------------------------

void get_transaction(Transaction& transaction) {
    ++transaction.use_count;
}

Transaction* get_running_transaction(FsInfo& fs) {
    const sim::SpinGuard guard(fs.trans_lock);
    fs.trans_obj.read();
    if (fs.running_transaction != nullptr) ++fs.running_transaction->use_count;
    return fs.running_transaction;
}

void put_transaction(Transaction& transaction) {
    SIM_ASSERT(transaction.use_count > 0);
    if (--transaction.use_count == 0) sim::destroy(&transaction);
}

TransHandle* current_trans() {
    sim::Scheduler* const scheduler = sim::current_or_null();
    if (scheduler == nullptr || !scheduler->in_task()) return nullptr;
    return static_cast<TransHandle*>(scheduler->running().user);
}

void set_current_trans(TransHandle* trans) {
    sim::Scheduler* const scheduler = sim::current_or_null();
    if (scheduler != nullptr && scheduler->in_task()) scheduler->running().user = trans;
}

// ---- state and waiting
// ---------------------------------------------------------------------------------------------------

void set_trans_state(Transaction& transaction, TransState state) {
    transaction.state_obj.write(static_cast<u64>(state));
    transaction.state = state;
    sim::note([&] {
        return "transaction " + std::to_string(transaction.transid.get()) + " is " +
               to_string(state);
    });
}

TransState read_trans_state(const Transaction& transaction) {
    transaction.state_obj.read();
    return transaction.state;
}

bool keeps_starts_out(TransState state) {
    return state == TransState::Blocked || state >= TransState::CommitStart;
}

bool is_transaction_blocked(const Transaction& transaction) {
    return keeps_starts_out(transaction.state) && transaction.state < TransState::Unblocked &&
           transaction.aborted.load() == 0;
}

bool counts_as_extwriter(TransType type) {
    return type == TransType::Start || type == TransType::Attach;
}

void wait_for_state(Transaction& transaction, TransState min_state) {
    const sim::Scope scope("wait_for_commit");
    FsInfo& fs = transaction.fs;
    const Transid transid = transaction.transid;
    transaction.commit_wait.wait_event([&] { return read_trans_state(transaction) >= min_state; });
    if (min_state < TransState::Completed) return;
    while (Transaction* const older = get_oldest_up_to(fs, transid)) {
        older->commit_wait.wait_event([&] { return read_trans_state(*older) >= min_state; });
        put_transaction(*older);
    }
}

Result<void> wait_for_commit(FsInfo& fs, Transid transid) {
    const sim::Scope scope("btrfs_wait_for_commit");
    if (transid.get() != 0 && transid.get() <= fs.last_trans_committed.load()) return {};
    Transaction* const transaction = get_committing(fs, transid);
    if (transaction == nullptr) {
        const bool lost = transid.get() != 0 && transid.get() > fs.last_trans_committed.load();
        return lost ? Result<void>(Errno::Inval) : Result<void>();
    }
    wait_for_state(*transaction, TransState::Completed);
    const int aborted = transaction->aborted.load();
    put_transaction(*transaction);
    if (aborted != 0) return static_cast<Errno>(-aborted);
    return {};
}

// ---- trees
// ---------------------------------------------------------------------------------------------------------------

Result<void> record_root_in_trans(TransHandle& trans, Root& root) {
    if (!root.shareable()) return {};
    if (root.last_trans.load() == trans.transid.get() &&
        !root.state.test(root_state::in_trans_setup))
        return {};
    const sim::Scope scope("btrfs_record_root_in_trans");
    const sim::MutexGuard guard(trans.fs.reloc_mutex);
    return record_root_locked(trans, root);
}

Result<void> record_root_locked(TransHandle& trans, Root& root) {
    if (!root.shareable() || root.last_trans.load() >= trans.transid.get()) return {};
    return record_root(trans, root);
}

}  // namespace model
