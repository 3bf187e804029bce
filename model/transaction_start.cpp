// Mirrors fs/btrfs/transaction.c of 6.1: taking part in a transaction and leaving it.
#include "model/delayed_ref_throttle.h"
#include "model/fixes.h"
#include "model/fs_info.h"
#include "model/transaction_internal.h"
#include "sim/trace.h"

namespace model {
namespace {

struct StartRequest {
    Root& root;
    unsigned num_items = 0;
    TransType type = TransType::Start;
    Flush flush = Flush::No;
};

/// Which types a state keeps out. Mirrors btrfs_blocked_trans_types[].
bool blocks(TransState state, TransType type) {
    switch (state) {
    case TransState::Running:
    case TransState::CommitPrep:
        return false;
    case TransState::Blocked:
        return type == TransType::Start;
    case TransState::CommitStart:
        return counts_as_extwriter(type);
    case TransState::CommitDoing:
        return type != TransType::JoinNolock;
    case TransState::Unblocked:
    case TransState::SuperCommitted:
    case TransState::Completed:
        return true;
    }
    return true;
}

/// Those that only want a transaction which somebody else has started.
bool needs_running(TransType type) {
    return type == TransType::Attach || type == TransType::JoinNostart ||
           type == TransType::JoinNolock;
}

void add_writer(Transaction& transaction, TransType type) {
    transaction.num_writers.inc();
    if (counts_as_extwriter(type)) transaction.num_extwriters.inc();
}

/// trans_lock held. The kernel drops it to allocate, and looks again.
Transaction& new_transaction(FsInfo& fs) {
    fs.trans_obj.write();
    ++fs.generation;
    Transaction& transaction = *sim::make<Transaction>(fs, fs.generation);
    fs.trans_list.push_back(&transaction);
    fs.running_transaction = &transaction;
    sim::note(
        [&] { return "transaction " + std::to_string(transaction.transid.get()) + " begins"; });
    return transaction;
}

/// @return Busy while a commit keeps this type out. Mirrors join_transaction().
Result<Transaction*> join_running(FsInfo& fs, TransType type) {
    const sim::SpinGuard guard(fs.trans_lock);
    if (fs.has_error()) return Errno::Rofs;
    fs.trans_obj.read();
    Transaction* transaction = fs.running_transaction;
    if (transaction == nullptr) {
        if (needs_running(type)) return Errno::NoEnt;
        transaction = &new_transaction(fs);
        add_writer(*transaction, type);
        return transaction;
    }
    if (const int aborted = transaction->aborted.load(); aborted != 0)
        return static_cast<Errno>(-aborted);
    if (blocks(transaction->state, type)) return Errno::Busy;
    get_transaction(*transaction);
    add_writer(*transaction, type);
    return transaction;
}

Transaction* get_blocked_transaction(FsInfo& fs) {
    const sim::SpinGuard guard(fs.trans_lock);
    fs.trans_obj.read();
    Transaction* const transaction = fs.running_transaction;
    if (transaction == nullptr || !is_transaction_blocked(*transaction)) return nullptr;
    get_transaction(*transaction);
    return transaction;
}

void wait_current_trans(FsInfo& fs) {
    Transaction* const transaction = get_blocked_transaction(fs);
    if (transaction == nullptr) return;
    const sim::Scope scope("wait_current_trans");
    fs.transaction_wait.wait_event([&] {
        return read_trans_state(*transaction) >= TransState::Unblocked ||
               transaction->aborted.load() != 0;
    });
    put_transaction(*transaction);
}

Result<Transaction*> join_when_allowed(FsInfo& fs, TransType type) {
    for (;;) {
        if (type == TransType::Start) wait_current_trans(fs);
        auto joined = join_running(fs, type);
        if (joined || joined.error() != Errno::Busy) return joined;
        wait_current_trans(fs);
        if (needs_running(type)) return Errno::NoEnt;
    }
}

bool delayed_refs_rsv_full(FsInfo& fs) {
    BlockRsv& rsv = fs.delayed_refs_rsv;
    const sim::SpinGuard guard(rsv.lock);
    rsv.obj.read();
    return rsv.full;
}

/// Until 5.8, since when tickets steal for themselves: down to half of its size the reserve helps
/// those who will free space. Mirrors btrfs_cond_migrate_bytes().
bool migrate_from_global_rsv(FsInfo& fs, u64 bytes) {
    if (fs.has(fix::global_reserve_stealing)) return false;
    BlockRsv& rsv = fs.global_block_rsv;
    const sim::SpinGuard info_guard(rsv.space_info->lock);
    const sim::SpinGuard guard(rsv.lock);
    rsv.obj.read();
    if (rsv.reserved < rsv.size / 2 + bytes) return false;
    rsv.obj.write();
    rsv.reserved -= bytes;
    if (rsv.reserved < rsv.size) rsv.full = false;
    return true;
}

/// What the items need; while the delayed references have less than they want, the same again for
/// them.
/// @return the handle's share, now in trans_block_rsv
Result<u64> reserve_items(FsInfo& fs, const StartRequest& request) {
    const u64 own = calc_insert_metadata_size(fs, request.num_items);
    const bool for_refs =
        request.flush != Flush::No && fs.has(fix::delayed_refs_rsv) && !delayed_refs_rsv_full(fs);
    const u64 total = for_refs ? 2 * own : own;
    if (const auto added = block_rsv_add(fs, fs.trans_block_rsv, total, request.flush); !added) {
        if (request.flush != Flush::AllSteal || !migrate_from_global_rsv(fs, total))
            return added.error();
        block_rsv_add_bytes(fs.trans_block_rsv, total, true);
    }
    if (for_refs) migrate_to_delayed_refs_rsv(fs, fs.trans_block_rsv, own);
    return own;
}

Result<u64> reserve_for_start(FsInfo& fs, const StartRequest& request) {
    if (request.num_items > 0) return reserve_items(fs, request);
    if (request.type != TransType::Start || request.flush != Flush::All) return u64{0};
    if (const auto refilled = delayed_refs_rsv_refill(fs, request.flush); !refilled)
        return refilled.error();
    return u64{0};
}

/// The handle that the task has already; what it reserves stays with the outer user.
Result<TransHandle*> nest(TransHandle& trans, Root& root) {
    ++trans.use_count;
    trans.orig_rsv = trans.block_rsv;
    trans.block_rsv = nullptr;
    if (const auto recorded = record_root_in_trans(trans, root); !recorded) return recorded.error();
    return &trans;
}

/// Joins, and steps back for a commit that began in between: the kernel lets such a START commit
/// the transaction itself.
Result<TransHandle*> join_or_step_back(FsInfo& fs, TransType type) {
    for (;;) {
        const auto joined = join_when_allowed(fs, type);
        if (!joined) return joined.error();
        TransHandle* const trans = sim::make<TransHandle>(fs, **joined, type);
        set_current_trans(trans);
        if (type != TransType::Start || !keeps_starts_out(read_trans_state(**joined))) return trans;
        static_cast<void>(commit_transaction(trans));
    }
}

const char* type_name(TransType type) {
    switch (type) {
    case TransType::Start:
        return "btrfs_start_transaction";
    case TransType::Attach:
        return "btrfs_attach_transaction";
    case TransType::Join:
        return "btrfs_join_transaction";
    case TransType::JoinNolock:
        return "btrfs_join_transaction_spacecache";
    case TransType::JoinNostart:
        return "btrfs_join_transaction_nostart";
    }
    return "";
}

Result<TransHandle*> start(const StartRequest& request) {
    const sim::Scope scope(type_name(request.type));
    FsInfo& fs = request.root.fs;
    if (fs.has_error()) return Errno::Rofs;
    if (TransHandle* const current = current_trans()) return nest(*current, request.root);
    const auto bytes = reserve_for_start(fs, request);
    if (!bytes) return bytes.error();
    const auto trans = join_or_step_back(fs, request.type);
    if (!trans) {
        if (*bytes > 0) block_rsv_release(fs, fs.trans_block_rsv, *bytes);
        return trans.error();
    }
    if (*bytes > 0) {
        (*trans)->block_rsv = &fs.trans_block_rsv;
        (*trans)->bytes_reserved = *bytes;
    }
    if (const auto recorded = record_root_in_trans(**trans, request.root); !recorded) {
        static_cast<void>(end_transaction(*trans));
        return recorded.error();
    }
    return *trans;
}

void leave(Transaction& transaction, TransType type) {
    transaction.num_writers.dec();
    if (counts_as_extwriter(type)) transaction.num_extwriters.dec();
    transaction.writer_wait.wake_up();
    put_transaction(transaction);
}

}  // namespace

Result<TransHandle*> start_transaction(Root& root, unsigned num_items) {
    return start({.root = root, .num_items = num_items, .flush = Flush::All});
}
Result<TransHandle*> start_transaction_fallback_global_rsv(Root& root, unsigned num_items) {
    return start({.root = root, .num_items = num_items, .flush = Flush::AllSteal});
}
Result<TransHandle*> join_transaction(Root& root) {
    return start({.root = root, .type = TransType::Join});
}
Result<TransHandle*> join_transaction_nolock(Root& root) {
    return start({.root = root, .type = TransType::JoinNolock});
}
Result<TransHandle*> join_transaction_nostart(Root& root) {
    return start({.root = root, .type = TransType::JoinNostart});
}
Result<TransHandle*> attach_transaction(Root& root) {
    return start({.root = root, .type = TransType::Attach});
}

Result<TransHandle*> attach_transaction_barrier(Root& root) {
    const auto trans = attach_transaction(root);
    if (trans || trans.error() != Errno::NoEnt) return trans;
    if (const auto waited = wait_for_commit(root.fs, Transid(0)); !waited) return waited.error();
    return trans;
}

void trans_release_metadata(TransHandle& trans) {
    if (trans.bytes_reserved > 0)
        block_rsv_release(trans.fs, trans.fs.trans_block_rsv, trans.bytes_reserved);
    trans.bytes_reserved = 0;
    trans.block_rsv = nullptr;
}

void trans_release_chunk_metadata(TransHandle& trans) {
    if (trans.chunk_bytes_reserved == 0) return;
    block_rsv_release(trans.fs, trans.fs.chunk_block_rsv, trans.chunk_bytes_reserved);
    trans.chunk_bytes_reserved = 0;
}

void cleanup_pending_block_groups(TransHandle& trans) {
    for (std::size_t n = trans.new_bgs.size(); n > 0; --n)
        delayed_refs_rsv_release(trans.fs, 1);
    trans.new_bgs.clear();
}

/// @mirrors __btrfs_end_transaction(), v6.1; before 5.0 the handle may leave work behind
Result<void> end_transaction(TransHandle* trans) {
    if (trans->use_count > 1) {
        --trans->use_count;
        trans->block_rsv = trans->orig_rsv;
        return {};
    }
    const sim::Scope scope("btrfs_end_transaction");
    FsInfo& fs = trans->fs;
    trans_release_metadata(*trans);
    create_pending_block_groups(*trans);
    const AsyncRefs refs = refs_left_to_run(*trans);
    trans_release_chunk_metadata(*trans);
    block_if_tight(*trans);
    const int aborted = trans->aborted;
    leave(trans->transaction, trans->type);
    set_current_trans(nullptr);
    sim::destroy(trans);
    if (refs.count > 0) async_run_delayed_refs(fs, refs);
    if (aborted != 0) return static_cast<Errno>(-aborted);
    if (fs.has_error()) return Errno::Rofs;
    return {};
}

}  // namespace model
