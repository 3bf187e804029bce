#include "model/inode.h"

#include "model/fs_info.h"
#include "sim/trace.h"

// The inode cache and inode items: fs/btrfs/inode.c, v6.1; the range locks of
// fs/btrfs/extent-io-tree.c.
//
// Left out: delayed inodes (an update writes the item at once), freeing of cached inodes that still
// have links, times.

namespace model {

Inode::Inode(FsInfo& owner, Root& tree, u64 number)
    : fs(owner), root(tree), ino(number), lock(lock_classes::inode_lock, number),
      spin(lock_classes::btrfs_inode_lock, number), obj(objects::inode, number, this),
      io_tree_lock(lock_classes::io_tree_lock, number), io_tree_obj(objects::io_tree, number, this),
      range_wait(number, "extent range"), block_rsv(RsvType::Delalloc),
      mapping_lock(lock_classes::i_pages_lock, number), mapping_obj(objects::mapping, number, this),
      page_wait(number, "page"), ordered_tree_lock(lock_classes::ordered_tree_lock, number),
      ordered_tree_obj(objects::ordered_extent, number, this) {
    block_rsv.space_info = &space_info_for(fs, bg_metadata);
}

Inode::~Inode() {
    for (const auto& [index, page] : pages)
        sim::destroy(page);
}

// ---- LOCKED ranges of the io tree
// -----------------------------------------------------------------------------------------------

bool extent_is_locked(const Inode& inode, u64 start, u64 end) {
    inode.io_tree_obj.read(start);
    const auto next = inode.locked_ranges.lower_bound(end);
    return next != inode.locked_ranges.begin() && std::prev(next)->second > start;
}

bool try_lock_extent_locked(Inode& inode, u64 start, u64 end) {
    if (extent_is_locked(inode, start, end)) return false;
    inode.io_tree_obj.write(start);
    inode.locked_ranges[start] = end;
    return true;
}

void unlock_extent_locked(Inode& inode, u64 start, u64 end) {
    inode.io_tree_obj.write(start);
    const auto range = std::prev(inode.locked_ranges.upper_bound(start));
    const auto [first, last] = *range;
    SIM_ASSERT(first <= start && end <= last);
    inode.locked_ranges.erase(range);
    if (first < start) inode.locked_ranges[first] = start;
    if (end < last) inode.locked_ranges[end] = last;
    inode.range_wait.wake_up_all();
}

void lock_extent(Inode& inode, u64 start, u64 end) {
    const sim::Scope scope("lock_extent");
    inode.range_wait.wait_event([&] {
        const sim::SpinGuard guard{inode.io_tree_lock};
        return try_lock_extent_locked(inode, start, end);
    });
}

void unlock_extent(Inode& inode, u64 start, u64 end) {
    const sim::SpinGuard guard{inode.io_tree_lock};
    unlock_extent_locked(inode, start, end);
}

// ---- the inode cache
// ------------------------------------------------------------------------------------------------------------

namespace {

constexpr u32 mode_dir = 040755, mode_private_file = 0100600;

u64 cache_key(const Inode& inode) {
    return inode.root.objectid << 32 | inode.ino;
}

}  // namespace

void update_delalloc_list(Inode& inode) {
    if (inode.in_delalloc_list != inode.delalloc.empty()) return;
    FsInfo& fs = inode.fs;
    const sim::SpinGuard guard{fs.delalloc_lock};
    fs.delalloc_inodes_obj.insert(cache_key(inode));
    inode.in_delalloc_list = !inode.delalloc.empty();
    if (inode.in_delalloc_list) {
        fs.delalloc_inodes.emplace(cache_key(inode), &inode);
    } else {
        fs.delalloc_inodes.erase(cache_key(inode));
    }
}

bool igrab(Inode& inode) {
    const sim::SpinGuard guard{inode.fs.dcache_lock};
    inode.fs.dcache_obj.insert(cache_key(inode));
    if (inode.evicting) return false;
    ++inode.refs;
    return true;
}

namespace {

/// Mirrors find_inode() with igrab().
Inode* find_cached(FsInfo& fs, u64 key) {
    const sim::SpinGuard guard{fs.dcache_lock};
    fs.dcache_obj.insert(key);
    const auto cached = fs.inodes.find(key);
    if (cached == fs.inodes.end()) return nullptr;
    ++cached->second->refs;
    return cached->second;
}

/// Whoever reads an inode first, its copy stays. Mirrors insert_inode_locked().
Inode* insert_cached(Inode* fresh) {
    FsInfo& fs = fresh->fs;
    const sim::SpinGuard guard{fs.dcache_lock};
    fs.dcache_obj.insert(cache_key(*fresh));
    const auto [place, inserted] = fs.inodes.emplace(cache_key(*fresh), fresh);
    if (inserted) {
        fresh->root.inodes_obj.insert(fresh->ino);
    } else {
        sim::destroy(fresh);
    }
    ++place->second->refs;
    return place->second;
}

void fill_from_item(Inode& inode, const InodeItem& item) {
    inode.i_size = inode.disk_i_size = item.size;
    inode.nbytes = item.nbytes;
    inode.generation = item.generation;
    inode.last_trans = item.transid;
    inode.flags = item.flags;
    inode.nlink = item.nlink;
    inode.mode = item.mode;
    inode.is_dir = (item.mode & 0170000) == 0040000;
}

/// Mirrors btrfs_read_locked_inode().
Result<Inode*> read_inode(FsInfo& fs, Root& root, u64 ino) {
    InodeItem item{};
    {
        Path path;
        const auto found = search_slot(nullptr, root, {ino, inode_item_key, 0}, path, 0, false);
        if (!found) return found.error();
        if (!*found) return Errno::NoEnt;
        item = read_item<InodeItem>(path);
    }
    Inode* const inode = sim::make<Inode>(fs, root, ino);
    fill_from_item(*inode, item);
    if (!inode->is_dir) return inode;
    const auto index = next_dir_index(root, ino);
    if (!index) {
        sim::destroy(inode);
        return index.error();
    }
    inode->dir_index = *index;
    return inode;
}

/// Takes a reference away. @return whether the caller now owns an inode that nobody finds any more
/// and that must be evicted
bool drop_reference(Inode& inode) {
    FsInfo& fs = inode.fs;
    const sim::SpinGuard guard{fs.dcache_lock};
    fs.dcache_obj.insert(cache_key(inode));
    if (--inode.refs > 0) return false;
    const sim::SpinGuard size_guard{inode.spin};
    inode.obj.read();
    if (inode.nlink > 0) return false;
    inode.evicting = true;
    inode.root.inodes_obj.insert(inode.ino);
    fs.inodes.erase(cache_key(inode));
    return true;
}

}  // namespace

Result<Inode*> iget(FsInfo& fs, Root& root, u64 ino) {
    if (Inode* const cached = find_cached(fs, root.objectid << 32 | ino)) return cached;
    const auto fresh = read_inode(fs, root, ino);
    if (!fresh) return fresh;
    return insert_cached(*fresh);
}

void iput(Inode& inode) {
    if (!drop_reference(inode)) return;
    evict_inode(inode);
    sim::destroy(&inode);
}

void add_delayed_iput(Inode& inode) {
    if (!drop_reference(inode)) return;
    Inode* const last = &inode;
    sim::current().spawn("cleaner", [last] {
        const sim::Scope scope("btrfs_run_delayed_iputs");
        const sim::MutexGuard guard{last->fs.cleaner_mutex};
        evict_inode(*last);
        sim::destroy(last);
    });
}

// ---- inode items
// ------------------------------------------------------------------------------------------------------------------

namespace {

/// Mirrors fill_inode_item().
InodeItem inode_item(const TransHandle& trans, const Inode& inode) {
    InodeItem item{};
    item.generation = inode.generation;
    item.transid = trans.transid.get();
    item.size = inode.disk_i_size;
    item.nbytes = inode.nbytes;
    item.nlink = inode.nlink;
    item.mode = inode.mode;
    item.flags = inode.flags;
    return item;
}

/// Mirrors btrfs_get_free_objectid(). The caller holds the i_rwsem of the root's directory, which
/// orders it.
Result<u64> get_free_objectid(Root& root) {
    if (root.highest_objectid == first_free_objectid) {
        Path path;
        const auto found =
            search_slot(nullptr, root, {last_free_objectid, 0xFF, ~u64{0}}, path, 0, false);
        if (!found) return found.error();
        for (; path.slots[0] > 0; --path.slots[0]) {
            const u64 objectid = path.nodes[0]->key(path.slots[0] - 1).objectid;
            if (objectid > last_free_objectid) continue;
            root.highest_objectid = std::max<u64>(objectid, first_free_objectid);
            break;
        }
    }
    return ++root.highest_objectid;
}

}  // namespace

u64 i_size_read(Inode& inode) {
    const sim::SpinGuard guard{inode.spin};
    inode.obj.read();
    return inode.i_size;
}

Result<void> update_inode(TransHandle& trans, Inode& inode) {
    const sim::Scope scope("btrfs_update_inode");
    Path path;
    const auto found =
        search_slot(&trans, inode.root, {inode.ino, inode_item_key, 0}, path, 0, true);
    if (!found) return found.error();
    if (!*found) return Errno::NoEnt;
    const sim::SpinGuard guard{inode.spin};
    inode.obj.write();
    inode.last_trans = trans.transid.get();
    write_item(path, inode_item(trans, inode));
    return {};
}

Result<Inode*> create_new_inode(TransHandle& trans, Inode& dir, std::string_view name, u64* index) {
    const sim::Scope scope("btrfs_create_new_inode");
    const auto ino = get_free_objectid(dir.root);
    if (!ino) return ino.error();
    *index = dir.dir_index++;
    Inode* const inode = sim::make<Inode>(dir.fs, dir.root, *ino);
    inode->generation = inode->last_trans = trans.transid.get();
    inode->nlink = 1;
    const InodeItem item = inode_item(trans, *inode);
    auto inserted = insert_item(trans, dir.root, {*ino, inode_item_key, 0}, bytes_of(item));
    if (inserted) inserted = insert_inode_ref(trans, dir.root, name, *ino, dir.ino, *index);
    if (inserted) return insert_cached(inode);
    abort_transaction(trans, inserted.error(), "btrfs_create_new_inode");
    sim::destroy(inode);
    return inserted.error();
}

Result<Inode*> create_nameless_inode(TransHandle& trans, Root& root, u64 flags) {
    const auto ino = get_free_objectid(root);
    if (!ino) return ino.error();
    Inode* const inode = sim::make<Inode>(root.fs, root, *ino);
    inode->generation = inode->last_trans = trans.transid.get();
    inode->flags = flags;
    inode->mode = mode_private_file;
    const InodeItem item = inode_item(trans, *inode);
    auto inserted = insert_item(trans, root, {*ino, inode_item_key, 0}, bytes_of(item));
    if (inserted) inserted = insert_orphan_item(trans, root, *ino);
    if (inserted) return insert_cached(inode);
    sim::destroy(inode);
    return inserted.error();
}

Result<void> create_subvol_root_dir(TransHandle& trans, Root& root) {
    const sim::Scope scope("btrfs_create_subvol_root");
    InodeItem item{};
    item.generation = item.transid = trans.transid.get();
    item.nlink = 1;
    item.mode = mode_dir;
    const auto inserted =
        insert_item(trans, root, {first_free_objectid, inode_item_key, 0}, bytes_of(item));
    if (!inserted) return inserted;
    return insert_inode_ref(trans, root, "..", first_free_objectid, first_free_objectid, 0);
}

// ---- names of inodes
// ----------------------------------------------------------------------------------------------------------------

namespace {

/// A directory's size is the sum of its names' lengths, once for DIR_ITEM and once for DIR_INDEX.
void change_dir_size(Inode& dir, u64 bytes) {
    const sim::SpinGuard guard{dir.spin};
    dir.obj.write();
    dir.i_size += bytes;
    dir.disk_i_size = dir.i_size;
}

void drop_nlink(Inode& inode) {
    const sim::SpinGuard guard{inode.spin};
    inode.obj.write();
    --inode.nlink;
}

Result<void> remove_name(TransHandle& trans, Inode& dir, const Inode& inode,
                         std::string_view name) {
    const auto index = del_inode_ref(trans, dir.root, name, inode.ino, dir.ino);
    if (!index) return index.error();
    const auto deleted = delete_dir_item(trans, dir.root, dir.ino, name, *index);
    if (!deleted) return deleted;
    change_dir_size(dir, 0 - u64{2} * name.size());
    return update_inode(trans, dir);
}

Result<void> drop_link(TransHandle& trans, Inode& inode) {
    drop_nlink(inode);
    const auto updated = update_inode(trans, inode);
    if (!updated) return updated;
    return insert_orphan_item(trans, inode.root,
                              inode.ino);  // no hard links: this was the last name
}

}  // namespace

Result<void> add_link(TransHandle& trans, Inode& dir, std::string_view name, const DirEntry& entry,
                      u64 index) {
    const sim::Scope scope("btrfs_add_link");
    const auto inserted = insert_dir_item(trans, dir.root, dir.ino, name, entry, index);
    if (!inserted) return inserted;
    change_dir_size(dir, u64{2} * name.size());
    return update_inode(trans, dir);
}

Result<void> unlink_inode(TransHandle& trans, Inode& dir, Inode& inode, std::string_view name) {
    const sim::Scope scope("btrfs_unlink_inode");
    auto removed = remove_name(trans, dir, inode, name);
    if (removed) removed = drop_link(trans, inode);
    if (!removed) abort_transaction(trans, removed.error(), "__btrfs_unlink_inode");
    return removed;
}

}  // namespace model
