#pragma once
#include "model/format.h"
#include "model/objects.h"
#include "model/send_dedupe.h"
#include "sim/atomic.h"
#include "sim/mutex.h"
#include "sim/spinlock.h"

namespace model {

struct ExtentBuffer;
struct OrderedExtent;
struct TransHandle;

namespace root_state {  // BTRFS_ROOT_*
inline constexpr unsigned in_trans_setup = 0, shareable = 1, track_dirty = 2, dirty = 4,
                          force_cow = 9, dead_reloc_tree = 11, dead_tree = 12;
}

/// fs/btrfs/ctree.h: struct btrfs_root.
struct Root {
    Root(FsInfo& fs, Objectid objectid);

    FsInfo& fs;
    Objectid objectid;
    Key root_key;  // of its ROOT_ITEM
    RootItem root_item{};
    bool is_readonly() const { return (root_item.flags & root_subvol_rdonly) != 0; }
    sim::Object node_ptr;                 // accesses of node and commit_root
    ExtentBuffer* node = nullptr;         // one reference held
    ExtentBuffer* commit_root = nullptr;  // one reference held
    sim::AtomicBits state;
    sim::Atomic<u64> last_trans;
    sim::Object inodes_obj{objects::dcache};  // which of its inodes are in fs.inodes: dcache_lock
    u64 highest_objectid = 256;  // next inode number is one above; the kernel's free_objectid
    sim::Spinlock ordered_extent_lock;
    Vector<OrderedExtent*> ordered_extents;  // under ordered_extent_lock
    sim::Object ordered_obj{objects::ordered_list};
    sim::Mutex ordered_extent_mutex;
    sim::Atomic<u32> snapshot_force_cow;  // a snapshot of it is being made: nocow writes must copy
    bool on_dirty_list = false;           // dirty_cowonly_roots
    SendDedupe send_dedupe;
    sim::Object used_obj;        // root_item.bytes_used: changes commute
    Root* reloc_root = nullptr;  // fs.reloc.obj, keyed by objectid; of a reloc root: null
    /// The kernel has no such tree any more. The memory stays, so that whoever still uses it is
    /// found: check_used_root().
    bool is_freed = false;

    bool shareable() const { return state.peek_bit(root_state::shareable); }
};

/// The current root node with a reference. Mirrors btrfs_root_node().
ExtentBuffer& root_node(Root& root);
/// Root node locked, the same after locking as before. Mirrors btrfs_lock_root_node().
ExtentBuffer& lock_root_node(Root& root);
ExtentBuffer& read_lock_root_node(Root& root);
/// Publishes a new root node (takes over the reference on it; drops the tree's reference on the old
/// one).
void set_root_node(Root& root, ExtentBuffer& eb);
/// Bytes that the blocks of the tree take, as its root item says: a split adds, an emptied block is
/// taken away.
u64 root_used(const Root& root);
void root_add_used(Root& root);
void root_sub_used(Root& root);
/// Puts a cow-only root whose node changed on fs.dirty_cowonly_roots. Mirrors
/// add_root_to_dirty_list().
void add_root_to_dirty_list(Root& root);

/// fs/btrfs/root-tree.c
Result<void> insert_root(TransHandle& trans, const Key& key, const RootItem& item);
Result<void> update_root(TransHandle& trans, const Key& key, const RootItem& item);
Result<void> del_root(TransHandle& trans, const Key& key);
/// offset ~0: the newest root of that id. @return NoEnt. Mirrors btrfs_find_root()
Result<void> find_root(Root& tree_root, const Key& key, RootItem& item, Key* found_key = nullptr);
Result<void> add_root_ref(TransHandle& trans, u64 root_id, u64 ref_id, u64 dirid, u64 sequence,
                          std::string_view name);
void set_root_node_fields(RootItem& item, const ExtentBuffer& node);  // bytenr, level, generation

}  // namespace model
