#pragma once
#include "model/format.h"
#include "model/objects.h"
#include "sim/atomic.h"
#include "sim/mutex.h"
#include "sim/spinlock.h"

namespace model {

struct TransHandle;

enum class RefAction : u8 { Add = 1, Drop = 2, AddExtent = 3, UpdateHead = 4 };
const char* to_string(RefAction action);  // "ADD_DELAYED_REF"

/// Which reference: implicit (a root, for data with inode and offset) or full (a parent block).
struct RefKey {
    u8 type = 0;     // TREE_BLOCK_REF, SHARED_BLOCK_REF, EXTENT_DATA_REF, SHARED_DATA_REF
    u64 root = 0;    // 0 for SHARED types
    u64 parent = 0;  // 0 for the others
    u64 objectid = 0, offset = 0;  // EXTENT_DATA_REF: inode and file offset of the extent's start
    auto operator<=>(const RefKey&) const = default;  // level is not compared, as in the kernel
};

/// fs/btrfs/delayed-ref.h: struct btrfs_delayed_ref_node.
struct DelayedRefNode {
    RefKey key;
    RefAction action = RefAction::Add;
    u32 ref_mod = 1;
    Level level = 0;    // tree blocks
    u64 add_order = 0;  // ADDs: position on the kernel's ref_add_list
    u64 ref_root = 0, owner = 0,
        owner_offset = 0;  // as queued (owner of a tree block: its level); messages print them
};

/// fs/btrfs/delayed-ref.h: struct btrfs_delayed_ref_head.
struct DelayedRefHead {
    DelayedRefHead(u64 bytenr, u64 num_bytes, bool is_data);
    sim::Object obj;  // nodes and counts: lock
    u64 bytenr, num_bytes;
    u32 refs = 1;
    sim::Mutex mutex;  // held while its nodes run
    sim::Spinlock lock;
    Vector<DelayedRefNode> nodes;  // ordered by key; ADDs run first
    int ref_mod = 0, total_ref_mod = 0;
    bool must_insert_reserved = false, is_data = false, is_system = false, processing = false,
         in_tree = true;
    bool has_extent_op = false;
    u64 extent_op_flags = 0;
    Level extent_op_level = 0;
    u64 next_add_order = 0;
};

/// fs/btrfs/delayed-ref.h: struct btrfs_delayed_ref_root; one per transaction.
struct DelayedRefRoot {
    explicit DelayedRefRoot(u64 transid);
    sim::Object obj;  // lock
    sim::Spinlock lock;
    Map<u64, DelayedRefHead*> heads;  // href_root, by bytenr
    u64 num_heads = 0, num_heads_ready = 0;
    sim::Atomic<u64> num_entries;
    u64 run_delayed_start = 0;
    u64 pending_csums =
        0;  // bytes of data that lose their last reference, as far as the heads know
    sim::AtomicBits flags;  // bit 0: FLUSHING
};
namespace delayed_refs_flag {
inline constexpr unsigned flushing = 0;
}

DelayedRefHead* find_ref_head(DelayedRefRoot& refs, u64 bytenr);  // delayed_refs.lock held
void put_ref_head(DelayedRefHead* head);
/// delayed_refs.lock and head.lock held: the head leaves the tree.
void delete_ref_head(DelayedRefRoot& refs, DelayedRefHead& head);
/// Gives back what the head's existence added to the delayed refs reserve. Mirrors
/// btrfs_cleanup_ref_head_accounting().
void cleanup_ref_head_accounting(FsInfo& fs, DelayedRefRoot& refs, const DelayedRefHead& head);
/// Takes head.mutex while delayed_refs.lock is held; sleeps without it if somebody runs the head.
/// @return false if the head has left the tree meanwhile. Mirrors btrfs_delayed_ref_lock().
bool delayed_ref_lock(DelayedRefRoot& refs, DelayedRefHead& head);
/// The head's operation on the extent item, unless inserting that item will do it. head.lock held.
/// Mirrors cleanup_extent_op().
bool has_pending_extent_op(DelayedRefHead& head);

/// A reference to a tree block or data extent, to be queued. parent != 0 selects the SHARED type.
struct TreeRef {
    Bytenr bytenr;
    u64 parent = 0;
    Objectid root = 0;
    Level level = 0;
};
struct DataRef {
    Bytenr bytenr;
    u64 num_bytes = 0;
    u64 parent = 0;
    Objectid root = 0;
    u64 objectid = 0, offset = 0;
};
Result<void> add_delayed_tree_ref(TransHandle& trans, const TreeRef& ref, RefAction action,
                                  u64 extent_op_flags = 0);
Result<void> add_delayed_data_ref(TransHandle& trans, const DataRef& ref, RefAction action);
/// Queues flags to set on a block's extent item (UPDATE_DELAYED_HEAD). Mirrors
/// btrfs_add_delayed_extent_op().
Result<void> add_delayed_extent_op(TransHandle& trans, Bytenr bytenr, u64 flags, Level level);
/// Runs queued references. count 0: as many heads as are ready now; all: until none is left. Aborts
/// the transaction on error.
inline constexpr u64 run_all_refs = ~u64{0};
Result<void> run_delayed_refs(TransHandle& trans, u64 count);
/// After an abort: every queued reference is forgotten. Mirrors btrfs_destroy_delayed_refs().
void destroy_delayed_refs(FsInfo& fs, DelayedRefRoot& refs);

}  // namespace model
