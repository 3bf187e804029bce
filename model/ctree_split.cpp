// fs/btrfs/ctree.c: splits on the way down an insertion. Left out: push_for_double_split().
#include <utility>

#include "model/ctree_internal.h"
#include "model/extent_tree.h"
#include "model/fs_info.h"
#include "sim/scheduler.h"
#include "sim/trace.h"

namespace model::ctree {
namespace {

/// How a leaf divides: items from `at` on go to the new leaf, and the path follows the insertion.
struct SplitPoint {
    unsigned at = 0;
    bool to_right = false;
};

bool part_fits(const ExtentBuffer& leaf, unsigned first, unsigned count, const Room& room) {
    return layout::leaf_space_used(leaf, first, count) + room.bytes <=
               layout::leaf_data_size(leaf) &&
           count + room.items <= layout::leaf_capacity(leaf.fs);
}

/// Whether a division at `at` makes room where it is needed. At the slot itself a new item may go
/// to either side.
bool divides_well(const ExtentBuffer& leaf, unsigned slot, const Room& room, unsigned at,
                  bool to_right) {
    const unsigned count = leaf.nritems();
    if (to_right) return slot >= at && part_fits(leaf, at, count - at, room);
    return (slot < at || (slot == at && !room.at_item)) && part_fits(leaf, 0, at, room);
}

/// The division nearest to the middle that makes room. None: a new leaf of its own at either end;
/// in the middle, the items from the slot on move away, and the next round finds the slot at an
/// end.
SplitPoint choose_split(const ExtentBuffer& leaf, unsigned slot, const Room& room) {
    const int count = static_cast<int>(leaf.nritems());
    const int middle = (count + 1) / 2;
    for (int distance = 0; distance < count; ++distance) {
        for (const int at : {middle - distance, middle + distance}) {
            if (at < 1 || at >= count) continue;
            for (const bool to_right : {true, false})
                if (divides_well(leaf, slot, room, static_cast<unsigned>(at), to_right))
                    return {static_cast<unsigned>(at), to_right};
        }
    }
    if (!room.at_item && (slot == 0 || slot == leaf.nritems())) return {slot, slot != 0};
    return slot == 0 ? SplitPoint{1, false} : SplitPoint{slot, room.at_item};
}

void hold(Path& path, Level level, ExtentBuffer& eb, bool moves_right) {
    ExtentBuffer& other = moves_right ? *std::exchange(path.nodes[level], &eb) : eb;
    tree_unlock(other);
    free_extent_buffer(&other);
    if (moves_right) ++path.slots[level + 1U];
}

/// A new leaf without items before the first or after the last item; the caller's insertion fills
/// it at once.
void add_empty_leaf(TransHandle& trans, Path& path, const Key& key, ExtentBuffer& fresh,
                    bool after) {
    const unsigned slot = path.slots[1] + (after ? 1 : 0);
    insert_ptr(trans, path, key, fresh.start, slot, 1);
    mark_buffer_dirty(fresh);
    ExtentBuffer& old = *std::exchange(path.nodes[0], &fresh);
    path.slots[0] = 0;
    path.slots[1] = slot;
    tree_unlock(old);
    free_extent_buffer(&old);
    if (slot == 0) fixup_low_keys(path, key, 1);
}

/// Mirrors copy_for_split().
void divide_leaf(TransHandle& trans, Path& path, ExtentBuffer& right, SplitPoint split) {
    ExtentBuffer& left = *path.nodes[0];
    const unsigned moved = left.nritems() - split.at;
    layout::copy_items(right, 0, left, split.at, moved);
    layout::remove_items(left, split.at, moved);
    insert_ptr(trans, path, right.key(0), right.start, path.slots[1] + 1, 1);
    mark_buffer_dirty(right);
    mark_buffer_dirty(left);
    if (split.to_right) path.slots[0] -= split.at;
    hold(path, 0, right, split.to_right);
}

/// One new leaf, beside or instead of the path's. @return Overflow when the item alone is too large
Result<void> split_leaf_once(TransHandle& trans, Root& root, const Key& key, Path& path,
                             const Room& room, unsigned nesting) {
    ExtentBuffer& leaf = *path.nodes[0];
    const bool alone = leaf.nritems() <= 1;
    if (alone && (room.at_item || leaf.nritems() == 0)) return Errno::Overflow;
    const SplitPoint split = choose_split(leaf, path.slots[0], room);
    const auto fresh = alloc_tree_block(trans, root, 0, root.objectid, 0, nesting);
    if (!fresh) return fresh.error();
    root_add_used(root);
    sim::note([&] {
        return "splits leaf " + std::to_string(leaf.start.get()) + ", new leaf " +
               std::to_string((*fresh)->start.get());
    });
    if (split.at == 0 || split.at == leaf.nritems()) {
        add_empty_leaf(trans, path, key, **fresh, split.at != 0);
    } else {
        divide_leaf(trans, path, **fresh, split);
    }
    return {};
}

/// A root above the one there is. @return Overflow when the tree has all its levels (BUG_ON() in
/// the kernel). Mirrors insert_new_root().
Result<void> insert_new_root(TransHandle& trans, Root& root, Path& path, Level level) {
    const sim::Scope scope("insert_new_root");
    if (level >= max_level) return Errno::Overflow;
    ExtentBuffer& lower = *path.nodes[level - 1];
    const auto fresh =
        alloc_tree_block(trans, root, 0, root.objectid, level, lock_classes::NestNewRoot);
    if (!fresh) return fresh.error();
    root_add_used(root);
    ExtentBuffer& node = **fresh;
    layout::insert_ptr(node, 0, lower.nritems() == 0 ? Key{} : lower.key(0), lower.start,
                       lower.generation());
    mark_buffer_dirty(node);
    extent_buffer_get(node);
    set_root_node(root, node);
    add_root_to_dirty_list(root);
    path.nodes[level] = &node;
    path.locks[level] = TreeLock::Write;
    path.slots[level] = 0;
    return {};
}

/// Moves items to a sibling instead of splitting, right first.
Result<bool> push_for_room(TransHandle& trans, Root& root, Path& path, const Room& room) {
    if (path.nodes[1] == nullptr) return false;
    const auto right = push_leaf_right(trans, root, path, room);
    if (!right || *right) return right;
    return push_leaf_left(trans, root, path, room);
}

}  // namespace

Result<void> split_node(TransHandle& trans, Root& root, Path& path, Level level) {
    const sim::Scope scope("split_node");
    if (path.nodes[level] == root.node) {
        const auto raised = insert_new_root(trans, root, path, static_cast<Level>(level + 1));
        if (!raised) return raised;
    } else {
        const auto pushed = push_nodes_for_insert(trans, root, path, level);
        if (!pushed) return pushed.error();
        if (*pushed) return {};
    }
    ExtentBuffer& node = *path.nodes[level];
    const auto fresh =
        alloc_tree_block(trans, root, 0, root.objectid, level, lock_classes::NestSplit);
    if (!fresh) return fresh.error();
    root_add_used(root);
    ExtentBuffer& right = **fresh;
    const unsigned middle = (node.nritems() + 1) / 2;
    const unsigned moved = node.nritems() - middle;
    layout::copy_ptrs(right, 0, node, middle, moved);
    layout::remove_ptrs(node, middle, moved);
    mark_buffer_dirty(node);
    mark_buffer_dirty(right);
    const auto above = static_cast<Level>(level + 1);
    insert_ptr(trans, path, right.key(0), right.start, path.slots[above] + 1, above);

    const bool moves_right = path.slots[level] >= middle;
    if (moves_right) path.slots[level] -= middle;
    hold(path, level, right, moves_right);
    return {};
}

Result<bool> split_leaf(TransHandle& trans, Root& root, const Key& key, Path& path,
                        const Room& room) {
    const sim::Scope scope("split_leaf");
    const auto pushed = push_for_room(trans, root, path, room);
    if (!pushed || *pushed) return pushed;
    unsigned nesting = lock_classes::NestSplit;
    while (!fits(*path.nodes[0], room)) {
        if (path.nodes[1] == nullptr) {
            const auto raised = insert_new_root(trans, root, path, 1);
            if (!raised) return raised.error();
        }
        if (path.nodes[1]->nritems() >= layout::node_capacity(root.fs)) return false;
        const auto split = split_leaf_once(trans, root, key, path, room, nesting);
        if (!split) return split.error();
        nesting = lock_classes::NestNewRoot;  // a second one, while the first is held
    }
    return true;
}

}  // namespace model::ctree
