// fs/btrfs/ctree.c: siblings. Leaves push items to them before a split and after a deletion, small
// nodes merge with them on the way down a deletion. What moves is decided under the siblings' locks
// and before their copies are made, so a sibling that would not change is not copied; the kernel
// copies it first.
#include <algorithm>
#include <utility>

#include "model/ctree_internal.h"
#include "model/extent_tree.h"
#include "model/fs_info.h"
#include "sim/scheduler.h"
#include "sim/trace.h"

namespace model::ctree {
namespace {

bool takes(const ExtentBuffer& leaf, u32 bytes, u32 items) {
    return fits(leaf, {bytes, items, false});
}

/// Whether `leaf` has room once only `count` of its items from `first` on are left.
bool fits_with_rest(const ExtentBuffer& leaf, unsigned first, unsigned count, const Room& room) {
    return layout::leaf_space_used(leaf, first, count) + room.bytes <=
               layout::leaf_data_size(leaf) &&
           count + room.items <= layout::leaf_capacity(leaf.fs);
}

/// The path goes on in the sibling, or the sibling is let go.
void follow_items(Path& path, Level level, LockedSibling& sibling, bool moves) {
    if (!moves) {
        sibling.drop();
        return;
    }
    ExtentBuffer* const old = std::exchange(path.nodes[level], sibling.release());
    if (old == nullptr) return;
    tree_unlock(*old);
    free_extent_buffer(old);
}

// ---- leaves
// --------------------------------------------------------------------------------------------------------------------

/// Moves the last `count` items of the path's leaf to its right sibling. Mirrors
/// __push_leaf_right().
void move_right(Path& path, LockedSibling& right, unsigned count) {
    ExtentBuffer& leaf = *path.nodes[0];
    ExtentBuffer& parent = *path.nodes[1];
    const unsigned stay = leaf.nritems() - count;
    layout::copy_items(*right, 0, leaf, stay, count);
    layout::remove_items(leaf, stay, count);
    if (stay == 0) {
        clean_tree_block(leaf);
    } else {
        mark_buffer_dirty(leaf);
    }
    mark_buffer_dirty(*right);
    layout::set_node_key(parent, path.slots[1] + 1, right->key(0));
    mark_buffer_dirty(parent);

    // An insertion moves only what lies after it; a deletion moves everything, and the path goes
    // along.
    const bool moves = stay == 0;
    if (moves) ++path.slots[1];
    follow_items(path, 0, right, moves);
}

/// Moves the first `count` items of the path's leaf to its left sibling. Mirrors
/// __push_leaf_left().
void move_left(Path& path, LockedSibling& left, unsigned count) {
    ExtentBuffer& leaf = *path.nodes[0];
    const unsigned before = left->nritems();
    layout::copy_items(*left, before, leaf, 0, count);
    layout::remove_items(leaf, 0, count);
    mark_buffer_dirty(*left);
    if (leaf.nritems() == 0) {
        clean_tree_block(leaf);
    } else {
        mark_buffer_dirty(leaf);
        fixup_low_keys(path, leaf.key(0), 1);
    }
    const bool moves = path.slots[0] < count;
    path.slots[0] = moves ? path.slots[0] + before : path.slots[0] - count;
    if (moves) --path.slots[1];
    follow_items(path, 0, left, moves);
}

/// Least number of items that must go right for `room` to fit, as far as the sibling takes them; 0:
/// impossible.
unsigned least_to_right(const ExtentBuffer& leaf, const ExtentBuffer& right, unsigned slot,
                        const Room& room) {
    const unsigned count = leaf.nritems();
    const unsigned first_movable = std::max(room.at_item ? slot + 1 : slot, 1U);
    for (unsigned moved = 1; moved + first_movable <= count; ++moved) {
        if (!takes(right, layout::leaf_space_used(leaf, count - moved, moved), moved)) return 0;
        if (fits_with_rest(leaf, 0, count - moved, room)) return moved;
    }
    return 0;
}

unsigned least_to_left(const ExtentBuffer& leaf, const ExtentBuffer& left, unsigned slot,
                       const Room& room) {
    const unsigned count = leaf.nritems();
    for (unsigned moved = 1; moved <= slot && moved < count; ++moved) {
        if (!takes(left, layout::leaf_space_used(leaf, 0, moved), moved)) return 0;
        if (fits_with_rest(leaf, moved, count - moved, room)) return moved;
    }
    return 0;
}

unsigned most_to_left(const ExtentBuffer& leaf, const ExtentBuffer& left) {
    unsigned moved = 0;
    while (moved < leaf.nritems() &&
           takes(left, layout::leaf_space_used(leaf, 0, moved + 1), moved + 1))
        ++moved;
    return moved;
}

Result<void> empty_to_left(TransHandle& trans, Root& root, Path& path) {
    ExtentBuffer& parent = *path.nodes[1];
    const int slot = static_cast<int>(path.slots[1]) - 1;
    const auto locked = lock_sibling(parent, slot, lock_classes::NestLeft);
    if (!locked) return locked.error();
    if (*locked == nullptr) return {};
    LockedSibling left(*locked);
    const unsigned moved = most_to_left(*path.nodes[0], *left);
    if (moved == 0) return {};
    const auto copied =
        left.cow(trans, root, parent, static_cast<unsigned>(slot), lock_classes::NestLeftCow);
    if (!copied) return copied.error();
    if (*copied) move_left(path, left, moved);
    return {};
}

Result<void> empty_to_right(TransHandle& trans, Root& root, Path& path) {
    ExtentBuffer& parent = *path.nodes[1];
    ExtentBuffer& leaf = *path.nodes[0];
    const int slot = static_cast<int>(path.slots[1]) + 1;
    const auto locked = lock_sibling(parent, slot, lock_classes::NestRight);
    if (!locked) return locked.error();
    if (*locked == nullptr) return {};
    LockedSibling right(*locked);
    const unsigned count = leaf.nritems();
    if (!takes(*right, layout::leaf_space_used(leaf, 0, count), count)) return {};
    const auto copied =
        right.cow(trans, root, parent, static_cast<unsigned>(slot), lock_classes::NestRightCow);
    if (!copied) return copied.error();
    if (*copied) move_right(path, right, count);
    return {};
}

// ---- nodes
// ---------------------------------------------------------------------------------------------------------------------

/// The root has one pointer left: its only child becomes the root. Mirrors the first part of
/// balance_level().
Result<void> promote_only_child(TransHandle& trans, Root& root, Path& path, Level level) {
    ExtentBuffer& old = *path.nodes[level];
    const auto locked = lock_sibling(old, 0, lock_classes::NestNormal);
    if (!locked) return locked.error();
    LockedSibling child(*locked);
    const auto copied = cow_block(trans, root, *child, &old, 0, lock_classes::NestCow);
    if (!copied) return copied.error();
    static_cast<void>(child.release());
    set_root_node(root, **copied);  // takes over the child's reference
    add_root_to_dirty_list(root);
    tree_unlock(**copied);

    path.nodes[level] = nullptr;
    path.locks[level] = TreeLock::None;
    clean_tree_block(old);
    tree_unlock(old);  // before it is freed
    return free_unlinked_block(trans, root, old);
}

/// Takes the pointer away, and frees a block that was emptied into its sibling. The block is
/// unlocked before.
Result<void> drop_emptied(TransHandle& trans, Root& root, Path& path, Level parent_level,
                          unsigned slot, ExtentBuffer& emptied) {
    clean_tree_block(emptied);
    tree_unlock(emptied);
    del_ptr(root, path, parent_level, slot);
    return free_unlinked_block(trans, root, emptied);
}

/// Pointers change hands between a small node and its siblings.
class NodeBalance {
  public:
    NodeBalance(TransHandle& trans, Root& root, Path& path, Level level)
        : trans_(trans), root_(root), path_(path), level_(level),
          above_(static_cast<Level>(level + 1)), node_(*path.nodes[level]),
          parent_(*path.nodes[level + 1U]), slot_(path.slots[level + 1U]),
          capacity_(layout::node_capacity(root.fs)), full_(layout::full_node(root.fs)) {}

