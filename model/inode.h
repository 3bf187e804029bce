#pragma once
#include "model/format.h"
#include "model/objects.h"
#include "model/ordered_data.h"
#include "model/root.h"
#include "sim/rwsem.h"
#include "sim/spinlock.h"
#include "sim/waitqueue.h"

namespace model {

struct TransHandle;

/// One sector-sized page of a file's cache.
struct Page {
    Page(FsInfo& fs, u64 index);
    sim::Object obj;
    sim::Mutex lock;
    u64 word = 0;
    bool uptodate = false, dirty = false, ordered = false;
    sim::Atomic<u32> writeback;
    sim::WaitQueue writeback_wait;
};

/// fs/btrfs/btrfs_inode.h: struct btrfs_inode with its struct inode.
struct Inode {
    Inode(FsInfo& fs, Root& root, u64 ino);
    FsInfo& fs;
    Root& root;
    u64 ino;
    sim::Object obj;        // size, flags, link count: lock
    sim::RwSem lock;        // i_rwsem
    u64 i_size = 0, disk_i_size = 0, nbytes = 0, generation = 0, flags = 0, dir_index = 2;
    u32 nlink = 0, mode = 0100644;
    u32 open_count = 0;
    bool is_dir = false, evicting = false;
    sim::Object io_tree_obj;  // DELALLOC and LOCKED ranges
    sim::WaitQueue range_wait;
    Map<u64, u64> locked_ranges;    // LOCKED: start -> end (exclusive)
    Set<u64> delalloc;              // DELALLOC: page indices
    Map<u64, Page*> pages;          // by index
    sim::Spinlock ordered_tree_lock;
    Map<u64, OrderedExtent*> ordered_tree;  // by file offset
    int mapping_error = 0;          // AS_EIO
    bool nodatacow() const { return (flags & inode_nodatacow) != 0; }
    bool nodatasum() const { return (flags & inode_nodatasum) != 0; }
};

/// Sleeps until no part of the range is locked, then locks it. Mirrors lock_extent().
void lock_extent(Inode& inode, u64 start, u64 end);
void unlock_extent(Inode& inode, u64 start, u64 end);

/// The cached inode, or read from its tree. Mirrors btrfs_iget(). @return NoEnt
Result<Inode*> iget(FsInfo& fs, Root& root, u64 ino);
Result<void> update_inode(TransHandle& trans, Inode& inode);
/// Writes back delalloc in the range: finds DELALLOC, locks pages, allocates, submits. Mirrors btrfs_writepages().
Result<void> filemap_fdatawrite_range(Inode& inode, u64 start, u64 end);
void filemap_fdatawait_range(Inode& inode, u64 start, u64 end);
/// Starts delalloc of every inode of every root. @return Rofs after an fs error. Mirrors btrfs_start_delalloc_roots().
Result<void> start_delalloc_roots(FsInfo& fs);
/// Last reference and no links: truncate items, drop the orphan. Mirrors btrfs_evict_inode().
void evict_inode(Inode& inode);

}  // namespace model
