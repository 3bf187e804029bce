// The relocation trees of fs/btrfs/relocation.c, 6.1: copies of the trees that have blocks in the
// group, in which blocks are moved, and which then give the moved blocks to their trees.
//
// Left out: drop_progress (a merge that a crash interrupted begins again, and passes what it has
// done; a tree is dropped in one transaction), the reservation that a snapshot makes for a merge,
// qgroups. Who may look at a tree's relocation tree, and when, is in relocation_lifespan.cpp.
#include <algorithm>

#include "model/ctree.h"
#include "model/disk_io.h"
#include "model/drop_tree.h"
#include "model/extent_tree.h"
#include "model/fixes.h"
#include "model/fs_info.h"
#include "model/invariants.h"
#include "model/relocation_internal.h"
#include "model/tree_layout.h"
#include "sim/trace.h"

namespace model {
namespace reloc {

bool in_group(const RelocControl& rc, u64 bytenr) {
    return rc.bg != nullptr && bytenr >= rc.bg->start.get() && bytenr < rc.bg->end().get();
}

namespace {

// ---- creation
// ------------------------------------------------------------------------------------

Root& make_reloc_root(FsInfo& fs, ExtentBuffer& node, const Key& key, const RootItem& item) {
    Root& root = *sim::make<Root>(fs, tree_reloc_objectid);
    root.root_key = key;
    root.root_item = item;
    root.state.poke(u64{1} << root_state::shareable);
    extent_buffer_get(node);
    extent_buffer_get(node);
    root.node = root.commit_root = &node;
    return root;
}

/// @param node  what is copied: a root node of `from`. Mirrors create_reloc_root()
Result<Root*> create_reloc_root(TransHandle& trans, Root& from, ExtentBuffer& node,
                                Objectid objectid) {
    const sim::Scope scope("create_reloc_root");
    const bool of_subvolume = from.objectid == objectid;
    const auto copy = copy_root(trans, from, node, tree_reloc_objectid);
    if (!copy) return copy.error();
    // Every block of the committed tree may be shared from now on.
    if (of_subvolume) from.root_item.last_snapshot = node.generation().get();
    RootItem item = from.root_item;
    set_root_node_fields(item, **copy);
    if (of_subvolume) {
        item.refs = 0;
        item.drop_progress = {};
        item.drop_level = 0;
    }
    tree_unlock(**copy);
    const Key key{tree_reloc_objectid, root_item_key, objectid};
    Root& root = make_reloc_root(trans.fs, **copy, key, item);
    free_extent_buffer(*copy);
    sim::note([&] { return "copies the root of tree " + std::to_string(objectid); });
    if (const auto inserted = insert_root(trans, key, item); !inserted) return inserted.error();
    return &root;
}

void switch_commit_root(Root& reloc_root) {
    if (reloc_root.commit_root == reloc_root.node) return;
    set_root_node_fields(reloc_root.root_item, *reloc_root.node);
    extent_buffer_get(*reloc_root.node);
    free_extent_buffer(std::exchange(reloc_root.commit_root, reloc_root.node));
}

}  // namespace

void add_reloc_root(RelocControl& rc, Root& root, Root& reloc_root) {
    order_change(root);
    rc.reloc_roots.push_back(&reloc_root);
    rc.reloc_root_tree.push_back(&reloc_root);
    root.reloc_root = &reloc_root;
}

Root* find_reloc_root(const RelocControl& rc, u64 bytenr) {
    const auto found = std::ranges::find_if(rc.reloc_root_tree, [&](const Root* root) {
        return root->commit_root->start.get() == bytenr;
    });
    return found == rc.reloc_root_tree.end() ? nullptr : *found;
}

Result<Root*> subvolume_of(Root& reloc_root) {
    return get_fs_root(reloc_root.fs, reloc_root.root_key.offset);
}

// ---- before the merge
// ----------------------------------------------------------------------------

namespace {

/// References of 1 tell a mount that the merge has begun.
Result<void> announce_merge(TransHandle& trans, RelocControl& rc, bool merges) {
    for (std::size_t i = 0; i < rc.reloc_roots.size(); ++i) {
        Root& reloc_root = *rc.reloc_roots[i];
        const auto root = subvolume_of(reloc_root);
        if (!root) return root.error();
        if (merges) reloc_root.root_item.refs = 1;
        if (const auto updated = update_reloc_root(trans, **root); !updated) return updated;
    }
    return {};
}

}  // namespace

Result<void> prepare_to_merge(RelocControl& rc, Result<void> error) {
    const sim::Scope scope("prepare_to_merge");
    FsInfo& fs = rc.fs;
    rc.merging_rsv_size += fs.nodesize * (max_level - 1) * 2 + rc.nodes_relocated * 2;
    if (error) error = block_rsv_add(fs, rc.block_rsv, rc.merging_rsv_size, Flush::All);
    const auto trans = join_transaction(*fs.extent_root);
    if (!trans) return error ? trans.error() : error;
    sim::current().order(fs.reloc.obj, sim::AccessKind::Write);
    rc.merge_reloc_tree = true;
    const auto announced = announce_merge(**trans, rc, error.ok());
    if (!announced) abort_transaction(**trans, announced.error(), "prepare_to_merge");
    const auto ended = error ? commit_transaction(*trans) : end_transaction(*trans);
    if (!error) return error;
    return announced ? ended : announced;
}

// ---- the merge
// -----------------------------------------------------------------------------------

namespace {

/// One relocation tree on its way into the tree that it is a copy of. The path stands in the
/// relocation tree, without locks: nobody else changes it.
class Merge {
  public:
    Merge(RelocControl& rc, Root& root)
        : rc_(rc), root_(root), reloc_root_(*root.reloc_root),
          last_snapshot_(reloc_root_.root_item.last_snapshot) {}