    Result<void> run() {
        const auto left =
            lock_sibling(parent_, static_cast<int>(slot_) - 1, lock_classes::NestLeft);
        if (!left) return left.error();
        LockedSibling left_node(*left);
        if (*left != nullptr && (*left)->nritems() + node_.nritems() <= capacity_)
            return merge_into_left(left_node);
        const auto right =
            lock_sibling(parent_, static_cast<int>(slot_) + 1, lock_classes::NestRight);
        if (!right) return right.error();
        LockedSibling right_node(*right);
        if (*right != nullptr && (*right)->nritems() + node_.nritems() <= capacity_)
            return merge_right_into_this(right_node);
        if (*right != nullptr) return take_from_right(right_node);
        if (*left != nullptr) return take_from_left(left_node);
        return {};
    }

    /// @return whether the node has a free slot now
    Result<bool> make_room() {
        const auto left =
            lock_sibling(parent_, static_cast<int>(slot_) - 1, lock_classes::NestLeft);
        if (!left) return left.error();
        if (LockedSibling node(*left); *left != nullptr && (*left)->nritems() < full_)
            return give_to_left(node);
        const auto right =
            lock_sibling(parent_, static_cast<int>(slot_) + 1, lock_classes::NestRight);
        if (!right) return right.error();
        if (LockedSibling node(*right); *right != nullptr && (*right)->nritems() < full_)
            return give_to_right(node);
        return false;
    }

