#pragma once
#include "model/block_rsv.h"
#include "model/delayed_ref.h"
#include "model/root.h"
#include "sim/mutex.h"
#include "sim/spinlock.h"
#include "sim/waitqueue.h"

namespace model {

struct BlockGroup;
struct Device;
struct PendingSnapshot;

/// fs/btrfs/transaction.h: enum btrfs_trans_state, 6.1 (COMMIT_PREP from 6.6 on; BLOCKED before
/// 5.0).
enum class TransState : u8 {
    Running,
    Blocked,
    CommitPrep,
    CommitStart,
    CommitDoing,
    Unblocked,
    SuperCommitted,
    Completed
};
const char* to_string(TransState state);
enum class TransType : u8 { Start, Attach, Join, JoinNolock, JoinNostart };

/// fs/btrfs/transaction.h: struct btrfs_transaction.
struct Transaction {
    Transaction(FsInfo& fs, Transid transid);

    FsInfo& fs;
    sim::Object obj;        // lists: trans_lock
    sim::Object state_obj;  // state: written under trans_lock until Unblocked, read without it by
                            // those who wait
    Transid transid;
    TransState state = TransState::Running;
    sim::Atomic<u32> num_writers;
    sim::Atomic<u32> num_extwriters;
    u32 use_count = 2;                 // the list, and whoever created it
    sim::Atomic<int> aborted;          // errno, negative as in the kernel, or 0
    const char* aborted_in = nullptr;  // the function that aborted it first; for reports
    sim::WaitQueue writer_wait;
    sim::WaitQueue commit_wait;
    sim::WaitQueue pending_wait;
    sim::Atomic<u32> pending_ordered;
    DelayedRefRoot delayed_refs;
    Vector<PendingSnapshot*> pending_snapshots;  // trans_lock
    Vector<Root*> switch_commits;                // only the committer
    Set<u64> dirty_pages;  // tree blocks allocated in this transaction, by bytenr (an io tree in
                           // the kernel)
    sim::Spinlock dirty_pages_lock;
    sim::Object dirty_pages_obj;
    Map<u64, u64> pinned_extents;  // start -> length
    sim::Spinlock pinned_lock;
    sim::Object pinned_obj;
    Vector<BlockGroup*> dirty_bgs;  // dirty_bgs_lock
    sim::Spinlock dirty_bgs_lock;
    sim::Object dirty_bgs_obj;
    sim::Mutex cache_write_mutex;
    Vector<Device*> dev_update_list;  // chunk_mutex
    /// Freed blocks that are to be written as zeroes, with a reference each: on zoned devices, up
    /// to 6.7. The kernel's lock of the list orders nothing that anybody sees.
    Vector<ExtentBuffer*> releasing_ebs;
    /// Places of removed chunks, which may be allocated again once the transaction is committed:
    /// chunk_mutex. The kernel searches the committed dev tree for free places instead.
    Vector<std::pair<Device*, u64>> freed_dev_extents;
    sim::AtomicBits flags;  // HAVE_FREE_BGS, DIRTY_BG_RUN
};
namespace trans_flag {
inline constexpr unsigned have_free_bgs = 0, dirty_bg_run = 1;
}

/// fs/btrfs/transaction.h: struct btrfs_trans_handle; one per task at a time
/// (current->journal_info).
struct TransHandle {
    TransHandle(FsInfo& owner, Transaction& running, TransType kind);

    FsInfo& fs;
    Transaction& transaction;
    Transid transid;
    TransType type;
    u32 use_count = 1;
    BlockRsv* block_rsv = nullptr;
    BlockRsv* orig_rsv = nullptr;
    u64 bytes_reserved = 0;
    u64 chunk_bytes_reserved = 0;
    u64 delayed_ref_updates = 0;
    int aborted = 0;
    bool allocating_chunk = false;
    bool adding_csums = false;  // blocks of the csum tree charge block_rsv
    bool sync = false;          // of a worker that runs references: it asks for no further one
    bool in_fsync = false;      // content to wait for SUPER_COMMITTED
    Vector<BlockGroup*> new_bgs;
    PendingSnapshot* pending_snapshot = nullptr;
    Root* root = nullptr;
};

/// Start: waits while a commit is between COMMIT_START and UNBLOCKED; reserves num_items (may flush
/// and sleep).
/// @return NoSpc, Rofs after an abort, or the abort's error. Mirrors start_transaction() and its
/// callers by type.
Result<TransHandle*> start_transaction(Root& root, unsigned num_items);
/// The same, falling back to the global reserve: for unlink, which makes room. Mirrors
/// btrfs_start_transaction_fallback_global_rsv().
Result<TransHandle*> start_transaction_fallback_global_rsv(Root& root, unsigned num_items);
Result<TransHandle*> join_transaction(Root& root);
Result<TransHandle*> join_transaction_nolock(Root& root);
Result<TransHandle*> join_transaction_nostart(Root& root);
Result<TransHandle*> attach_transaction(Root& root);  // NoEnt when nothing runs
Result<TransHandle*>
attach_transaction_barrier(Root& root);  // NoEnt too, but waits for a commit in progress
Result<void> end_transaction(TransHandle* trans);
/// A handle's work is done: its error comes before that of the end.
inline Result<void> end_transaction(TransHandle* trans, Result<void> result) {
    const auto ended = end_transaction(trans);
    return result ? ended : result;
}
/// Writes the transaction out, or waits for whoever does already. Frees the handle. Mirrors
/// btrfs_commit_transaction().
Result<void> commit_transaction(TransHandle* trans);
Result<void> wait_for_commit(
    FsInfo& fs,
    Transid transid);  // 0: the newest that is being committed. Mirrors btrfs_wait_for_commit()
/// WARN, fs error line and forced readonly on the first abort; marks handle and transaction.
/// `function` as in the kernel's message.
void abort_transaction(TransHandle& trans, Errno error, const char* function);
/// The "BTRFS: error (device ...) in function: errno=..." line and forced readonly. Mirrors
/// __btrfs_handle_fs_error().
void handle_fs_error(FsInfo& fs, Errno error, const char* function);
bool transaction_aborted(const TransHandle& trans);
/// After an error, what the transaction kthread does: drops every transaction that nobody will
/// commit any more. Mirrors btrfs_cleanup_transaction(). The caller holds no handle.
void cleanup_transactions(FsInfo& fs);
/// First touch of a shareable root in a transaction. Mirrors btrfs_record_root_in_trans(); takes
/// reloc_mutex.
Result<void> record_root_in_trans(TransHandle& trans, Root& root);
TransHandle* current_trans();
/// With a reference; null: none runs.
Transaction* get_running_transaction(FsInfo& fs);
void put_transaction(Transaction& transaction);

/// fs/btrfs/ioctl.c, transaction.c: snapshots are created inside the commit.
struct PendingSnapshot {
    Root* source = nullptr;
    Objectid parent_dir = 0;  // in the tree fs.fs_root
    String name;
    bool readonly = false;
    Root* snap = nullptr;
    int error = 0;
    BlockRsv block_rsv;
};
/// Creates snapshot `name` of `source` in directory inode 256 of the top-level tree; commits. The
/// caller holds that directory's inode lock for writing. Mirrors create_snapshot().
Result<Root*> create_snapshot(FsInfo& fs, Root& source, std::string_view name, bool readonly);
/// Creates an empty subvolume there, and commits; the same lock is held. Mirrors create_subvol().
Result<Root*> create_subvol(FsInfo& fs, std::string_view name);

}  // namespace model
