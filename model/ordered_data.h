#pragma once
#include "model/objects.h"
#include "model/types.h"
#include "sim/atomic.h"
#include "sim/waitqueue.h"

namespace model {

struct BlockGroup;
struct Inode;
struct Root;

namespace ordered_flag {  // BTRFS_ORDERED_*
inline constexpr unsigned regular = 0, nocow = 1, prealloc = 2, direct = 4, io_done = 5,
                          complete = 6, ioerr = 7, pending = 11;
constexpr u64 bit(unsigned flag) {
    return u64{1} << flag;
}
}  // namespace ordered_flag

/// fs/btrfs/ordered-data.h: struct btrfs_ordered_extent. From submission to the metadata that makes
/// the write visible.
struct OrderedExtent {
    OrderedExtent(Inode& owner, u64 offset, u64 bytes, Bytenr disk, u64 disk_bytes,
                  u64 initial_flags);
    sim::Object obj;  // ordered_tree.lock
    Inode& inode;
    const u64 file_offset, num_bytes;
    const Bytenr disk_bytenr;
    const u64 disk_num_bytes;
    u64 bytes_left;
    Bytenr written;  // zoned: where the drive put it, 0 before; in the completion of its bio
    /// Where the data is, once it is written.
    Bytenr place() const { return written.get() == 0 ? disk_bytenr : written; }
    sim::AtomicBits flags;
    u32 refs = 1;  // the tree's; only which drop is the last shows
    sim::WaitQueue wait;
    Vector<u32> sums;       // checksum of each sector, taken when its page is submitted
    u64 reserved_meta = 0;  // bytes of the inode's reserve that are this extent's; written before
                            // the bio is submitted
    u64 end() const { return file_offset + num_bytes; }
    Bytenr disk_end() const { return disk_bytenr + disk_num_bytes; }
    bool test(unsigned bit) const { return flags.peek_bit(bit); }
    bool is_cow() const { return !test(ordered_flag::nocow) && !test(ordered_flag::prealloc); }
};

/// Visible in the inode's tree, then on the root's list. Takes no reference: it stays while bytes
/// of it are not written. Mirrors btrfs_add_ordered_extent().
OrderedExtent& add_ordered_extent(Inode& inode, u64 file_offset, u64 num_bytes, Bytenr disk_bytenr,
                                  u64 disk_num_bytes, u64 flags);
OrderedExtent* lookup_ordered_range(Inode& inode, u64 file_offset,
                                    u64 len);  // the first that overlaps, with a reference; or null
/// The same for a caller that holds ordered_tree_lock; no reference.
OrderedExtent* find_ordered_locked(Inode& inode, u64 file_offset, u64 len);
void put_ordered_extent(OrderedExtent* ordered);
/// `bytes` of the extent were written (or failed); at the last byte queues finish_ordered_io. Runs
/// in completion context.
void mark_ordered_io_finished(Inode& inode, u64 file_offset, u64 num_bytes, bool uptodate);
/// Reference 2.2 steps 12 to 15. Mirrors btrfs_finish_ordered_io().
Result<void> finish_ordered_io(OrderedExtent& ordered);
/// Starts its writeback and sleeps until COMPLETE. Mirrors btrfs_start_ordered_extent().
void start_ordered_extent(OrderedExtent& ordered);
/// Writes the range and sleeps until its ordered extents are COMPLETE. @return IO after a write
/// error
Result<void> wait_ordered_range(Inode& inode, u64 start, u64 len);
/// Every ordered extent of the root whose disk range overlaps [start, start+len). Mirrors
/// btrfs_wait_ordered_extents().
u64 wait_ordered_extents(Root& root, Bytenr start, u64 len);
/// Reference 2.6: the same for all roots. @return how many were waited for
u64 wait_ordered_roots(FsInfo& fs, Bytenr start, u64 len);

}  // namespace model
