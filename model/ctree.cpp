// fs/btrfs/ctree.c: paths and copy-on-write. Left out: the tree modification log and the nowait and
// reada flags of paths.
#include "model/ctree.h"

#include <cstring>

#include "model/ctree_internal.h"
#include "model/disk_io.h"
#include "model/extent_tree.h"
#include "model/fs_info.h"
#include "model/relocation.h"
#include "model/tracepoints.h"
#include "sim/scheduler.h"
#include "sim/trace.h"

namespace model {
namespace {

constexpr const char* cow_function = "__btrfs_cow_block";

void unlock(ExtentBuffer& eb, TreeLock& lock) {
    if (lock == TreeLock::Write) tree_unlock(eb);
    if (lock == TreeLock::Read) tree_read_unlock(eb);
    lock = TreeLock::None;
}

bool is_reloc(const Root& root) {
    return root.objectid == tree_reloc_objectid;
}

/// Header fields that tell a copy from its source. Mirrors what __btrfs_cow_block() and
/// btrfs_copy_root() set.
void copy_block(const TransHandle& trans, const ExtentBuffer& from, ExtentBuffer& to,
                Objectid owner) {
    // A relocation copies a committed root, which may still be written, without its lock.
    from.lock.is_held_for_write_by_current() ? from.content.read() : read_lockless(from);
    to.content.write();
    std::memcpy(to.data, from.data, from.len);
    HeaderItem& header = to.header();
    header.bytenr = to.start.get();
    header.generation = trans.transid.get();
    header.flags =
        (header.flags & ~(header_flag_written | header_flag_reloc) & ~(u64{0xFF} << 56)) |
        (mixed_backref_rev << 56);
    if (owner == tree_reloc_objectid) {
        header.flags |= header_flag_reloc;
    } else {
        header.owner = owner;
    }
    std::memcpy(header.fsid, trans.fs.fsid, sizeof(header.fsid));
}

/// Whether other trees may hold `buf`: only then its references are worth a lookup. Mirrors
/// btrfs_block_can_be_shared(). The two pointers of the root are plain reads, as there: `buf` is
/// locked, so it neither becomes nor stops being the node.
bool block_can_be_shared(const Root& root, const ExtentBuffer& buf) {
    if (!root.shareable() || &buf == root.node || &buf == root.commit_root) return false;
    return buf.generation().get() <= root.root_item.last_snapshot ||
           buf.header_flag(header_flag_reloc);
}

Result<ExtentInfo> sharing_of(TransHandle& trans, Root& root, const ExtentBuffer& buf) {
    if (block_can_be_shared(root, buf)) {
        const auto info = lookup_extent_info(&trans, root.fs, buf.start, buf.level(), true);
        if (!info || info->refs != 0) return info;
        handle_fs_error(root.fs, Errno::Rofs, "update_ref_for_cow");
        return Errno::Rofs;
    }
    const bool full = is_reloc(root) || buf.backref_rev() < mixed_backref_rev;
    return ExtentInfo{1, full ? block_flag_full_backref : 0};
}

/// Others keep `buf`, which loses its owner: its children are from now on referenced by `buf`
/// itself.
Result<void> convert_to_full_backref(TransHandle& trans, Root& root, ExtentBuffer& buf,
                                     ExtentBuffer& cow) {
    if (const auto added = inc_ref(trans, root, buf, true); !added) return added;
    if (is_reloc(root)) {
        if (const auto dropped = dec_ref(trans, root, buf, false); !dropped) return dropped;
        if (const auto added = inc_ref(trans, root, cow, true); !added) return added;
    }
    return add_delayed_extent_op(trans, buf.start, block_flag_full_backref, buf.level());
}

/// References of the children after a block got a copy. Mirrors update_ref_for_cow().
/// @return whether nobody references `buf` any more
Result<bool> update_ref_for_cow(TransHandle& trans, Root& root, ExtentBuffer& buf,
                                ExtentBuffer& cow) {
    const auto info = sharing_of(trans, root, buf);
    if (!info) return info.error();
    const bool full = (info->flags & block_flag_full_backref) != 0;
    if (info->refs > 1) {
        const bool loses_owner = (buf.owner() == root.objectid || is_reloc(root)) && !full;
        const auto updated = loses_owner ? convert_to_full_backref(trans, root, buf, cow)
                                         : inc_ref(trans, root, cow, is_reloc(root));
        if (!updated) return updated.error();
        return false;
    }
    if (full) {
        if (const auto added = inc_ref(trans, root, cow, is_reloc(root)); !added)
            return added.error();
        if (const auto dropped = dec_ref(trans, root, buf, true); !dropped) return dropped.error();
    }
    clean_tree_block(buf);
    return true;
}

/// Points the parent, or the root, to the copy; then the old block is given up. A block with an old
/// back reference format, or of a relocation tree, is its own parent: the header is read again
/// here, as in the kernel.
Result<void> replace_block(TransHandle& trans, Root& root, ExtentBuffer& buf, ExtentBuffer& cow,
                           ExtentBuffer* parent, unsigned slot, bool last_ref) {
    u64 parent_start = is_reloc(root) && parent != nullptr ? parent->start.get() : 0;
    if (&buf == root.node) {
        buf.look_at_header();
        if (is_reloc(root) || buf.backref_rev() < mixed_backref_rev) parent_start = buf.start.get();
        extent_buffer_get(cow);
        set_root_node(root, cow);
        const auto freed = free_tree_block(trans, root.objectid, buf, parent_start, last_ref);
        add_root_to_dirty_list(root);
        return freed;
    }
    SIM_ASSERT(parent != nullptr && parent->generation() == trans.transid);
    parent->ptrs()[slot].blockptr = cow.start.get();
    parent->ptrs()[slot].generation = trans.transid.get();
    mark_buffer_dirty(*parent);
    return free_tree_block(trans, root.objectid, buf, parent_start, last_ref);
}

Errno abort_cow(TransHandle& trans, ExtentBuffer& cow, Errno error) {
    tree_unlock(cow);
    free_extent_buffer(&cow);
    abort_transaction(trans, error, cow_function);
    return error;
}

Result<ExtentBuffer*> force_cow_block(TransHandle& trans, Root& root, ExtentBuffer& buf,
                                      ExtentBuffer* parent, unsigned slot, unsigned nesting) {
    const sim::Scope scope(cow_function);
    const u64 parent_start = is_reloc(root) && parent != nullptr ? parent->start.get() : 0;
    const auto allocated =
        alloc_tree_block(trans, root, parent_start, root.objectid, buf.level(), nesting);
    if (!allocated) return allocated.error();
    ExtentBuffer& cow = **allocated;
    copy_block(trans, buf, cow, root.objectid);
    sim::note([&] {
        return "copies block " + std::to_string(buf.start.get()) + " of tree " +
               std::to_string(root.objectid) + " (level " + std::to_string(buf.level()) + ") to " +
               std::to_string(cow.start.get());
    });

    const auto last_ref = update_ref_for_cow(trans, root, buf, cow);
    if (!last_ref) return abort_cow(trans, cow, last_ref.error());
    if (root.shareable())
        if (const auto hooked = reloc_cow_block(trans, root, buf, cow); !hooked)
            return abort_cow(trans, cow, hooked.error());
    const auto replaced = replace_block(trans, root, buf, cow, parent, slot, *last_ref);
    if (!replaced) return abort_cow(trans, cow, replaced.error());
    trace_btrfs_cow_block(root, buf, cow);

    tree_unlock(buf);
    free_extent_buffer_stale(&buf);
    mark_buffer_dirty(cow);
    return &cow;
}

/// Copies belong to the running transaction. The kernel of 6.1 warns, later ones abort; here a
/// wrong handle always aborts.
bool belongs_to_running_transaction(TransHandle& trans, const Root& root, const ExtentBuffer& buf) {
    const FsInfo& fs = root.fs;
    const Transaction* const running = fs.running_transaction;
    if (running == &trans.transaction && trans.transid == fs.generation) return true;
    root.fs.message("critical",
                    "unexpected transaction when attempting to COW block " +
                        std::to_string(buf.start.get()) + " on root " +
                        std::to_string(root.objectid) + ", transaction " +
                        std::to_string(trans.transid.get()) + " running transaction " +
                        std::to_string(running == nullptr ? 0 : running->transid.get()) +
                        " fs generation " + std::to_string(fs.generation.get()));
    abort_transaction(trans, Errno::UClean, "btrfs_cow_block");
    return false;
}

}  // namespace

// ---- paths
// ---------------------------------------------------------------------------------------------------------------------

void Path::release() {
    for (Level level = 0; level < max_level; ++level) {
        slots[level] = 0;
        if (nodes[level] == nullptr) continue;
        unlock(*nodes[level], locks[level]);
        free_extent_buffer(std::exchange(nodes[level], nullptr));
    }
}

void Path::unlock_up_safe(Level level) {
    for (; level < max_level; ++level)
        if (nodes[level] != nullptr) unlock(*nodes[level], locks[level]);
}

// ---- copy-on-write
// -------------------------------------------------------------------------------------------------------------

bool should_cow_block(const TransHandle& trans, const Root& root, const ExtentBuffer& buf) {
    if (buf.generation() != trans.transid || buf.header_flag(header_flag_written)) return true;
    if (!is_reloc(root) && buf.header_flag(header_flag_reloc)) return true;
    return root.shareable() &&
           root.state.test(root_state::force_cow);  // set on sources of snapshots only
}

Result<ExtentBuffer*> cow_block(TransHandle& trans, Root& root, ExtentBuffer& buf,
                                ExtentBuffer* parent, unsigned parent_slot, unsigned nesting) {
    if (!belongs_to_running_transaction(trans, root, buf)) return Errno::UClean;
    buf.content.read();
    if (!should_cow_block(trans, root, buf)) return &buf;
    return force_cow_block(trans, root, buf, parent, parent_slot, nesting);
}

Result<ExtentBuffer*> copy_root(TransHandle& trans, Root& root, ExtentBuffer& buf,
                                Objectid new_root_objectid) {
    const sim::Scope scope("btrfs_copy_root");
    const auto allocated =
        alloc_tree_block(trans, root, 0, new_root_objectid, buf.level(), lock_classes::NestNewRoot);
    if (!allocated) return allocated.error();
    ExtentBuffer& cow = **allocated;
    copy_block(trans, buf, cow, new_root_objectid);
    const auto referenced = inc_ref(trans, root, cow, new_root_objectid == tree_reloc_objectid);
    if (!referenced) {
        tree_unlock(cow);
        free_extent_buffer(&cow);
        abort_transaction(trans, referenced.error(), "btrfs_copy_root");
        return referenced.error();
    }
    mark_buffer_dirty(cow);
    return &cow;
}

Result<ExtentBuffer*> read_node_slot(ExtentBuffer& parent, unsigned slot, bool lockless) {
    lockless ? read_lockless(parent) : parent.content.read();
    const Level level = parent.level();
    if (slot >= parent.nritems()) return Errno::NoEnt;
    if (level == 0) {  // BUG_ON() through 6.1, an assertion later
        sim::violation("bug-on/btrfs_read_node_slot", "kernel BUG in btrfs_read_node_slot: block " +
                                                          std::to_string(parent.start.get()) +
                                                          " is a leaf");
    }
    const ParentCheck check{parent.ptr_generation(slot), static_cast<Level>(level - 1), true, true,
                            parent.key(slot)};
    return read_tree_block(parent.fs, parent.blockptr(slot), check);
}

// ---- what the other files of ctree share
// ---------------------------------------------------------------------------------------

namespace ctree {

bool fits(const ExtentBuffer& leaf, const Room& room) {
    return leaf.leaf_free_space() >= room.bytes &&
           leaf.nritems() + room.items <= layout::leaf_capacity(leaf.fs);
}

void fixup_low_keys(Path& path, const Key& key, Level level) {
    for (; level < max_level && path.nodes[level] != nullptr; ++level) {
        SIM_ASSERT(path.locks[level] == TreeLock::Write);
        layout::set_node_key(*path.nodes[level], path.slots[level], key);
        mark_buffer_dirty(*path.nodes[level]);
        if (path.slots[level] != 0) break;
    }
}

void insert_ptr(TransHandle& trans, Path& path, const Key& key, Bytenr bytenr, unsigned slot,
                Level level) {
    ExtentBuffer& node = *path.nodes[level];
    SIM_ASSERT(path.locks[level] == TreeLock::Write &&
               node.nritems() < layout::node_capacity(node.fs));
    layout::insert_ptr(node, slot, key, bytenr, trans.transid);
    mark_buffer_dirty(node);
}

void del_ptr(Root& root, Path& path, Level level, unsigned slot) {
    ExtentBuffer& node = *path.nodes[level];
    SIM_ASSERT(path.locks[level] == TreeLock::Write);
    layout::remove_ptrs(node, slot, 1);
    if (node.nritems() == 0 && &node == root.node) {
        node.header().level = node.known_level = 0;  // an empty tree is a leaf
    } else if (slot == 0) {
        fixup_low_keys(path, node.key(0), static_cast<Level>(level + 1));
    }
    mark_buffer_dirty(node);
}

Result<void> free_unlinked_block(TransHandle& trans, Root& root, ExtentBuffer& eb) {
    root_sub_used(root);
    const auto freed = free_tree_block(trans, root.objectid, eb, 0, true);
    free_extent_buffer_stale(&eb);
    if (!freed) abort_transaction(trans, freed.error(), "btrfs_free_tree_block");
    return freed;
}

void LockedSibling::drop() {
    if (eb_ == nullptr) return;
    tree_unlock(*eb_);
    free_extent_buffer(std::exchange(eb_, nullptr));
}

Result<bool> LockedSibling::cow(TransHandle& trans, Root& root, ExtentBuffer& parent, unsigned slot,
                                unsigned nesting) {
    const auto copy = cow_block(trans, root, *eb_, &parent, slot, nesting);
    if (copy) {
        eb_ = *copy;
        return true;
    }
    if (copy.error() == Errno::NoSpc) return false;  // the siblings stay as they are
    return copy.error();
}

Result<ExtentBuffer*> lock_sibling(ExtentBuffer& parent, int slot, unsigned nesting) {
    if (slot < 0 || static_cast<u32>(slot) >= parent.nritems()) return nullptr;
    const auto sibling = read_node_slot(parent, static_cast<unsigned>(slot));
    if (!sibling) return sibling;
    set_buffer_lockdep_class(**sibling, parent.owner(), (*sibling)->level());
    tree_lock(**sibling, nesting);
    (*sibling)->content.read();
    return sibling;
}

}  // namespace ctree
}  // namespace model
