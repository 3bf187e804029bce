#pragma once
#include "model/objects.h"
#include "model/types.h"
#include "sim/mutex.h"
#include "sim/workqueue.h"

namespace model {

struct BlockGroup;
struct ExtentBuffer;
struct Transaction;
struct TransHandle;

/// What a filesystem on zoned devices has besides: fs_info's members for it.
struct ZonedFs {
    explicit ZonedFs(FsInfo& fs);
    /// Held for a whole pass of btree_writepages(): tree blocks reach a zone in its order.
    sim::Mutex zoned_meta_io_lock;
    BlockGroup* active_meta_bg = nullptr;    // zoned_meta_io_lock
    BlockGroup* active_system_bg = nullptr;  // zoned_meta_io_lock
    bool tracks_active_zones = false;        // the devices have a limit
    sim::WorkQueue zone_finish_workers;
};

/// What a block group on a zone has besides; the group is one zone of one device.
struct ZonedGroup {
    ZonedGroup(Bytenr start, u64 length);
    u64 zone_capacity;       // bytes
    u64 alloc_offset = 0;    // where the next extent goes: bg.lock
    u64 zone_unusable = 0;   // bytes that are lost until the zone is reset: bg.lock
    bool is_active = false;  // BLOCK_GROUP_FLAG_ZONE_IS_ACTIVE: bg.lock
    sim::Object mwp_obj;     // meta_write_pointer: zoned_meta_io_lock
    u64 meta_write_pointer;  // the next tree block that may be written; logical
    bool is_full() const { return alloc_offset == zone_capacity; }
};

// ---- allocation ---------------------------------------------------------------------------------

/// At mount: how far the zone was written, and what of that is lost. `bg.used` is known. Mirrors
/// btrfs_load_block_group_zone_info().
void load_zone_info(BlockGroup& bg);
/// A new chunk begins with empty zones. Mirrors btrfs_ensure_empty_zones().
void ensure_empty_zones(BlockGroup& bg);
/// Takes space at alloc_offset, and counts it as reserved. Never sleeps. Mirrors
/// do_allocation_zoned().
/// @param room  receives how much the group has left, when it does not have enough
/// @return the address, or 0
u64 do_allocation_zoned(BlockGroup& bg, u64 ram_bytes, u64 num_bytes, u64* room);
/// Makes room for another active zone: the data group with least left is finished. May sleep; waits
/// for its writers. @return whether there was one. Mirrors btrfs_zone_finish_one_bg()
bool zone_finish_one_bg(FsInfo& fs);

// ---- writing ------------------------------------------------------------------------------------

enum class MetaWrite : u8 {
    Now,   ///< the block is the next of its zone
    Skip,  ///< it is not, and somebody else will come for it
    Again  ///< it is not, and the caller may not go on without it: -EAGAIN
};
/// Whether a dirty tree block may be written now. zoned_meta_io_lock is held; it is dropped and
/// taken again where another zone must be finished first. Mirrors btrfs_check_meta_write_pointer().
/// @param sync  WB_SYNC_ALL of a commit
MetaWrite check_meta_write_pointer(BlockGroup& bg, const ExtentBuffer& eb, bool sync);
/// The block that begins at the pointer is on its way; or, reverted, it is not after all.
void advance_meta_write_pointer(BlockGroup& bg, u32 bytes);
void revert_meta_write_pointer(BlockGroup& bg, u32 bytes);
/// The last block of the zone was sent: once it is written the zone is finished, by a worker.
/// Mirrors btrfs_schedule_zone_finish_bg()
void schedule_zone_finish(BlockGroup& bg, ExtentBuffer& eb);
/// A data extent was written: a zone that is full by it is finished. Mirrors
/// btrfs_zone_finish_endio()
void zone_finish_endio(FsInfo& fs, Bytenr logical, u64 length);

// ---- tree blocks that are freed before they were written ----------------------------------------

/// 5.12 to 6.7: the freed block is zeroed and dirty again, so that the zone's pointer gets over it.
/// Mirrors btrfs_redirty_list_add()
void redirty_list_add(Transaction& transaction, ExtentBuffer& eb);
/// Mirrors btrfs_free_redirty_list()
void free_redirty_list(Transaction& transaction);
/// What the writer does with a block that nobody needs any more, before it is sent.
/// @return whether the block is such a one: it gets no checksum and no checks
bool zero_out_if_flagged(ExtentBuffer& eb);

}  // namespace model