    Result<void> run();

  private:
    enum class Round : u8 { Again, Done };

    Result<Round> round();
    Result<Round> merge_next(TransHandle& trans);
    bool walk_down(Result<void>& read);
    bool walk_up();
    bool next_reloc_key(Key* key) const;
    Result<bool> replace_path(TransHandle& trans, Level highest);
    Result<void> swap(TransHandle& trans, ExtentBuffer& parent, unsigned slot);
    Result<ExtentBuffer*> lock_child(ExtentBuffer& parent, unsigned slot);
    bool is_counterpart(const ExtentBuffer& parent, unsigned slot, Level highest) const;
    Result<void> cow_root_node(TransHandle& trans);
    Result<void> finish(TransHandle& trans);

    RelocControl& rc_;
    Root& root_;
    Root& reloc_root_;
    const u64 last_snapshot_;
    Path path_;
    Level level_ = 0;
    Key next_key_{};  // up to here the tree has been compared
};

/// A pointer of a new block, at level 1 or above. @return false when there is none below `level_`'s
/// node; `level_` is then one above, or unchanged at the end of the tree
bool Merge::walk_down(Result<void>& read) {
    for (Level at = level_; at > 0; --at) {
        ExtentBuffer& node = *path_.nodes[at];
        read_lockless(node);
        unsigned& slot = path_.slots[at];
        while (slot < node.nritems() && node.ptr_generation(slot).get() <= last_snapshot_)
            ++slot;
        if (slot >= node.nritems()) {
            if (at == level_) break;
            level_ = static_cast<Level>(at + 1);
            return true;
        }
        if (at == 1) {
            level_ = at;
            return true;
        }
        const auto child = read_node_slot(node, slot, true);
        if (!child) {
            read = child.error();
            return false;
        }
        path_.nodes[at - 1U] = *child;
        path_.slots[at - 1U] = 0;
    }
    return false;
}

void let_go(Path& path, Level level) {
    free_extent_buffer(std::exchange(path.nodes[level], nullptr));
    path.slots[level] = 0;
}

/// The next pointer of a new block, at `level_` or above. @return false at the end of the tree
bool Merge::walk_up() {
    for (Level at = 0; at < level_; ++at)
        if (path_.nodes[at] != nullptr) let_go(path_, at);
    for (Level at = level_; at < max_level && path_.nodes[at] != nullptr; ++at) {
        const ExtentBuffer& node = *path_.nodes[at];
        while (path_.slots[at] + 1 < node.nritems()) {
            ++path_.slots[at];
            if (node.ptr_generation(path_.slots[at]).get() <= last_snapshot_) continue;
            level_ = at;
            return true;
        }
        let_go(path_, at);
    }
    return false;
}

/// Mirrors find_next_key().
bool Merge::next_reloc_key(Key* key) const {
    for (Level at = level_; at < max_level && path_.nodes[at] != nullptr; ++at) {
        if (path_.slots[at] + 1 >= path_.nodes[at]->nritems()) continue;
        *key = path_.nodes[at]->key(path_.slots[at] + 1);
        return true;
    }
    return false;
}

Result<ExtentBuffer*> Merge::lock_child(ExtentBuffer& parent, unsigned slot) {
    const auto child = read_node_slot(parent, slot);
    if (!child) return child;
    set_buffer_lockdep_class(**child, root_.objectid, (*child)->level());
    tree_lock(**child);
    (*child)->content.read();
    return child;
}

/// Whether the pointer of the file tree is the old block that the relocation tree has a new one
/// for: nothing has changed it since.
bool Merge::is_counterpart(const ExtentBuffer& parent, unsigned slot, Level highest) const {
    const Level level = parent.level();
    if (level > highest || path_.nodes[level] == nullptr) return false;
    if (parent.ptr_generation(slot).get() > last_snapshot_) return false;
    return parent.key(slot) == path_.nodes[level]->key(path_.slots[level]);
}

/// Looks for the highest pointers that can change places: first without changing anything, then
/// with copies of the nodes on the way. @return whether something was replaced, at `level_`
Result<bool> Merge::replace_path(TransHandle& trans, Level highest) {
    const sim::Scope scope("replace_path");
    const Level lowest = level_;
    const Key key = path_.nodes[lowest]->key(path_.slots[lowest]);
    for (bool cow = false;;) {
        ExtentBuffer* parent = &lock_root_node(root_);
        const auto leave = [&parent] {
            tree_unlock(*parent);
            free_extent_buffer(parent);
        };
        parent->content.read();
        if (parent->level() < lowest) {
            leave();
            return false;
        }
        if (cow) {
            const auto copy = cow_block(trans, root_, *parent, nullptr, 0);
            if (!copy) {
                leave();
                return copy.error();
            }
            parent = *copy;
        }
        next_key_ = {~u64{0}, 0xFF, ~u64{0}};
        for (;;) {
            const layout::SlotSearch at = layout::bin_search(*parent, key);
            const unsigned slot = !at.found && at.slot > 0 ? at.slot - 1 : at.slot;
            if (slot + 1 < parent->nritems()) next_key_ = parent->key(slot + 1);
            if (is_counterpart(*parent, slot, highest)) {
                if (!cow) break;
                level_ = parent->level();
                const auto swapped = swap(trans, *parent, slot);
                leave();
                if (!swapped) return swapped.error();
                return true;
            }
            if (parent->level() <= lowest) {
                leave();
                return false;
            }
            auto child = lock_child(*parent, slot);
            if (child && cow) {
                const auto copy = cow_block(trans, root_, **child, parent, slot);
                if (!copy) {
                    tree_unlock(**child);
                    free_extent_buffer(*child);
                }
                child = copy;
            }
            leave();
            if (!child) return child.error();
            parent = *child;
        }
        leave();
        cow = true;
    }
}

/// The file tree gets the new block, the relocation tree the old one. The file tree's node is
/// locked meanwhile, and belongs to this transaction.
Result<void> Merge::swap(TransHandle& trans, ExtentBuffer& parent, unsigned slot) {
    const Level level = level_;
    const Key key = path_.nodes[level]->key(path_.slots[level]);
    path_.release();
    path_.lowest_level = level;
    const auto found = search_slot(&trans, reloc_root_, key, path_, 0, true);
    path_.lowest_level = 0;
    if (!found) return found.error();
    ExtentBuffer& node = *path_.nodes[level];
    KeyPtr& ours = parent.ptrs()[slot];
    KeyPtr& theirs = node.ptrs()[path_.slots[level]];
    const Bytenr old_block(ours.blockptr), new_block(theirs.blockptr);
    sim::note([&] {
        return "block " + std::to_string(new_block.get()) + " takes the place of " +
               std::to_string(old_block.get()) + " in tree " + std::to_string(root_.objectid);
    });
    const u64 old_generation = ours.generation;  // packed: no references to them
    ours.blockptr = new_block.get();
    ours.generation = theirs.generation;
    theirs.blockptr = old_block.get();
    theirs.generation = old_generation;
    mark_buffer_dirty(parent);
    mark_buffer_dirty(node);
    const auto below = static_cast<Level>(level - 1);
    const u64 full = node.start.get();
    const Objectid src = reloc_root_.objectid, dest = root_.objectid;
    auto queued = add_delayed_tree_ref(trans, {old_block, full, src, below}, RefAction::Add);
    if (queued) queued = add_delayed_tree_ref(trans, {new_block, 0, dest, below}, RefAction::Add);
    if (queued)
        queued = add_delayed_tree_ref(trans, {new_block, full, src, below}, RefAction::Drop);
    if (queued) queued = add_delayed_tree_ref(trans, {old_block, 0, dest, below}, RefAction::Drop);
    path_.unlock_up_safe(0);
    return queued;
}

/// The root node may be the only block to be moved.
Result<void> Merge::cow_root_node(TransHandle& trans) {
    ExtentBuffer& node = lock_root_node(root_);
    const auto copy = cow_block(trans, root_, node, nullptr, 0);
    ExtentBuffer& held = copy ? **copy : node;
    tree_unlock(held);
    free_extent_buffer(&held);
    return copy ? Result<void>{} : copy.error();
}

/// The relocation tree holds the old blocks now, and nobody needs it any more. Mirrors
/// insert_dirty_subvol(), and the end of merge_reloc_root() before d2311e698578
Result<void> Merge::finish(TransHandle& trans) {
    reloc_root_.root_item.refs = 0;
    const auto updated = update_reloc_root(trans, root_);
    if (updated) rc_.dirty_subvol_roots.push_back(&reloc_root_);
    return updated;
}

Result<Merge::Round> Merge::merge_next(TransHandle& trans) {
    const Level highest = level_;
    Result<void> read;
    if (!walk_down(read)) {
        if (!read) return read.error();
        if (const auto copied = cow_root_node(trans); !copied) return copied.error();
        if (const auto finished = finish(trans); !finished) return finished.error();
        return Round::Done;
    }
    Key key;
    const bool compared = next_reloc_key(&key) && next_key_ >= key;
    if (!compared) {
        const auto replaced = replace_path(trans, highest);
        if (!replaced) return replaced.error();
    }
    if (walk_up()) return Round::Again;
    if (const auto copied = cow_root_node(trans); !copied) return copied.error();
    if (const auto finished = finish(trans); !finished) return finished.error();
    return Round::Done;
}

/// One pointer, in a handle of its own.
Result<Merge::Round> Merge::round() {
    const u64 wanted = u64{rc_.fs.nodesize} * (max_level - 1) * 2;
    if (const auto refilled = refill(rc_, wanted, Flush::Limit); !refilled) return refilled.error();
    const auto trans = start_transaction(root_, 0);
    if (!trans) return trans.error();
    (*trans)->block_rsv = &rc_.block_rsv;
    const auto merged = merge_next(**trans);
    if (!merged) abort_transaction(**trans, merged.error(), "merge_reloc_root");
    const auto ended = end_transaction(*trans);
    if (!merged) return merged;
    if (!ended) return ended.error();
    if (rc_.stage == RelocStage::UpdateDataPtrs) wait_for_readers(root_);
    return merged;
}

Result<void> Merge::run() {
    const sim::Scope scope("merge_reloc_root");
    level_ = reloc_root_.node->level();
    extent_buffer_get(*reloc_root_.node);
    path_.nodes[level_] = reloc_root_.node;
    for (;;) {
        const auto done = round();
        if (!done) return done.error();
        if (*done == Round::Done) return {};
    }
}

/// Of a relocation that was given up: the tree has never used the copy.
void forget_reloc_root(RelocControl& rc, Root& root, Root& reloc_root) {
    order_change(root);
    if (root.reloc_root == &reloc_root) root.reloc_root = nullptr;
    set_dead(root, false);
    rc.dirty_subvol_roots.push_back(&reloc_root);
}

Root* take_reloc_root(RelocControl& rc) {
    const sim::MutexGuard guard(rc.fs.reloc_mutex);
    if (rc.reloc_roots.empty()) return nullptr;
    Root* const first = rc.reloc_roots.front();
    rc.reloc_roots.erase(rc.reloc_roots.begin());
    return first;
}

Result<void> merge_one(RelocControl& rc, Root& reloc_root) {
    const auto root = subvolume_of(reloc_root);
    if (!root) return root.error();
    if (reloc_root.root_item.refs == 0) {
        forget_reloc_root(rc, **root, reloc_root);
    } else if (const auto merged = Merge(rc, **root).run(); !merged) {
        return merged;
    }
    if (rc.fs.has(fix::delay_reloc_drop)) return {};
    return clean_dirty_subvols(rc);
}

}  // namespace

Result<void> merge_reloc_roots(RelocControl& rc) {
    const sim::Scope scope("merge_reloc_roots");
    while (Root* const reloc_root = take_reloc_root(rc)) {
        const auto merged = merge_one(rc, *reloc_root);
        if (merged) continue;
        handle_fs_error(rc.fs, merged.error(), "merge_reloc_roots");
        return merged;
    }
    return {};
}

// ---- the end of relocation trees
// -----------------------------------------------------------------

Result<void> clean_dirty_subvols(RelocControl& rc) {
    const sim::Scope scope("clean_dirty_subvols");
    while (!rc.dirty_subvol_roots.empty()) {
        Root& reloc_root = *rc.dirty_subvol_roots.front();
        rc.dirty_subvol_roots.erase(rc.dirty_subvol_roots.begin());
        const auto root = subvolume_of(reloc_root);
        if (!root) return root.error();
        if ((*root)->reloc_root == &reloc_root) forget_merged(**root);
        const auto dropped = drop_snapshot(reloc_root);
        free_reloc_root(reloc_root);
        if (!dropped) return dropped;
    }
    return {};
}

}  // namespace reloc

// ---- hooks
// ---------------------------------------------------------------------------------------

using namespace reloc;

Result<void> init_reloc_root(TransHandle& trans, Root& root) {
    FsInfo& fs = trans.fs;
    sim::current().order(fs.reloc.obj, sim::AccessKind::Read);
    RelocControl* const rc = fs.reloc.ctl;
    if (root.reloc_root != nullptr) {
        touch_reloc_root(trans, root);
        return {};
    }
    if (rc == nullptr || !rc->create_reloc_tree || is_reloc_tree(root)) return {};
    BlockRsv* const outer = std::exchange(trans.block_rsv, &rc->block_rsv);
    const auto copy = create_reloc_root(trans, root, *root.commit_root, root.objectid);
    trans.block_rsv = outer;
    if (!copy) return copy.error();
    add_reloc_root(*rc, root, **copy);
    return {};
}

Result<void> update_reloc_root(TransHandle& trans, Root& root) {
    Root* const reloc_root = live_reloc_root(root);
    if (reloc_root == nullptr) return {};
    RelocControl* const rc = trans.fs.reloc.ctl;
    check_followed(rc, "btrfs_update_reloc_root");
    if (rc->merge_reloc_tree && reloc_root->root_item.refs == 0) {
        order_change(root);
        set_dead(root, true);
        std::erase(rc->reloc_root_tree, reloc_root);
    }
    switch_commit_root(*reloc_root);
    return update_root(trans, reloc_root->root_key, reloc_root->root_item);
}

Result<void> reloc_post_snapshot(TransHandle& trans, Root& source, Root& snap) {
    RelocControl* const rc = trans.fs.reloc.ctl;
    Root* const reloc_root = live_reloc_root(source);
    if (rc == nullptr || reloc_root == nullptr) return {};
    rc->merging_rsv_size += rc->nodes_relocated;
    const auto copy = create_reloc_root(trans, *reloc_root, *reloc_root->node, snap.objectid);
    if (!copy) return copy.error();
    add_reloc_root(*rc, snap, **copy);
    return {};
}

void reloc_order_last_snapshot(const Root& root) {
    order_read(root);
}

}  // namespace model
