// fs/btrfs/ctree.c: the way down a tree, and to the next leaf. Left out: readahead, nowait,
// searches in old versions of a tree, and the early unlocking of parents before the search in a
// leaf (search_leaf(), 5.17 on).
#include <algorithm>
#include <utility>

#include "model/ctree_internal.h"
#include "model/disk_io.h"
#include "model/fs_info.h"
#include "sim/scheduler.h"

namespace model {
namespace {

using ctree::Room;

/// One search: what btrfs_search_slot() keeps on its stack.
class Search {
  public:
    Search(TransHandle* trans, Root& root, const Key& key, Path& path, int ins_len, bool cow);
    /// Inserts next to an item that exists, in the same leaf.
    void with_companion() { companion_ = true; }
    Result<bool> run();

  private:
    enum class Step : u8 { Down, Again, Found, Missing };

    Result<Step> descend();
    Result<bool> take_root();
    ExtentBuffer& lock_root();
    Result<Step> visit();
    Result<Step> cow_here();
    Result<Step> visit_node(layout::SlotSearch at);
    Result<Step> visit_leaf(layout::SlotSearch at);
    Result<Step> reshape();
    Result<Step> take_child();
    bool needs_write_lock(int level);
    ExtentBuffer& here() { return *path_.nodes[level_]; }
    bool has_parent() const {
        return level_ + 1U < max_level && path_.nodes[level_ + 1U] != nullptr;
    }