  private:
    Result<bool> cow(LockedSibling& sibling, unsigned slot, unsigned nesting) {
        return sibling.cow(trans_, root_, parent_, slot, nesting);
    }

    /// Before a deletion a lack of space is an error: a node left with one pointer would be empty
    /// after it.
    Result<void> cow_or_fail(LockedSibling& sibling, unsigned slot, unsigned nesting) {
        const auto copied = cow(sibling, slot, nesting);
        if (!copied) return copied.error();
        return *copied ? Result<void>() : Errno::NoSpc;
    }

    Result<void> merge_into_left(LockedSibling& left) {
        if (const auto copied = cow_or_fail(left, slot_ - 1, lock_classes::NestLeftCow); !copied)
            return copied;
        const unsigned before = left->nritems();
        layout::copy_ptrs(*left, before, node_, 0, node_.nritems());
        layout::remove_ptrs(node_, 0, node_.nritems());
        mark_buffer_dirty(*left);
        path_.nodes[level_] = left.release();
        path_.slots[level_] += before;
        path_.slots[above_] = slot_ - 1;
        return drop_emptied(trans_, root_, path_, above_, slot_, node_);
    }

    Result<void> merge_right_into_this(LockedSibling& right) {
        if (const auto copied = cow_or_fail(right, slot_ + 1, lock_classes::NestRightCow); !copied)
            return copied;
        layout::copy_ptrs(node_, node_.nritems(), *right, 0, right->nritems());
        layout::remove_ptrs(*right, 0, right->nritems());
        mark_buffer_dirty(node_);
        return drop_emptied(trans_, root_, path_, above_, slot_ + 1, *right.release());
    }

    Result<void> take_from_right(LockedSibling& right) {
        if (const auto copied = cow_or_fail(right, slot_ + 1, lock_classes::NestRightCow); !copied)
            return copied;
        const unsigned count = (right->nritems() - node_.nritems()) / 2;
        layout::copy_ptrs(node_, node_.nritems(), *right, 0, count);
        layout::remove_ptrs(*right, 0, count);
        layout::set_node_key(parent_, slot_ + 1, right->key(0));
        dirty(*right);
        return {};
    }

    Result<void> take_from_left(LockedSibling& left) {
        if (const auto copied = cow_or_fail(left, slot_ - 1, lock_classes::NestLeftCow); !copied)
            return copied;
        const unsigned count = (left->nritems() - node_.nritems()) / 2;
        const unsigned stay = left->nritems() - count;
        layout::copy_ptrs(node_, 0, *left, stay, count);
        layout::remove_ptrs(*left, stay, count);
        layout::set_node_key(parent_, slot_, node_.key(0));
        path_.slots[level_] += count;
        dirty(*left);
        return {};
    }

    /// Half of what the sibling has free, at least one: the path may move along.
    unsigned share(const ExtentBuffer& sibling) const {
        return (full_ - sibling.nritems() + 1) / 2;
    }

    Result<bool> give_to_left(LockedSibling& left) {
        const auto copied = cow(left, slot_ - 1, lock_classes::NestLeftCow);
        if (!copied || !*copied) return copied;
        const unsigned before = left->nritems();
        const unsigned count = share(*left);
        layout::copy_ptrs(*left, before, node_, 0, count);
        layout::remove_ptrs(node_, 0, count);
        layout::set_node_key(parent_, slot_, node_.key(0));
        dirty(*left);
        const bool moves = path_.slots[level_] < count;
        path_.slots[level_] = moves ? path_.slots[level_] + before : path_.slots[level_] - count;
        if (moves) --path_.slots[above_];
        follow_items(path_, level_, left, moves);
        return path_.nodes[level_]->nritems() < full_;
    }

