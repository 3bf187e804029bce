// Mirrors create_pending_snapshot() of fs/btrfs/transaction.c, and create_snapshot() and
// create_subvol() of fs/btrfs/ioctl.c, 6.1.
//
// Left out: quotas, the uuid tree, orphan cleanup of the new tree. Subvolume ids
// are counted in fs_info instead of being looked up in the tree of roots.
#include <cstring>

#include "model/ctree.h"
#include "model/dir_item.h"
#include "model/disk_io.h"
#include "model/extent_tree.h"
#include "model/fs_info.h"
#include "model/inode.h"
#include "model/relocation.h"
#include "model/transaction_internal.h"
#include "sim/hash.h"
#include "sim/trace.h"

namespace model {
namespace {

constexpr u64 any_offset = ~u64{0};
constexpr u64 subvolume_items =
    8;  // dir item and index, parent inode, root item, two root refs, uuid, source's root item

/// Mirrors btrfs_get_free_objectid() on the tree of roots.
Objectid new_subvolume_id(FsInfo& fs) {
    const sim::SpinGuard guard(fs.fs_roots_lock);
    fs.fs_roots_obj.insert(0);
    return fs.next_subvolid++;
}

/// Not random: the same in every execution that creates the tree in the same transaction.
void make_uuid(u8 (&uuid)[16], const FsInfo& fs, Objectid id, Transid transid) {
    const u64 seed = sim::hash_mix(load<u64>(fs.fsid), id);
    store(uuid, sim::hash_mix(seed, transid.get()));
    store(uuid + sizeof(u64), sim::hash_mix(seed, ~transid.get()));
}

DirEntry subvolume_entry(Objectid id) {
    return {.location = {id, root_item_key, any_offset}, .type = ft_dir};
}

// ---- snapshots
// -----------------------------------------------------------------------------------------------------------

RootItem snapshot_item(const TransHandle& trans, const Root& source, Objectid id, bool readonly) {
    RootItem item = source.root_item;
    item.flags = readonly ? item.flags | root_subvol_rdonly : item.flags & ~root_subvol_rdonly;
    std::memcpy(item.parent_uuid, source.root_item.uuid, sizeof(item.parent_uuid));
    make_uuid(item.uuid, trans.fs, id, trans.transid);
    if (!readonly) {
        std::memset(item.received_uuid, 0, sizeof(item.received_uuid));
        item.stransid = item.rtransid = 0;
    }
    item.otransid = trans.transid.get();
    return item;
}

/// Copies the source's root node for the snapshot; every block below is now shared, through the
/// references added for its children.
Result<ExtentBuffer*> copy_source_root(TransHandle& trans, Root& source, Objectid id) {
    ExtentBuffer* old = &lock_root_node(source);
    auto result = cow_block(trans, source, *old, nullptr, 0);
    if (result) {
        old = *result;
        result = copy_root(trans, source, *old, id);
    }
    tree_unlock(*old);
    free_extent_buffer(old);
    // What the commit changes in the source from here on must not touch the blocks that the
    // snapshot has.
    if (result) source.state.set_bit(root_state::force_cow);
    return result;
}

Result<void> insert_snapshot_root(TransHandle& trans, Root& source, Objectid id, bool readonly) {
    source.root_item.last_snapshot = trans.transid.get();
    RootItem item = snapshot_item(trans, source, id, readonly);
    const auto node = copy_source_root(trans, source, id);
    if (!node) return node.error();
    set_root_node_fields(item, **node);
    const auto inserted = insert_root(trans, {id, root_item_key, trans.transid.get()}, item);
    tree_unlock(**node);
    free_extent_buffer(*node);
    return inserted;
}

/// Everything that must succeed once the first tree was changed.
Result<void> build_snapshot(TransHandle& trans, PendingSnapshot& pending, Inode& dir, Objectid id,
                            u64 index) {
    FsInfo& fs = trans.fs;
    if (const auto recorded = record_root_locked(trans, *pending.source); !recorded)
        return recorded;
    if (const auto inserted = insert_snapshot_root(trans, *pending.source, id, pending.readonly);
        !inserted)
        return inserted;
    if (const auto added =
            add_root_ref(trans, id, fs.fs_root->objectid, dir.ino, index, pending.name);
        !added)
        return added;
    const auto snap = get_fs_root(fs, id);
    if (!snap) return snap.error();
    pending.snap = *snap;
    if (const auto copied = reloc_post_snapshot(trans, *pending.source, **snap); !copied)
        return copied;
    return add_link(trans, dir, pending.name, subvolume_entry(id), index);
}

Result<void> create_in_directory(TransHandle& trans, PendingSnapshot& pending, Inode& dir,
                                 Objectid id) {
    FsInfo& fs = trans.fs;
    if (const auto recorded = record_root_locked(trans, *fs.fs_root); !recorded) return recorded;
    const u64 index = dir.dir_index++;
    if (lookup_dir_item(*fs.fs_root, dir.ino, pending.name)) {
        pending.error =
            -static_cast<int>(Errno::Exist);  // the snapshot's failure only, not the transaction's
        return {};
    }
    const auto built = build_snapshot(trans, pending, dir, id, index);
    if (!built) {
        pending.error = -static_cast<int>(built.error());
        abort_transaction(trans, built.error(), "create_pending_snapshot");
    }
    return built;
}

Result<void> create_pending_snapshot(TransHandle& trans, PendingSnapshot& pending) {
    const sim::Scope scope("create_pending_snapshot");
    FsInfo& fs = trans.fs;
    const Objectid id = new_subvolume_id(fs);
    reloc_pre_snapshot(*pending.source);
    const auto dir = iget(fs, *fs.fs_root, pending.parent_dir);
    if (!dir) {
        pending.error = -static_cast<int>(dir.error());
        return {};
    }
    BlockRsv* const outer = std::exchange(trans.block_rsv, &pending.block_rsv);
    const auto created = create_in_directory(trans, pending, **dir, id);
    trans.block_rsv = outer;
    iput(**dir);
    sim::note([&] {
        return "snapshot " + std::to_string(id) + " of tree " +
               std::to_string(pending.source->objectid);
    });
    return created;
}

PendingSnapshot* take_pending(Transaction& transaction) {
    auto& list = transaction.pending_snapshots;
    if (list.empty()) return nullptr;
    PendingSnapshot* const pending = list.front();
    list.erase(list.begin());
    return pending;
}

/// Joins, hands the snapshot to whoever commits, and waits for that commit.
Result<void> commit_with_snapshot(FsInfo& fs, PendingSnapshot& pending) {
    const auto trans = start_transaction(*pending.source, 0);
    if (!trans) return trans.error();
    if (const auto recorded = record_root_in_trans(**trans, *fs.fs_root); !recorded) {
        static_cast<void>(end_transaction(*trans));
        return recorded;
    }
    (*trans)->pending_snapshot = &pending;
    const auto committed = commit_transaction(*trans);
    if (!committed) return committed;
    if (pending.error != 0) return static_cast<Errno>(-pending.error);
    return {};
}

// ---- subvolumes
// ----------------------------------------------------------------------------------------------------------

RootItem subvolume_item(const TransHandle& trans, Objectid id, const ExtentBuffer& leaf) {
    constexpr u32 directory = 040755;
    RootItem item{};
    item.inode.generation = 1;
    item.inode.size = 3;
    item.inode.nlink = 1;
    item.inode.nbytes = trans.fs.nodesize;
    item.inode.mode = directory;
    item.root_dirid = first_free_objectid;
    item.refs = 1;
    item.bytes_used = trans.fs.nodesize;
    item.otransid = trans.transid.get();
    make_uuid(item.uuid, trans.fs, id, trans.transid);
    set_root_node_fields(item, leaf);
    return item;
}

Result<RootItem> create_empty_tree(TransHandle& trans, Objectid id) {
    const auto leaf =
        alloc_tree_block(trans, *trans.fs.fs_root, 0, id, 0, lock_classes::NestNormal);
    if (!leaf) return leaf.error();
    mark_buffer_dirty(**leaf);
    const RootItem item = subvolume_item(trans, id, **leaf);
    tree_unlock(**leaf);
    free_extent_buffer(*leaf);
    return item;
}

Result<Root*> build_subvolume(TransHandle& trans, Inode& dir, Objectid id, std::string_view name) {
    FsInfo& fs = trans.fs;
    const auto item = create_empty_tree(trans, id);
    if (!item) return item.error();
    if (const auto inserted = insert_root(trans, {id, root_item_key, 0}, *item); !inserted)
        return inserted.error();
    const auto root = get_fs_root(fs, id);
    if (!root) return root.error();
    if (const auto recorded = record_root_in_trans(trans, **root); !recorded)
        return recorded.error();
    if (const auto made = create_subvol_root_dir(trans, **root); !made) return made.error();
    const u64 index = dir.dir_index++;
    if (const auto added = add_root_ref(trans, id, fs.fs_root->objectid, dir.ino, index, name);
        !added)
        return added.error();
    if (const auto linked = add_link(trans, dir, name, subvolume_entry(id), index); !linked)
        return linked.error();
    return root;
}

/// Like the kernel's, the handle charges a reserve of its own, filled before the transaction was
/// started.
Result<Root*> create_subvolume_in_trans(TransHandle* trans, Inode& dir, Objectid id,
                                        std::string_view name, BlockRsv& rsv) {
    FsInfo& fs = trans->fs;
    trans->block_rsv = &rsv;
    const auto root = build_subvolume(*trans, dir, id, name);
    trans->block_rsv = nullptr;
    block_rsv_release(fs, rsv, ~u64{0});
    if (!root) {
        abort_transaction(*trans, root.error(), "create_subvol");
        static_cast<void>(end_transaction(trans));
        return root;
    }
    if (const auto committed = commit_transaction(trans); !committed) return committed.error();
    return root;
}

}  // namespace

Result<void> create_pending_snapshots(TransHandle& trans) {
    const sim::Scope scope("create_pending_snapshots");
    while (PendingSnapshot* const pending = take_pending(trans.transaction))
        if (const auto created = create_pending_snapshot(trans, *pending); !created) return created;
    return {};
}

Result<Root*> create_snapshot(FsInfo& fs, Root& source, std::string_view name, bool readonly) {
    const sim::Scope scope("create_snapshot");
    auto* const pending = sim::make<PendingSnapshot>();
    pending->source = &source;
    pending->parent_dir = first_free_objectid;
    pending->name.assign(name);
    pending->readonly = readonly;
    auto result = block_rsv_add(fs, pending->block_rsv,
                                calc_insert_metadata_size(fs, subvolume_items), Flush::All);
    if (result) result = commit_with_snapshot(fs, *pending);
    block_rsv_release(fs, pending->block_rsv, ~u64{0});
    Root* const snap = pending->snap;
    sim::destroy(pending);
    if (!result) return result.error();
    return snap;
}

Result<Root*> create_subvol(FsInfo& fs, std::string_view name) {
    const sim::Scope scope("create_subvol");
    if (lookup_dir_item(*fs.fs_root, first_free_objectid, name)) return Errno::Exist;
    const auto dir = iget(fs, *fs.fs_root, first_free_objectid);
    if (!dir) return dir.error();
    const Objectid id = new_subvolume_id(fs);
    auto* const rsv = sim::make<BlockRsv>();
    Result<Root*> root = Errno::NoSpc;
    if (block_rsv_add(fs, *rsv, calc_insert_metadata_size(fs, subvolume_items), Flush::All)) {
        const auto trans = start_transaction(*fs.fs_root, 0);
        root = trans ? create_subvolume_in_trans(*trans, **dir, id, name, *rsv)
                     : Result<Root*>(trans.error());
        block_rsv_release(fs, *rsv, ~u64{0});
    }
    sim::destroy(rsv);
    iput(**dir);
    return root;
}

}  // namespace model
