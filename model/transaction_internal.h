#pragma once
#include "model/transaction.h"

/// What the files of the transaction share with each other. Not for other parts of the model.
namespace model {

/// Moves the state forward: under trans_lock until UNBLOCKED, by the only committer afterwards.
void set_trans_state(Transaction& transaction, TransState state);
/// Reads it without trans_lock, as waiters do.
TransState read_trans_state(const Transaction& transaction);
/// BLOCKED or later, but for COMMIT_PREP, which blocks nobody.
bool keeps_starts_out(TransState state);
bool is_transaction_blocked(const Transaction& transaction);
void get_transaction(Transaction& transaction);
/// First touch of a tree by whoever holds reloc_mutex. Mirrors record_root_in_trans().
Result<void> record_root_locked(TransHandle& trans, Root& root);
/// Sleeps until the transaction is that far, and for COMPLETED until all older ones are too.
/// Mirrors wait_for_commit().
void wait_for_state(Transaction& transaction, TransState min_state);
void set_current_trans(TransHandle* trans);

bool counts_as_extwriter(TransType type);
/// Gives back what START reserved. Mirrors btrfs_trans_release_metadata().
void trans_release_metadata(TransHandle& trans);
void trans_release_chunk_metadata(TransHandle& trans);
/// After an abort: groups whose items were never inserted. Mirrors
/// btrfs_cleanup_pending_block_groups().
void cleanup_pending_block_groups(TransHandle& trans);

// transaction_roots.cpp: the trees in the critical section of a commit.
Result<void> commit_fs_roots(TransHandle& trans);
Result<void> commit_cowonly_roots(TransHandle& trans);
void switch_commit_roots(TransHandle& trans);

// snapshot.cpp
Result<void> create_pending_snapshots(TransHandle& trans);

// transaction_abort.cpp
/// Ends a commit that failed: aborts, waits for the other writers, throws away what the transaction
/// holds. Frees the handle.
void cleanup_transaction(TransHandle* trans, Errno error);
void handle_fs_error(FsInfo& fs, Errno error, const char* function, const char* text);

}  // namespace model
