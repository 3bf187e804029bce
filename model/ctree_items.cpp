// fs/btrfs/ctree.c: items of leaves. Left out: batches of items.
#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "model/ctree_internal.h"
#include "model/delete_item.h"
#include "model/fs_info.h"
#include "model/probes.h"
#include "sim/scheduler.h"
#include "sim/trace.h"

namespace model {
namespace {

const Evaluation key_order{"key-order"};

constexpr u32 item_header = sizeof(LeafItem);

ExtentBuffer& written_leaf(Path& path) {
    SIM_ASSERT(path.nodes[0] != nullptr && path.locks[0] == TreeLock::Write);
    return *path.nodes[0];
}

/// Takes an emptied leaf out of its parent. Nothing is locked any more when it is freed. Mirrors
/// btrfs_del_leaf().
Result<void> del_leaf(TransHandle& trans, Root& root, Path& path, ExtentBuffer& leaf) {
    const sim::Scope scope("btrfs_del_leaf");
    SIM_ASSERT(leaf.generation() == trans.transid);
    sim::note([&] { return "deletes leaf " + std::to_string(leaf.start.get()); });
    ctree::del_ptr(root, path, 1, path.slots[1]);
    path.unlock_up_safe(0);
    extent_buffer_get(leaf);
    return ctree::free_unlinked_block(trans, root, leaf);
}

/// At most a third full, by bytes and by the cap.
bool is_small(const ExtentBuffer& leaf) {
    const u32 count = leaf.nritems();
    const u32 cap = leaf.fs.leaf_cap;
    if (cap != 0 && count * 3 > cap) return false;
    return layout::leaf_space_used(leaf, 0, count) < layout::leaf_data_size(leaf) / 3;
}

/// Tries to get rid of a leaf that a deletion left small.
Result<void> merge_small_leaf(TransHandle& trans, Root& root, Path& path) {
    ExtentBuffer& leaf = *path.nodes[0];
    const unsigned slot = path.slots[1];  // of the leaf: the path may go to a sibling
    extent_buffer_get(leaf);
    const auto pushed = ctree::push_leaf_to_siblings(trans, root, path);
    Result<void> deleted;
    if (leaf.nritems() == 0) {
        path.slots[1] = slot;
        deleted = del_leaf(trans, root, path, leaf);
    }
    free_extent_buffer(&leaf);
    return pushed ? deleted : pushed;
}

void order_violation(const ExtentBuffer& leaf, unsigned slot, const Key& key) {
    sim::violation("key-order", "slot " + std::to_string(slot) + " of leaf " +
                                    std::to_string(leaf.start.get()) + " cannot have key " +
                                    to_string(key));
}

}  // namespace

// ---- insertion
// -----------------------------------------------------------------------------------------------------------------

void setup_item_for_insert(Root& root, Path& path, const Key& key, u32 data_size) {
    static_cast<void>(root);
    ExtentBuffer& leaf = written_leaf(path);
    const unsigned slot = path.slots[0];
    if (slot == 0) ctree::fixup_low_keys(path, key, 1);
    path.unlock_up_safe(1);
    layout::insert_item(leaf, slot, key, data_size);
    mark_buffer_dirty(leaf);
}

Result<void> insert_empty_item(TransHandle& trans, Root& root, Path& path, const Key& key,
                               u32 data_size) {
    const auto found =
        search_slot(&trans, root, key, path, static_cast<int>(data_size + item_header), true);
    if (!found) return found.error();
    if (*found) return Errno::Exist;
    setup_item_for_insert(root, path, key, data_size);
    return {};
}

Result<void> insert_item(TransHandle& trans, Root& root, const Key& key,
                         std::span<const unsigned char> data) {
    Path path;
    const auto inserted = insert_empty_item(trans, root, path, key, static_cast<u32>(data.size()));
    if (inserted && !data.empty())
        std::memcpy(path.nodes[0]->item_data(path.slots[0]), data.data(), data.size());
    return inserted;
}

Result<void> duplicate_item(TransHandle& trans, Root& root, Path& path, const Key& new_key) {
    const Key key = path.key();
    const u32 size = path.nodes[0]->item_size(path.slots[0]);
    const ctree::Room room{size + item_header, 1, true};
    if (!ctree::fits(written_leaf(path), room)) {
        const unsigned char* const data = path.nodes[0]->item_data(path.slots[0]);
        const std::vector<unsigned char> before(data, data + size);
        path.release();
        const auto found = ctree::search_slot_with_companion(trans, root, key, path, room.bytes);
        if (!found) return found.error();
        // Somebody removed or changed the item while nothing was locked: the caller looks again.
        if (!*found || path.nodes[0]->item_size(path.slots[0]) != size) return Errno::Again;
        if (!std::equal(before.begin(), before.end(), path.nodes[0]->item_data(path.slots[0])))
            return Errno::Again;
    }
    ++path.slots[0];
    setup_item_for_insert(root, path, new_key, size);
    ExtentBuffer& leaf = *path.nodes[0];
    std::memcpy(leaf.item_data(path.slots[0]), leaf.item_data(path.slots[0] - 1), size);
    return {};
}

// ---- deletion
// ------------------------------------------------------------------------------------------------------------------

Result<void> del_items(TransHandle& trans, Root& root, Path& path, unsigned slot, unsigned count) {
    ExtentBuffer& leaf = written_leaf(path);
    SIM_ASSERT(count > 0 && slot + count <= leaf.nritems());
    layout::remove_items(leaf, slot, count);
    if (leaf.nritems() == 0 && &leaf == root.node) {
        mark_buffer_dirty(leaf);
        return {};
    }
    if (leaf.nritems() == 0) {
        leaf.content.write();
        clean_tree_block(leaf);
        return del_leaf(trans, root, path, leaf);
    }
    if (slot == 0) ctree::fixup_low_keys(path, leaf.key(0), 1);
    mark_buffer_dirty(leaf);
    if (path.locks[1] != TreeLock::Write || !is_small(leaf)) return {};
    return merge_small_leaf(trans, root, path);
}

// ---- changes in place
// ----------------------------------------------------------------------------------------------------------

void extend_item(Path& path, u32 bytes) {
    ExtentBuffer& leaf = written_leaf(path);
    layout::grow_item(leaf, path.slots[0], bytes);
    mark_buffer_dirty(leaf);
}

void truncate_item(Path& path, u32 new_size, bool from_end) {
    ExtentBuffer& leaf = written_leaf(path);
    const unsigned slot = path.slots[0];
    const u32 size = leaf.item_size(slot);
    if (size == new_size) return;
    SIM_ASSERT(new_size < size);
    layout::shrink_item(leaf, slot, size - new_size, from_end);
    if (!from_end) {
        Key key = leaf.key(slot);
        key.offset += size - new_size;
        layout::set_item_key(leaf, slot, key);
        if (slot == 0) ctree::fixup_low_keys(path, key, 1);
    }
    mark_buffer_dirty(leaf);
}

void set_item_key_safe(Path& path, const Key& new_key) {
    ExtentBuffer& leaf = written_leaf(path);
    const unsigned slot = path.slots[0];
    key_order.count();
    if (slot > 0 && leaf.key(slot - 1) >= new_key) order_violation(leaf, slot, new_key);
    if (slot + 1 < leaf.nritems() && leaf.key(slot + 1) <= new_key)
        order_violation(leaf, slot, new_key);
    layout::set_item_key(leaf, slot, new_key);
    mark_buffer_dirty(leaf);
    if (slot == 0) ctree::fixup_low_keys(path, new_key, 1);
}

Result<void> delete_item(TransHandle& trans, Root& root, const Key& key) {
    Path path;
    const auto found = search_slot(&trans, root, key, path, -1, true);
    if (!found) return found.error();
    if (!*found) return Errno::NoEnt;
    return del_item(trans, root, path);
}

}  // namespace model
