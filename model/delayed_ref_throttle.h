#pragma once
#include "model/transaction.h"

/// What makes tasks run queued references, end their handle or commit before anything is short:
/// guesses about the space that the references will need.
namespace model {

/// Whether the queued references may need all that is held for them. 5.0 and later compare their
/// reserve with its size, earlier kernels guess from their number. Mirrors
/// btrfs_check_space_for_delayed_refs().
bool check_space_for_delayed_refs(FsInfo& fs, Transaction& transaction);
/// The same from 5.0 on, which needs no transaction.
bool delayed_refs_want_all(FsInfo& fs);
/// Whether a long operation had better end its handle. Before 5.0 runs references first. Mirrors
/// btrfs_should_end_transaction().
Result<bool> should_end_transaction(TransHandle& trans);
/// Runs twice what the handle has queued since the last time. Before 5.0.
Result<void> run_own_updates(TransHandle& trans);

/// References for a worker to run, before 5.0. Mirrors struct async_delayed_refs.
struct AsyncRefs {
    u64 count = 0;  // 0: none
    Transid transid;
    bool wait = false;
};
/// A worker joins the transaction, if it is not blocked yet, and runs references. Mirrors
/// btrfs_async_run_delayed_refs().
void async_run_delayed_refs(FsInfo& fs, const AsyncRefs& refs);
/// What the end of the handle leaves to a worker.
AsyncRefs refs_left_to_run(TransHandle& trans);
/// Before 5.0, the end of a handle in a transaction whose references may want too much: no START
/// gets in any more, and the transaction kthread commits.
void block_if_tight(TransHandle& trans);

}  // namespace model
