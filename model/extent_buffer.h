#pragma once
#include "model/format.h"
#include "model/objects.h"
#include "sim/atomic.h"
#include "sim/rwsem.h"
#include "sim/wait_bit.h"

namespace model {

struct Transaction;

/// Bits of ExtentBuffer::bflags, named after EXTENT_BUFFER_*.
namespace eb_flag {
inline constexpr unsigned uptodate = 0, dirty = 1, corrupt = 2, tree_ref = 4, stale = 5,
                          read_err = 7, write_err = 8, in_tree = 9, unmapped = 10;
/// EXTENT_BUFFER_NO_CHECK; since 6.8 EXTENT_BUFFER_ZONED_ZEROOUT: nobody needs the block any more,
/// it is written for its place in the zone alone.
inline constexpr unsigned zoned_zeroout = 12;
/// No bit: the key of the header in bflags' object, for those who read it while the writer may zero
/// it.
inline constexpr unsigned header = 63;
}  // namespace eb_flag

/// A tree block in memory: fs/btrfs/extent_io.h, struct extent_buffer. One live object for each
/// logical address: a freed address that is allocated again while somebody still holds the old
/// buffer is the same object.
struct ExtentBuffer {
    ExtentBuffer(FsInfo& fs, Bytenr start);
    ~ExtentBuffer();

    FsInfo& fs;
    sim::Object content;  // what the bytes say; protected by `lock`
    Bytenr start;
    u32 len;              // fs.nodesize
    unsigned char* data;  // len bytes in the arena: the on-disk image, header included
    sim::AtomicBits bflags;
    sim::RwSem lock;
    // EXTENT_BUFFER_WRITEBACK, and EXTENT_BUFFER_READING (6.8): one reader fills the buffer, others
    // wait; it stands for the page locks of earlier kernels.
    sim::WaitBit writeback, reading;
    u32 refs = 0;  // under the (unmodelled) refs_lock; ordered by the stale bit
    int log_index = -1;
    bool on_releasing_list = false;  // Transaction::releasing_ebs
    Level known_level = 0;  // for checks: what the header's level is, or was when it was zeroed
    bool order_unchecked = false;  // invariants: its keys changed under the write lock that is held

    // Header fields, in the bytes themselves. Reading them is an access of `content` only through
    // the functions of ctree.
    const HeaderItem& header() const { return *reinterpret_cast<const HeaderItem*>(data); }
    HeaderItem& header() { return *reinterpret_cast<HeaderItem*>(data); }
    Level level() const { return header().level; }
    u32 nritems() const { return header().nritems; }
    Transid generation() const { return Transid(header().generation); }
    Objectid owner() const { return header().owner; }
    bool header_flag(u64 flag) const { return (header().flags & flag) != 0; }
    u8 backref_rev() const { return static_cast<u8>(header().flags >> 56); }

    /// The header is about to be read by somebody who has the block: of one that the writer may
    /// zero that is an access, and a scheduling point, since the writer does not take the tree
    /// lock.
    void look_at_header() const {
        if (has_flag(eb_flag::zoned_zeroout)) bflags.lookup(eb_flag::header);
    }
    /// The writer's side of it; no scheduling point.
    void change_header();

    /// A flag as it stands, without an access: for what the tree lock or the count of references
    /// orders (DIRTY, STALE, TREE_REF, IN_TREE), and for checks.
    bool has_flag(unsigned bit) const { return bflags.peek_bit(bit); }

    // Slots: KeyPtr in nodes, LeafItem in leaves. No access recording, no bounds beyond assertions.
    Key key(unsigned slot) const { return load<DiskKey>(slot_address(slot)).cpu(); }
    Bytenr blockptr(unsigned slot) const { return Bytenr(ptrs()[slot].blockptr); }
    Transid ptr_generation(unsigned slot) const { return Transid(ptrs()[slot].generation); }
    unsigned char* item_data(unsigned slot) {
        return data + sizeof(HeaderItem) + items()[slot].offset;
    }
    const unsigned char* item_data(unsigned slot) const {
        return data + sizeof(HeaderItem) + items()[slot].offset;
    }
    u32 item_size(unsigned slot) const { return items()[slot].size; }
    u32 leaf_free_space() const;  // bytes, by the real packing

    KeyPtr* ptrs() { return reinterpret_cast<KeyPtr*>(data + sizeof(HeaderItem)); }
    const KeyPtr* ptrs() const {
        return reinterpret_cast<const KeyPtr*>(data + sizeof(HeaderItem));
    }
    LeafItem* items() { return reinterpret_cast<LeafItem*>(data + sizeof(HeaderItem)); }
    const LeafItem* items() const {
        return reinterpret_cast<const LeafItem*>(data + sizeof(HeaderItem));
    }
    std::size_t slot_bytes() const { return level() == 0 ? sizeof(LeafItem) : sizeof(KeyPtr); }
    const unsigned char* slot_address(unsigned slot) const {
        return data + sizeof(HeaderItem) + slot * slot_bytes();
    }
};

/// Somebody who holds no lock looks into the block: no step of its own, and no race with writers,
/// but ordered with them.
void read_lockless(const ExtentBuffer& eb);
/// A hit in the cache takes a reference; null when absent. Mirrors find_extent_buffer().
ExtentBuffer* find_extent_buffer(FsInfo& fs, Bytenr start);
/// Hit or create, with a reference. A new buffer is zeroed and not up to date. Mirrors
/// alloc_extent_buffer().
ExtentBuffer& alloc_extent_buffer(FsInfo& fs, Bytenr start);
/// Drops a reference; a stale, clean buffer without other holders leaves the cache. Mirrors
/// free_extent_buffer().
void free_extent_buffer(ExtentBuffer* eb);
void free_extent_buffer_stale(ExtentBuffer* eb);
void extent_buffer_get(ExtentBuffer& eb);
/// Private copy, not in the cache. Mirrors btrfs_clone_extent_buffer().
ExtentBuffer& clone_extent_buffer(const ExtentBuffer& eb);

// model/locking: fs/btrfs/locking.c. Sleeping locks of tree blocks, lock class by tree and level.
void tree_lock(ExtentBuffer& eb, unsigned nesting = lock_classes::NestNormal,
               sim::Where where = sim::Where::current());
void tree_unlock(ExtentBuffer& eb);
void tree_read_lock(ExtentBuffer& eb, unsigned nesting = lock_classes::NestNormal,
                    sim::Where where = sim::Where::current());
bool try_tree_read_lock(ExtentBuffer& eb, sim::Where where = sim::Where::current());
void tree_read_unlock(ExtentBuffer& eb);
/// Sets the lock's class after the header of a new or re-used buffer was written. Mirrors
/// btrfs_set_buffer_lockdep_class().
void set_buffer_lockdep_class(ExtentBuffer& eb, Objectid owner, Level level);

/// Marks a buffer of the running transaction dirty; its write lock is held. Mirrors
/// btrfs_mark_buffer_dirty().
void mark_buffer_dirty(ExtentBuffer& eb);
/// Clears DIRTY if the buffer was born in the running transaction; on zoned devices, since 6.8,
/// says instead that its content is not needed. Mirrors btrfs_clean_tree_block() of 6.1,
/// btrfs_clear_buffer_dirty() later.
void clean_tree_block(ExtentBuffer& eb);

}  // namespace model
