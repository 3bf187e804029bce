#pragma once
#include <string_view>

#include "model/block_rsv.h"
#include "model/dir_item.h"
#include "model/format.h"
#include "model/objects.h"
#include "model/ordered_data.h"
#include "model/root.h"
#include "sim/rwsem.h"
#include "sim/spinlock.h"
#include "sim/waitqueue.h"

namespace model {

struct TransHandle;

/// One sector-sized page of a file's cache. Its PG_locked, dirty and writeback bits are the inode's
/// sets of indices, so that a range changes in one section; pages live as long as their inode.
struct Page {
    explicit Page(u64 index) : obj(objects::page, index, this) {}
    sim::Object obj;  // word, uptodate: the page lock
    u64 word = 0;     // the sector's content: this word 512 times
    bool uptodate = false;
};

/// fs/btrfs/btrfs_inode.h: struct btrfs_inode with its struct inode and address space.
struct Inode {
    Inode(FsInfo& fs, Root& root, u64 ino);
    ~Inode();
    FsInfo& fs;
    Root& root;
    const u64 ino;

    sim::RwSem lock;     // i_rwsem
    sim::Spinlock spin;  // btrfs_inode->lock, and the seqcount of i_size
    sim::Object obj;     // the fields below: spin
    u64 i_size = 0, disk_i_size = 0, nbytes = 0, generation = 0, flags = 0, last_trans = 0;
    u32 nlink = 0, mode = 0100644;
    bool is_dir = false;
    u64 dir_index = 2;  // directories: index of the next name; i_rwsem

    u64 index_cnt = 0;  // the relocation inode: where the group begins that it is a copy of

    u32 refs = 0;  // i_count: fs.dcache_lock
    bool evicting = false;

    sim::Spinlock io_tree_lock;
    sim::Object io_tree_obj;
    sim::WaitQueue range_wait;
    Map<u64, u64> locked_ranges;  // LOCKED: start -> end (exclusive)
    Map<u64, u64> delalloc;       // DELALLOC: page index -> bytes of metadata reserved with it
    bool in_delalloc_list = false;
    BlockRsv block_rsv;  // metadata for delalloc until its extents are recorded

    sim::Spinlock mapping_lock;  // the i_pages lock of the address space
    sim::Object mapping_obj;
    sim::WaitQueue page_wait;  // page locks and writeback: the kernel's hashed page wait queues
    Map<u64, Page*> pages;     // by index
    Set<u64> locked_pages, dirty_pages, writeback_pages;
    int mapping_error = 0;  // AS_EIO, AS_ENOSPC: errno, negative; reported by the next fsync

    sim::Spinlock ordered_tree_lock;
    sim::Object ordered_tree_obj;
    Map<u64, OrderedExtent*> ordered_tree;  // by file offset

    bool nodatacow() const { return (flags & inode_nodatacow) != 0; }
    bool nodatasum() const { return (flags & inode_nodatasum) != 0; }
};

/// Sleeps until no part of the range is locked, then locks it. Mirrors lock_extent().
void lock_extent(Inode& inode, u64 start, u64 end);
void unlock_extent(Inode& inode, u64 start, u64 end);
bool extent_is_locked(const Inode& inode, u64 start, u64 end);  // io_tree_lock held
/// lock_extent() for a caller that holds io_tree_lock. @return false if a part is locked
bool try_lock_extent_locked(Inode& inode, u64 start, u64 end);
void unlock_extent_locked(Inode& inode, u64 start, u64 end);

/// Holds i_rwsem exclusively for a scope: directories as lockdep's parents, files as children.
class [[nodiscard]] InodeGuard {
  public:
    explicit InodeGuard(Inode& inode, sim::Where where = sim::Where::current()) : inode_(inode) {
        inode.lock.down_write(inode.is_dir ? 0 : 1, where);
    }
    ~InodeGuard() { inode_.lock.up_write(); }
    InodeGuard(const InodeGuard&) = delete;
    InodeGuard& operator=(const InodeGuard&) = delete;

