#pragma once
#include <array>
#include <span>

#include "model/extent_buffer.h"

namespace model {

struct Root;
struct TransHandle;

enum class TreeLock : u8 { None, Read, Write };

/// Where a search stands: fs/btrfs/ctree.h, struct btrfs_path. Releases its locks and references
/// when it goes.
struct Path {
    Path() = default;
    ~Path() { release(); }
    Path(const Path&) = delete;
    Path& operator=(const Path&) = delete;

    std::array<ExtentBuffer*, max_level> nodes{};
    std::array<unsigned, max_level> slots{};
    std::array<TreeLock, max_level> locks{};
    Level lowest_level = 0;
    bool search_commit_root = false;  // the tree as of the last commit, without locks
    bool skip_locking = false;
    bool keep_locks = false;
    /// Blocks of a commit root may be written meanwhile, header flags at least: reads without locks
    /// are ordered with what others do, and not checked for races.
    bool lockless = false;
    /// Send: the commit root is cloned under commit_root_sem, which is not held on the way down.
    bool need_commit_sem = false;

    /// The commit root as it is read without locks.
    void use_commit_root() { search_commit_root = skip_locking = lockless = true; }
    void release();                    // btrfs_release_path: locks and references, from the leaf up
    void unlock_up_safe(Level level);  // unlocks `level` and all above; the references stay.
                                       // unlock_up_safe(1) keeps the leaf
    Key key(Level level = 0) const { return nodes[level]->key(slots[level]); }
};

/// fs/btrfs/ctree.c: btrfs_search_slot(). ins_len > 0: bytes that will be inserted (item header
/// included); < 0: deletion; 0: lookup. If the key is found and ins_len > 0, the item can grow by
/// ins_len bytes.
/// @param cow  copy every block on the way that belongs to an older transaction
/// @return true if the key was found; false: path stands where it would be inserted. On an error
/// the path is released. May sleep on locks and reads.
Result<bool> search_slot(TransHandle* trans, Root& root, const Key& key, Path& path, int ins_len,
                         bool cow);

/// Makes room for one item at the path of a search with ins_len and cow; leaves it at slots[0] with
/// uninitialised data.
void setup_item_for_insert(Root& root, Path& path, const Key& key, u32 data_size);
/// search_slot() and setup_item_for_insert(). @return Exist if the key is there
Result<void> insert_empty_item(TransHandle& trans, Root& root, Path& path, const Key& key,
                               u32 data_size);
Result<void> insert_item(TransHandle& trans, Root& root, const Key& key,
                         std::span<const unsigned char> data);
/// Deletes `count` items from slots[0] on; an emptied leaf goes, a small one merges. Mirrors
/// btrfs_del_items().
Result<void> del_items(TransHandle& trans, Root& root, Path& path, unsigned slot, unsigned count);
inline Result<void> del_item(TransHandle& trans, Root& root, Path& path) {
    return del_items(trans, root, path, path.slots[0], 1);
}
void extend_item(Path& path,
                 u32 bytes);  // grows at the end; room must have been asked for in the search
/// Keeps the beginning (from_end) or the end of an item; in the latter case key.offset grows by
/// what goes, as in the kernel.
void truncate_item(Path& path, u32 new_size, bool from_end);
/// A copy of the item at the path, right after it, under a key that fits there; the path moves to
/// it.
Result<void> duplicate_item(TransHandle& trans, Root& root, Path& path, const Key& new_key);
void set_item_key_safe(Path& path, const Key& new_key);
/// Step to the next leaf (or item). @return false at the end of the tree. May release and search
/// again.
Result<bool> next_leaf(Root& root, Path& path);
Result<bool> next_item(Root& root, Path& path);
/// find_higher: the first item with a key not below `key`; otherwise the last with a key not above
/// it. @return whether there is one Mirrors btrfs_search_slot_for_read() with return_any 0.
Result<bool> search_slot_for_read(Root& root, const Key& key, Path& path, bool find_higher);

/// Copies one block that the caller has write-locked, parent too, unless it needs no copy: then the
/// block itself comes back. The copy is write-locked and takes over the caller's reference; the old
/// block is unlocked. Mirrors btrfs_cow_block() with
/// __btrfs_cow_block() (btrfs_force_cow_block() later).
Result<ExtentBuffer*> cow_block(TransHandle& trans, Root& root, ExtentBuffer& buf,
                                ExtentBuffer* parent, unsigned parent_slot,
                                unsigned nesting = lock_classes::NestCow);
bool should_cow_block(const TransHandle& trans, const Root& root, const ExtentBuffer& buf);
/// New root node for a snapshot: a copy owned by `new_root_objectid`, write-locked, with a
/// reference. Mirrors btrfs_copy_root().
Result<ExtentBuffer*> copy_root(TransHandle& trans, Root& root, ExtentBuffer& buf,
                                Objectid new_root_objectid);

/// Reads the child at parent.slot, checks bytenr, generation, level and first key as the kernel of
/// `fs` does. Takes a reference.
/// @param lockless  nobody has locked the parent
Result<ExtentBuffer*> read_node_slot(ExtentBuffer& parent, unsigned slot, bool lockless = false);

/// Records that the path looks into a block.
inline void read_content(const Path& path, const ExtentBuffer& eb) {
    path.lockless ? read_lockless(eb) : eb.content.read();
}
/// Reads an item's structure at the path's leaf.
template <class T> T read_item(const Path& path) {
    read_content(path, *path.nodes[0]);
    return load<T>(path.nodes[0]->item_data(path.slots[0]));
}
/// Writes an item's structure in place; the leaf is write-locked and of this transaction. Marks it
/// dirty.
template <class T> void write_item(const Path& path, const T& value) {
    path.nodes[0]->content.write();
    store(path.nodes[0]->item_data(path.slots[0]), value);
    mark_buffer_dirty(*path.nodes[0]);
}

}  // namespace model
