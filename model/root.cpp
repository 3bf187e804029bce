// fs/btrfs/root-tree.c, and the root nodes of fs/btrfs/ctree.c and locking.c. Left out: uuids of
// subvolumes, orphans.
#include "model/root.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "model/ctree.h"
#include "model/delete_item.h"
#include "model/fs_info.h"
#include "model/invariants.h"

namespace model {
namespace {

/// Locks whatever is the root node, until it still is once it is locked. Mirrors the loops of
/// btrfs_lock_root_node().
template <class Lock, class Unlock>
ExtentBuffer& lock_current_node(Root& root, Lock&& lock, Unlock&& unlock) {
    for (;;) {
        ExtentBuffer& eb = root_node(root);
        lock(eb);
        root.node_ptr.read();
        if (&eb == root.node) return eb;
        unlock(eb);
        free_extent_buffer(&eb);
    }
}

std::vector<unsigned char> root_ref_data(u64 dirid, u64 sequence, std::string_view name) {
    const RootRefItem ref{dirid, sequence, static_cast<u16>(name.size())};
    std::vector<unsigned char> data(sizeof(ref) + name.size());
    store(data.data(), ref);
    std::memcpy(data.data() + sizeof(ref), name.data(), name.size());
    return data;
}

RootItem with_generation_v2(RootItem item) {
    item.generation_v2 =
        item.generation;  // kernels that know the second half of the item compare the two
    return item;
}

}  // namespace

Root::Root(FsInfo& owner, Objectid id)
    : fs(owner), objectid(id), root_key{id, root_item_key, 0},
      node_ptr(objects::root_node, id, this), state(0, id, objects::root_state),
      last_trans(0, id, objects::root_state),
      ordered_extent_lock(lock_classes::ordered_extent_lock, id),
      ordered_extent_mutex(lock_classes::ordered_extent_mutex, id), send_dedupe(id),
      used_obj(objects::root_used, id, this) {}

// ---- what a tree takes
// ----------------------------------------------------------------------------

namespace {

/// The global reserve is as large as these trees at least: nobody asks what others take.
bool is_asked_for(const Root& root) {
    return root.objectid == extent_tree_objectid || root.objectid == csum_tree_objectid ||
           root.objectid == root_tree_objectid;
}

void change_used(Root& root, u64 bytes) {
    if (is_asked_for(root)) sim::current().order(root.used_obj, sim::AccessKind::Add);
    root.root_item.bytes_used += bytes;
}

}  // namespace

u64 root_used(const Root& root) {
    SIM_ASSERT(is_asked_for(root));
    sim::current().order(root.used_obj, sim::AccessKind::Read);
    return root.root_item.bytes_used;
}

void root_add_used(Root& root) {
    change_used(root, root.fs.nodesize);
}

void root_sub_used(Root& root) {
    change_used(root, -u64{root.fs.nodesize});
}

// ---- the root node
// -------------------------------------------------------------------------------------------------------------

ExtentBuffer& root_node(Root& root) {
    root.node_ptr.read();
    check_used_root(root, "btrfs_root_node");
    extent_buffer_get(*root.node);
    return *root.node;
}

ExtentBuffer& lock_root_node(Root& root) {
    return lock_current_node(
        root, [](ExtentBuffer& eb) { tree_lock(eb); }, tree_unlock);
}

ExtentBuffer& read_lock_root_node(Root& root) {
    return lock_current_node(
        root, [](ExtentBuffer& eb) { tree_read_lock(eb); }, tree_read_unlock);
}

void set_root_node(Root& root, ExtentBuffer& eb) {
    root.node_ptr.write(eb.start.get());
    free_extent_buffer(std::exchange(root.node, &eb));
}

void add_root_to_dirty_list(Root& root) {
    if (!root.state.test(root_state::track_dirty) || root.state.test(root_state::dirty)) return;
    FsInfo& fs = root.fs;
    const sim::SpinGuard guard(fs.trans_lock);
    if (root.state.test_and_set(root_state::dirty)) return;
    fs.trans_obj.write();
    Vector<Root*>& list = fs.dirty_cowonly_roots;
    if (root.on_dirty_list) list.erase(std::remove(list.begin(), list.end(), &root), list.end());
    // The extent tree is written last: the others change it.
    list.insert(root.objectid == extent_tree_objectid ? list.end() : list.begin(), &root);
    root.on_dirty_list = true;
}

// ---- root items
// ----------------------------------------------------------------------------------------------------------------

Result<void> insert_root(TransHandle& trans, const Key& key, const RootItem& item) {
    const RootItem current = with_generation_v2(item);
    return insert_item(trans, *trans.fs.tree_root, key,
                       {reinterpret_cast<const unsigned char*>(&current), sizeof(current)});
}

Result<void> update_root(TransHandle& trans, const Key& key, const RootItem& item) {
    FsInfo& fs = trans.fs;
    Path path;
    const auto found = search_slot(&trans, *fs.tree_root, key, path, 0, true);
    if (!found) return found.error();
    if (!*found) {
        fs.message("critical", "unable to find root key (" + std::to_string(key.objectid) + " " +
                                   std::to_string(key.type) + " " + std::to_string(key.offset) +
                                   ") in tree " + std::to_string(fs.tree_root->objectid));
        abort_transaction(trans, Errno::UClean, "btrfs_update_root");
        return Errno::UClean;
    }
    write_item(path, with_generation_v2(item));
    return {};
}

Result<void> del_root(TransHandle& trans, const Key& key) {
    return delete_item(trans, *trans.fs.tree_root, key);
}

Result<void> find_root(Root& tree_root, const Key& key, RootItem& item, Key* found_key) {
    Path path;
    const auto found = search_slot_for_read(tree_root, key, path, false);
    if (!found) return found.error();
    if (!*found) return Errno::NoEnt;
    const Key there = path.key();
    const bool any_offset = key.offset == ~u64{0};
    if (there.objectid != key.objectid || there.type != key.type ||
        (!any_offset && there.offset != key.offset))
        return Errno::NoEnt;
    item = read_item<RootItem>(path);
    if (found_key != nullptr) *found_key = there;
    return {};
}

Result<void> add_root_ref(TransHandle& trans, u64 root_id, u64 ref_id, u64 dirid, u64 sequence,
                          std::string_view name) {
    const std::vector<unsigned char> data = root_ref_data(dirid, sequence, name);
    for (const Key& key :
         {Key{root_id, root_backref_key, ref_id}, Key{ref_id, root_ref_key, root_id}}) {
        const auto inserted = insert_item(trans, *trans.fs.tree_root, key, data);
        if (inserted) continue;
        abort_transaction(trans, inserted.error(), "btrfs_add_root_ref");
        return inserted;
    }
    return {};
}

void set_root_node_fields(RootItem& item, const ExtentBuffer& node) {
    item.bytenr = node.start.get();
    item.level = node.level();
    item.generation = node.generation().get();
}

}  // namespace model