  private:
    Inode& inode_;
};

/// The cached inode, or read from its tree; with a reference. Mirrors btrfs_iget(). @return NoEnt
Result<Inode*> iget(FsInfo& fs, Root& root, u64 ino);
/// Drops a reference; the last one of a file without links evicts it, here. Never from a
/// destructor: it sleeps. Mirrors iput().
void iput(Inode& inode);
/// The same from a context that must not truncate: the cleaner evicts. Mirrors
/// btrfs_add_delayed_iput().
void add_delayed_iput(Inode& inode);

/// A file's size, in bytes: under the spinlock here, by a seqcount in the kernel.
u64 i_size_read(Inode& inode);

/// Writes the INODE_ITEM as the memory says. Delayed inodes are left out. Mirrors
/// btrfs_update_inode().
Result<void> update_inode(TransHandle& trans, Inode& inode);
/// A new inode of `root` with its INODE_ITEM; for a file of `dir` with its INODE_REF too. Mirrors
/// btrfs_create_new_inode().
Result<Inode*> create_new_inode(TransHandle& trans, Inode& dir, std::string_view name, u64* index);
/// A file without a name, with its INODE_ITEM and its orphan item: it goes with its last reference.
/// Mirrors __insert_orphan_inode() and what create_reloc_inode() does around it.
Result<Inode*> create_nameless_inode(TransHandle& trans, Root& root, u64 flags);
/// The directory 256 of a new subvolume: INODE_ITEM and INODE_REF "..". Mirrors
/// btrfs_create_subvol_root().
Result<void> create_subvol_root_dir(TransHandle& trans, Root& root);
/// DIR_ITEM, DIR_INDEX, and the directory's size. The caller holds dir.lock, or is the committer.
/// Mirrors btrfs_add_link().
Result<void> add_link(TransHandle& trans, Inode& dir, std::string_view name, const DirEntry& entry,
                      u64 index);
/// Takes the name away and the file's link count down; at zero links the orphan item goes in.
/// Mirrors btrfs_unlink().
Result<void> unlink_inode(TransHandle& trans, Inode& dir, Inode& inode, std::string_view name);

// ---- file.cpp
// ------------------------------------------------------------------------------------------------------------

/// Writes back dirty pages in the range: finds DELALLOC, locks pages, allocates, submits; does not
/// wait. Mirrors btrfs_writepages().
Result<void> filemap_fdatawrite_range(Inode& inode, u64 start, u64 end);
/// Sleeps until no page of the range is under writeback. @return the error that writeback left,
/// once
Result<void> filemap_fdatawait_range(Inode& inode, u64 start, u64 end);
/// Takes a reference. @return false when the inode is being evicted
bool igrab(Inode& inode);
/// Lists the inode among those with delalloc, or not any more, after a change of that; the caller
/// holds io_tree_lock. Mirrors btrfs_add_delalloc_inodes() and btrfs_del_delalloc_inode().
void update_delalloc_list(Inode& inode);
/// Starts delalloc of every inode of every root. @return Rofs after an fs error. Mirrors
/// btrfs_start_delalloc_roots().
Result<void> start_delalloc_roots(FsInfo& fs);

// ---- inode_truncate.cpp
// -----------------------------------------------------------------------------------------------------

struct TruncateProgress {
    u64 sub_bytes = 0;    // allocated space that left the file
    u64 last_size = 0;    // the file's size if the rest never happens
    Result<void> result;  // Again or NoSpc: end the transaction and go on in another
};
/// Deletes the inode's items from the end down: EXTENT_DATA from new_size on, and with
/// `whole_inode` everything. Mirrors btrfs_truncate_inode_items().
TruncateProgress truncate_inode_items(TransHandle& trans, Root& root, u64 ino, u64 new_size,
                                      bool whole_inode);
/// The size of a file, down or up. The caller holds inode.lock. Mirrors btrfs_setsize().
Result<void> setsize(Inode& inode, u64 new_size);
/// Last reference and no links: truncate items, drop the orphan. Mirrors btrfs_evict_inode().
void evict_inode(Inode& inode);

}  // namespace model
