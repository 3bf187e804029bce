#pragma once
#include "model/balance.h"
#include "model/block_group.h"
#include "model/ctree.h"
#include "model/dev_replace.h"
#include "model/device.h"
#include "model/inode.h"
#include "model/kernel_questions.h"
#include "model/mkfs.h"
#include "model/mutation.h"
#include "model/probes.h"
#include "model/relocation.h"
#include "model/root.h"
#include "model/scrub.h"
#include "model/send.h"
#include "model/space_info.h"
#include "model/transaction.h"
#include "model/volumes.h"
#include "model/zoned.h"
#include "sim/workqueue.h"

namespace model {

namespace fs_state_bit {
inline constexpr unsigned error = 0, trans_aborted = 3, dev_replacing = 4;
}

namespace fs_flag {  // BTRFS_FS_*
inline constexpr unsigned open = 4, btree_err = 11, balance_running = 17, reloc_running = 18;
}

/// The mounted filesystem: fs/btrfs/ctree.h, struct btrfs_fs_info. Owner of everything below; lives
/// in the arena.
class FsInfo {
  public:
    /// @param asked  where the questions to the kernel are written down; null: nowhere
    FsInfo(const KernelVersion& version, const Geometry& geometry,
           KernelQuestions* asked = nullptr);
    ~FsInfo();
    FsInfo(const FsInfo&) = delete;
    FsInfo& operator=(const FsInfo&) = delete;

    AskedKernel kernel;
    u32 nodesize = 4096;
    u32 leaf_cap = 0, node_cap = 0;  // items of a leaf, slots of a node; 0: what fits
    /// Coverage counts each question as the change's code path having run, as this kernel has it.
    bool has(const Fix& fix) const {
        sim::probe(probe_of(fix));
        return kernel.has(fix);
    }
    bool has_error() const { return fs_state.test(fs_state_bit::error); }

    /// Kernel log line "BTRFS <level> (device <name>): <text>", with state characters as the kernel
    /// version prints them.
    void message(const char* level, const std::string& text);
    /// "(device a: state EA)", as those lines have it.
    std::string device_and_state() const;

    // State.
    sim::AtomicBits fs_state;
    sim::AtomicBits flags;  // fs_flag
    bool readonly = false;  // the super block of the VFS
    bool degraded = false;  // mount option: go without a missing device
    u8 fsid[16]{}, chunk_tree_uuid[16]{};
    SuperBlock* super_copy = nullptr;  // in the arena
    SuperBlock* super_for_commit = nullptr;
    sim::Object super_obj;
    const Geometry* geometry = nullptr;  // not in the arena: constant

    // Roots.
    Root* tree_root = nullptr;
    Root* extent_root = nullptr;
    Root* chunk_root = nullptr;
    Root* dev_root = nullptr;
    Root* csum_root = nullptr;
    Root* fs_root = nullptr;
    Map<u64, Root*> fs_roots;     // radix of subvolumes, 5 included: fs_roots_lock
    Set<u64> fs_roots_trans_tag;  // BTRFS_ROOT_TRANS_TAG
    sim::Spinlock fs_roots_lock;
    sim::Object fs_roots_obj, fs_roots_tag_obj;  // keyed by tree; 0: next_subvolid
    sim::RwSem commit_root_sem;
    Vector<Root*> dirty_cowonly_roots;  // trans_lock
    u64 next_subvolid = 256;

    // Buffers.
    Map<u64, ExtentBuffer*> buffer_radix;
    sim::Object buffer_radix_obj;

    // Transactions.
    sim::Spinlock trans_lock;
    sim::Object trans_obj;  // running_transaction, trans_list, generation: trans_lock
    Transaction* running_transaction = nullptr;
    Vector<Transaction*> trans_list;  // oldest first
    Transid generation;
    sim::Atomic<u64> last_trans_committed;
    sim::WaitQueue transaction_wait, transaction_blocked_wait;
    sim::Mutex tree_log_mutex, reloc_mutex, ro_block_group_mutex, cleaner_mutex,
        unused_bg_unpin_mutex;

    // Space.
    Vector<SpaceInfo*> space_infos;      // data, metadata, system
    Map<u64, BlockGroup*> block_groups;  // by start: block_group_cache_lock
    sim::Spinlock block_group_cache_lock;
    BlockRsv global_block_rsv{RsvType::Global}, trans_block_rsv{RsvType::Trans},
        chunk_block_rsv{RsvType::Chunk}, delayed_refs_rsv{RsvType::DelayedRefs},
        empty_block_rsv{RsvType::Empty};
    sim::Atomic<u64>
        free_chunk_space;  // unallocated bytes of the devices: written under chunk_mutex
    u64 data_profile = 0, metadata_profile = 0;

    // Devices and chunks.
    FsDevices fs_devices;
    sim::Mutex device_list_mutex, chunk_mutex;
    sim::Spinlock mapping_tree_lock;
    Map<u64, ChunkMap*> mapping_tree;  // by logical start
    sim::Object mapping_tree_obj;      // keyed by logical start
    DevReplace dev_replace;
    ScrubState scrub;
    ZonedFs* zoned = nullptr;      // null: on regular devices
    sim::Object block_groups_obj;  // which groups there are: keyed by their start
    RelocState reloc;
    BalanceState balance;
    SendState send;

    // Files.
    sim::Mutex ordered_operations_mutex;
    sim::Spinlock ordered_root_lock;
    sim::Object ordered_roots_obj;
    Vector<Root*> ordered_roots;  // roots with ordered extents: ordered_root_lock
    sim::Spinlock dcache_lock{lock_classes::dcache_lock};
    sim::Object dcache_obj{objects::dcache};
    Map<u64, Inode*> inodes;                 // by (tree id << 32 | ino): dcache_lock
    Map<String, Inode*> dcache;              // by path: dcache_lock
    Map<String, Vector<Inode*>> open_files;  // by the path that opened them: dcache_lock
    sim::Spinlock delalloc_lock{lock_classes::delalloc_lock};
    sim::Object delalloc_inodes_obj{objects::delalloc_inodes};  // keyed as they are
    Map<u64, Inode*> delalloc_inodes;  // those of `inodes` with delalloc: delalloc_lock
    sim::WorkQueue endio_write_workers, endio_workers, flush_workers, extent_workers;

    struct Mount* mount = nullptr;  // null: nobody unmounts, and nobody counts

    // What was promised, for the durability invariants (filled by the syscalls, never read by the
    // model).
    struct Ledger* ledger = nullptr;
    struct InvariantState* invariants = nullptr;  // what the checks remember; null: nobody watches
    class MediumObserver* observer = nullptr;     // not in the arena; null: nobody looks on
#ifdef INTERLEAF_MUTATIONS
    Mutation mutation = Mutation::None;
#endif
};

inline FsInfo& fs_of(Root& root) {
    return root.fs;
}

/// Digest of what the filesystem holds, free of addresses and of the order of independent steps:
/// trees by key and content (running and committed), counters, devices. Equal states have equal
/// digests.
u64 state_digest(const FsInfo& fs);

}  // namespace model
