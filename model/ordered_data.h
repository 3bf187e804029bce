#pragma once
#include "model/types.h"
#include "model/objects.h"
#include "sim/atomic.h"
#include "sim/waitqueue.h"

namespace model {

struct BlockGroup;
struct Inode;
struct Root;

namespace ordered_flag {  // BTRFS_ORDERED_*
inline constexpr unsigned regular = 0, nocow = 1, prealloc = 2, direct = 4, io_done = 5, complete = 6, ioerr = 7, pending = 11;
}

/// fs/btrfs/ordered-data.h: struct btrfs_ordered_extent. From submission to the metadata that makes the write visible.
struct OrderedExtent {
    OrderedExtent(Inode& owner, u64 offset, u64 bytes, Bytenr disk, u64 disk_bytes, u64 initial_flags);
    sim::Object obj;  // ordered_tree.lock
    Inode& inode;
    u64 file_offset, num_bytes;
    Bytenr disk_bytenr;
    u64 disk_num_bytes;
    u64 bytes_left;
    sim::AtomicBits flags;
    u32 refs = 1;
    sim::WaitQueue wait;
    Vector<u64> words;    // content by sector, for the checksums
    bool test(unsigned bit) const { return ((flags.peek() >> bit) & 1) != 0; }
};

/// Visible in the inode's tree, then on the root's list. Mirrors btrfs_add_ordered_extent().
OrderedExtent& add_ordered_extent(Inode& inode, u64 file_offset, u64 num_bytes, Bytenr disk_bytenr, u64 disk_num_bytes, u64 flags);
OrderedExtent* lookup_ordered_range(Inode& inode, u64 file_offset, u64 len);  // takes a reference
void put_ordered_extent(OrderedExtent* ordered);
/// `bytes` of the extent were written (or failed); at the last byte queues finish_ordered_io. Runs in completion context.
void mark_ordered_io_finished(Inode& inode, u64 file_offset, u64 num_bytes, bool uptodate);
/// Reference 2.2 steps 12 to 15. Mirrors btrfs_finish_ordered_io().
Result<void> finish_ordered_io(OrderedExtent& ordered);
/// Starts its writeback and sleeps until COMPLETE. Mirrors btrfs_start_ordered_extent().
void start_ordered_extent(OrderedExtent& ordered);
void wait_ordered_range(Inode& inode, u64 start, u64 len);
/// Reference 2.6: every ordered extent whose disk range overlaps [start, start+len), of all roots. @return how many were waited for
u64 wait_ordered_roots(FsInfo& fs, Bytenr start, u64 len);

}  // namespace model