    TransHandle* trans_;
    Root& root_;
    const Key key_;
    Path& path_;
    const int ins_len_;
    const bool cow_;
    bool companion_ = false;
    bool split_full_nodes_;
    Level level_ = 0;
    Level lowest_unlock_ = 1;
    int write_lock_level_ = 0;
    int min_write_lock_level_ = 0;
};

constexpr int no_write_locks = -1;

Search::Search(TransHandle* trans, Root& root, const Key& key, Path& path, int ins_len, bool cow)
    : trans_(trans), root_(root), key_(key), path_(path), ins_len_(ins_len), cow_(cow),
      split_full_nodes_(root.fs.node_cap == 0) {
    SIM_ASSERT(path.nodes[0] == nullptr && (!cow || trans != nullptr));
    if (path.search_commit_root) path.skip_locking = true;
    if (ins_len < 0) {
        lowest_unlock_ = 2;  // a merge changes pointers up to level two
        write_lock_level_ = 2;
    } else if (ins_len > 0) {
        write_lock_level_ = 1;  // the parent's key changes with slot 0
    }
    if (!cow) write_lock_level_ = no_write_locks;
    if (cow && (path.keep_locks || path.lowest_level != 0))
        write_lock_level_ = static_cast<int>(max_level);
    min_write_lock_level_ = write_lock_level_;
}

Result<bool> Search::run() {
    for (;;) {
        const auto end = descend();
        if (end && (*end == Step::Found || *end == Step::Missing)) return *end == Step::Found;
        path_.release();
        if (!end) return end.error();
    }
}

Result<Search::Step> Search::descend() {
    if (const auto root = take_root(); !root) return root.error();
    for (;;) {
        const auto visited = visit();
        if (!visited || *visited != Step::Down) return visited;
        const auto child = take_child();
        if (!child || *child != Step::Down) return child;
    }
}

/// From `level` on a write lock is needed. @return whether the search must begin again to get it
bool Search::needs_write_lock(int level) {
    if (write_lock_level_ >= level) return false;
    write_lock_level_ = level;
    return true;
}

// ---- the root
// ------------------------------------------------------------------------------------------------------------------

/// A read lock first: most roots are higher than what is written. Mirrors
/// btrfs_search_slot_get_root().
ExtentBuffer& Search::lock_root() {
    if (write_lock_level_ < static_cast<int>(max_level)) {
        ExtentBuffer& root = read_lock_root_node(root_);
        level_ = root.level();
        path_.nodes[level_] = &root;
        path_.locks[level_] = TreeLock::Read;
        if (level_ > write_lock_level_) return root;
        path_.release();
    }
    ExtentBuffer& root = lock_root_node(root_);
    level_ = root.level();
    path_.nodes[level_] = &root;
    path_.locks[level_] = TreeLock::Write;
    return root;
}

Result<bool> Search::take_root() {
    if (path_.need_commit_sem) {
        const sim::ReadGuard guard(root_.fs.commit_root_sem);
        root_.node_ptr.read();
        ExtentBuffer& clone = clone_extent_buffer(*root_.commit_root);
        level_ = clone.level();
        path_.nodes[level_] = &clone;
    } else if (path_.search_commit_root) {
        root_.node_ptr.read();
        extent_buffer_get(*root_.commit_root);
        level_ = root_.commit_root->level();
        path_.nodes[level_] = root_.commit_root;
    } else if (path_.skip_locking) {
        ExtentBuffer& root = root_node(root_);
        level_ = root.level();
        path_.nodes[level_] = &root;
    } else {
        lock_root();
    }
    read_content(path_, here());
    if (!here().has_flag(eb_flag::uptodate))
        return Errno::IO;  // it failed to be written some time ago
    return true;
}

// ---- one block on the way
// ------------------------------------------------------------------------------------------------------

Result<Search::Step> Search::visit() {
    if (cow_) {
        const auto copied = cow_here();
        if (!copied || *copied != Step::Down) return copied;
    }
    // A lookup changes nothing: with this block locked, its parent may go.
    if (ins_len_ == 0 && !path_.keep_locks && has_parent() &&
        path_.locks[level_ + 1U] != TreeLock::None) {
        ExtentBuffer& parent = *path_.nodes[level_ + 1U];
        const TreeLock lock = std::exchange(path_.locks[level_ + 1U], TreeLock::None);
        lock == TreeLock::Write ? tree_unlock(parent) : tree_read_unlock(parent);
    }
    const layout::SlotSearch at = layout::bin_search(here(), key_);
    return level_ == 0 ? visit_leaf(at) : visit_node(at);
}

/// Writes nothing but a copy of this transaction. Needs write locks here and on the parent.
Result<Search::Step> Search::cow_here() {
    if (!should_cow_block(*trans_, root_, here())) return Step::Down;
    const int level = level_;
    if (level > write_lock_level_ || (level + 1 > write_lock_level_ && has_parent())) {
        write_lock_level_ = level + 1;
        return Step::Again;
    }
    ExtentBuffer* const parent = has_parent() ? path_.nodes[level_ + 1U] : nullptr;
    const unsigned slot = parent == nullptr ? 0 : path_.slots[level_ + 1U];
    const auto copy = cow_block(*trans_, root_, here(), parent, slot);
    if (!copy) return copy.error();
    path_.nodes[level_] = *copy;
    return Step::Down;
}

Result<Search::Step> Search::visit_node(layout::SlotSearch at) {
    const bool before = !at.found && at.slot > 0;  // the key lies in the child before
    path_.slots[level_] = before ? at.slot - 1 : at.slot;
    const auto reshaped = reshape();
    if (!reshaped || *reshaped != Step::Down) return reshaped;
    // Slot 0 is special: if its key changes, the parent's changes too.
    if (path_.slots[level_] == 0 && ins_len_ != 0 && cow_ && needs_write_lock(level_ + 1))
        return Step::Again;
    ctree::unlock_up(path_, level_, lowest_unlock_, min_write_lock_level_, &write_lock_level_);
    if (level_ != path_.lowest_level) return Step::Down;
    if (before) ++path_.slots[level_];
    return at.found ? Step::Found : Step::Missing;
}

/// Splits a full node before an insertion below it, fills a small one before a deletion. Mirrors
/// setup_nodes_for_search(). The kernel splits nodes whether or not a leaf below will be. Under a
/// cap trees would grow too high: nodes are then split only after a leaf has found its parent full.
Result<Search::Step> Search::reshape() {
    const u32 count = here().nritems();
    const bool split = ins_len_ > 0 && split_full_nodes_ && count >= layout::full_node(root_.fs);
    const bool merge = ins_len_ < 0 && count < std::max(layout::node_capacity(root_.fs) / 2, 2U);
    if (!split && !merge) return Step::Down;
    if (needs_write_lock(level_ + 1)) return Step::Again;
    const auto done = split ? ctree::split_node(*trans_, root_, path_, level_)
                            : ctree::balance_level(*trans_, root_, path_, level_);
    if (!done) return done.error();
    return path_.nodes[level_] == nullptr ? Step::Again
                                          : Step::Down;  // null: the tree is one level lower now
}

Result<Search::Step> Search::visit_leaf(layout::SlotSearch at) {
    path_.slots[0] = at.slot;
    const Room room{static_cast<u32>(std::max(ins_len_, 0)), !at.found || companion_ ? 1U : 0U,
                    at.found};
    const bool stays_apart =
        companion_ && !at.found;  // somebody removed it: nothing to insert beside
    if (ins_len_ > 0 && !stays_apart && !ctree::fits(here(), room)) {
        if (needs_write_lock(1)) return Step::Again;
        const auto split = ctree::split_leaf(*trans_, root_, key_, path_, room);
        if (!split) return split.error();
        if (!*split) {
            split_full_nodes_ = true;
            write_lock_level_ = static_cast<int>(max_level);
            return Step::Again;
        }
    }
    ctree::unlock_up(path_, 0, lowest_unlock_, min_write_lock_level_, nullptr);
    return at.found ? Step::Found : Step::Missing;
}

Result<Search::Step> Search::take_child() {
    const auto child = ctree::read_block_for_search(path_, level_, path_.slots[level_]);
    if (!child) return child.error();
    if (*child == nullptr) return Step::Again;
    ExtentBuffer& eb = **child;
    --level_;
    path_.nodes[level_] = &eb;
    if (!path_.skip_locking) {
        set_buffer_lockdep_class(eb, root_.objectid, level_);
        const bool write = level_ <= write_lock_level_;
        write ? tree_lock(eb) : tree_read_lock(eb);
        path_.locks[level_] = write ? TreeLock::Write : TreeLock::Read;
    }
    read_content(path_, eb);
    return Step::Down;
}

// ---- the next leaf
// -------------------------------------------------------------------------------------------------------------

/// Whether the path, after searching for the last key of the former leaf again, stands on a later
/// item in its leaf already: between the two searches items may have come or gone.
bool moved_within_leaf(Path& path, bool found) {
    const u32 count = path.nodes[0]->nritems();
    if (count == 0) return false;
    if (path.slots[0] < count - 1) {
        if (found) ++path.slots[0];
        return true;
    }
    return !found && path.slots[0] == count - 1;
}

/// Lowest level whose block has a pointer after the path's; max_level: none.
Level level_with_next(const Path& path) {
    for (Level level = 1; level < max_level && path.nodes[level] != nullptr; ++level)
        if (path.slots[level] + 1 < path.nodes[level]->nritems()) return level;
    return max_level;
}

void drop_below(Path& path, Level level) {
    for (Level i = 0; i < level; ++i) {
        if (path.locks[i] == TreeLock::Read) tree_read_unlock(*path.nodes[i]);
        path.locks[i] = TreeLock::None;
        free_extent_buffer(std::exchange(path.nodes[i], nullptr));
    }
}

/// The first leaf under slots[level]. @return false: everything was let go to read a block
Result<bool> go_to_first_leaf(Root& root, Path& path, Level level) {
    while (level > 0) {
        const auto child = ctree::read_block_for_search(path, level, path.slots[level]);
        if (!child) return child.error();
        if (*child == nullptr) return false;
        --level;
        path.nodes[level] = *child;
        path.slots[level] = 0;
        if (!path.skip_locking) {
            set_buffer_lockdep_class(**child, root.objectid, level);
            tree_read_lock(**child);
            path.locks[level] = TreeLock::Read;
        }
        read_content(path, *path.nodes[level]);
    }
    return true;
}

enum class NextLeaf : u8 { There, None, Again };

Result<NextLeaf> try_next_leaf(Root& root, Path& path, const Key& last) {
    path.release();
    path.keep_locks = true;
    const auto found = search_slot(nullptr, root, last, path, 0, false);
    path.keep_locks = false;
    if (!found) return found.error();
    if (moved_within_leaf(path, *found)) return NextLeaf::There;
    const Level level = level_with_next(path);
    if (level == max_level) return NextLeaf::None;
    drop_below(path, level);  // the right neighbour is locked without the left one
    ++path.slots[level];
    const auto there = go_to_first_leaf(root, path, level);
    if (!there) return there.error();
    return *there ? NextLeaf::There : NextLeaf::Again;
}

}  // namespace

namespace ctree {

void unlock_up(Path& path, Level level, Level lowest_unlock, int min_write_lock_level,
               int* write_lock_level) {
    unsigned skip_level = level;
    bool may_skip = true;
    for (unsigned i = level;
         i < max_level && path.nodes[i] != nullptr && path.locks[i] != TreeLock::None; ++i) {
        const bool at_last = path.slots[i] + 1 >= path.nodes[i]->nritems();
        if (may_skip && (path.slots[i] == 0 || (path.keep_locks && at_last))) {
            skip_level = i + 1;
            continue;
        }
        if (i < lowest_unlock || i <= skip_level) continue;
        may_skip = false;
        path.locks[i] == TreeLock::Write ? tree_unlock(*path.nodes[i])
                                         : tree_read_unlock(*path.nodes[i]);
        path.locks[i] = TreeLock::None;
        const int unlocked = static_cast<int>(i);
        if (write_lock_level != nullptr && unlocked > min_write_lock_level &&
            unlocked <= *write_lock_level)
            *write_lock_level = unlocked - 1;
    }
}

Result<ExtentBuffer*> read_block_for_search(Path& path, Level level, unsigned slot) {
    const ExtentBuffer& parent = *path.nodes[level];
    const ParentCheck check{parent.ptr_generation(slot), static_cast<Level>(level - 1), true, true,
                            parent.key(slot)};
    const Bytenr bytenr = parent.blockptr(slot);
    Errno error{};
    if (ExtentBuffer* const cached = find_uptodate_block(parent.fs, bytenr, check, &error))
        return cached;
    if (error != Errno{}) return error;

    // Reading sleeps long: upper levels must not stay locked meanwhile. If some are, the tree may
    // be another one afterwards.
    const bool locked_above = level + 1U < max_level && path.locks[level + 1U] != TreeLock::None;
    if (locked_above) path.unlock_up_safe(static_cast<Level>(level + 1));
    const auto read = read_tree_block(parent.fs, bytenr, check);
    if (!read || !locked_above) return read;
    free_extent_buffer(*read);
    return nullptr;
}

Result<bool> search_slot_with_companion(TransHandle& trans, Root& root, const Key& key, Path& path,
                                        u32 bytes) {
    Search search(&trans, root, key, path, static_cast<int>(bytes), true);
    search.with_companion();
    return search.run();
}

}  // namespace ctree

Result<bool> search_slot(TransHandle* trans, Root& root, const Key& key, Path& path, int ins_len,
                         bool cow) {
    return Search(trans, root, key, path, ins_len, cow).run();
}

Result<bool> next_leaf(Root& root, Path& path) {
    const ExtentBuffer& leaf = *path.nodes[0];
    if (leaf.nritems() == 0) return false;
    const Key last = leaf.key(leaf.nritems() - 1);
    for (;;) {
        const auto next = try_next_leaf(root, path, last);
        if (!next) {
            path.release();
            return next.error();
        }
        if (*next == NextLeaf::Again) continue;
        ctree::unlock_up(path, 0, 1, 0, nullptr);
        return *next == NextLeaf::There;
    }
}

Result<bool> next_item(Root& root, Path& path) {
    if (++path.slots[0] < path.nodes[0]->nritems()) return true;
    return next_leaf(root, path);
}

Result<bool> search_slot_for_read(Root& root, const Key& key, Path& path, bool find_higher) {
    const auto found = search_slot(nullptr, root, key, path, 0, false);
    if (!found || *found) return found;
    if (find_higher) {
        if (path.slots[0] < path.nodes[0]->nritems()) return true;
        return next_leaf(root, path);
    }
    // A leaf begins with the key that its parent says: only the first leaf of the tree can begin
    // above the key.
    if (path.slots[0] == 0) return false;
    --path.slots[0];
    return true;
}

}  // namespace model