    Result<bool> give_to_right(LockedSibling& right) {
        const auto copied = cow(right, slot_ + 1, lock_classes::NestRightCow);
        if (!copied || !*copied) return copied;
        const unsigned count = share(*right);
        const unsigned stay = node_.nritems() - count;
        layout::copy_ptrs(*right, 0, node_, stay, count);
        layout::remove_ptrs(node_, stay, count);
        layout::set_node_key(parent_, slot_ + 1, right->key(0));
        dirty(*right);
        const bool moves = path_.slots[level_] >= stay;
        if (moves) {
            path_.slots[level_] -= stay;
            ++path_.slots[above_];
        }
        follow_items(path_, level_, right, moves);
        return path_.nodes[level_]->nritems() < full_;
    }

    void dirty(ExtentBuffer& sibling) {
        mark_buffer_dirty(node_);
        mark_buffer_dirty(sibling);
        mark_buffer_dirty(parent_);
    }

    TransHandle& trans_;
    Root& root_;
    Path& path_;
    const Level level_;
    const Level above_;
    ExtentBuffer& node_;
    ExtentBuffer& parent_;
    const unsigned slot_;
    const u32 capacity_;
    const u32 full_;
};

}  // namespace

Result<bool> push_leaf_right(TransHandle& trans, Root& root, Path& path, const Room& room) {
    ExtentBuffer& parent = *path.nodes[1];
    const int slot = static_cast<int>(path.slots[1]) + 1;
    const auto locked = lock_sibling(parent, slot, lock_classes::NestRight);
    if (!locked) return locked.error();
    if (*locked == nullptr) return false;
    LockedSibling right(*locked);

    // A key above all others of the leaf needs no move: the right sibling takes it.
    const bool goes_there =
        path.slots[0] == path.nodes[0]->nritems() && !room.at_item && fits(*right, room);
    const unsigned moved =
        goes_there ? 0 : least_to_right(*path.nodes[0], *right, path.slots[0], room);
    if (!goes_there && moved == 0) return false;
    const auto copied =
        right.cow(trans, root, parent, static_cast<unsigned>(slot), lock_classes::NestRightCow);
    if (!copied || !*copied) return copied;
    if (goes_there) {
        path.slots[0] = 0;
        ++path.slots[1];
        follow_items(path, 0, right, true);
        return true;
    }
    move_right(path, right, moved);
    return fits(*path.nodes[0], room);
}

Result<bool> push_leaf_left(TransHandle& trans, Root& root, Path& path, const Room& room) {
    ExtentBuffer& parent = *path.nodes[1];
    const int slot = static_cast<int>(path.slots[1]) - 1;
    if (slot < 0 || path.slots[0] == 0) return false;
    const auto locked = lock_sibling(parent, slot, lock_classes::NestLeft);
    if (!locked) return locked.error();
    LockedSibling left(*locked);
    const unsigned moved = least_to_left(*path.nodes[0], *left, path.slots[0], room);
    if (moved == 0) return false;
    const auto copied =
        left.cow(trans, root, parent, static_cast<unsigned>(slot), lock_classes::NestLeftCow);
    if (!copied || !*copied) return copied;
    move_left(path, left, moved);
    return fits(*path.nodes[0], room);
}

Result<void> push_leaf_to_siblings(TransHandle& trans, Root& root, Path& path) {
    const ExtentBuffer* const leaf = path.nodes[0];
    if (const auto pushed = empty_to_left(trans, root, path); !pushed) return pushed;
    if (path.nodes[0] != leaf || leaf->nritems() == 0) return {};
    return empty_to_right(trans, root, path);
}

Result<bool> push_nodes_for_insert(TransHandle& trans, Root& root, Path& path, Level level) {
    return NodeBalance(trans, root, path, level).make_room();
}

Result<void> balance_level(TransHandle& trans, Root& root, Path& path, Level level) {
    const ExtentBuffer& node = *path.nodes[level];
    const bool is_root = level + 1U == max_level || path.nodes[level + 1U] == nullptr;
    const sim::Scope scope("balance_level");
    if (is_root) {
        if (node.nritems() != 1) return {};
        return promote_only_child(trans, root, path, level);
    }
    const u32 small = std::max(layout::node_capacity(root.fs) / 4, 1U);
    if (node.nritems() > small) return {};
    return NodeBalance(trans, root, path, level).run();
}

}  // namespace model::ctree
