// fs/btrfs/zoned.c, 6.1 and later: block groups on zones, and the order in which tree blocks are
// written to them.
//
// A block group is one zone of one device (profile single). Left out: zones of conventional drives
// that are emulated, groups for the tree log and for relocated data, super block log zones (the
// zones that hold super blocks are conventional), reclaiming of zones.
#include "model/zoned.h"

#include <algorithm>

#include "model/disk_io.h"
#include "model/fixes.h"
#include "model/fs_info.h"
#include "model/ordered_data.h"
#include "model/tracepoints.h"
#include "sim/trace.h"

namespace model {
namespace {

struct ZonePlace {
    Device* device;
    u64 start;  // physical
};

ZonePlace zone_of(const BlockGroup& bg) {
    const ChunkMap& map = *find_chunk_map(bg.fs, bg.start);
    return {map.stripes[0].dev, map.stripes[0].physical};
}

bool is_data(const BlockGroup& bg) {
    return (bg.flags & bg_data) != 0;
}

/// Since 13bb483d32ab (6.6) the zones of metadata become active when they are written to.
bool activates_at_allocation(const BlockGroup& bg) {
    return is_data(bg) || !bg.fs.has(fix::metadata_zone_activation);
}

/// bg.lock is held. @return false when the device has no active zone left. Mirrors
/// btrfs_zone_activate()
bool zone_activate_locked(BlockGroup& bg) {
    ZonedGroup& zoned = *bg.zoned;
    if (zoned.is_active) return true;
    if (zoned.is_full()) return false;
    ZonedDrive& drive = *zone_of(bg).device->drive;
    if (drive.max_active_zones != 0 && !drive.take_active_zone()) return false;
    bg.obj.write();
    zoned.is_active = true;
    return true;
}

}  // namespace

ZonedFs::ZonedFs(FsInfo& fs)
    : zoned_meta_io_lock(lock_classes::zoned_meta_io_lock),
      tracks_active_zones(fs.geometry->max_active_zones != 0),
      zone_finish_workers("btrfs-zone-finish") {}

ZonedGroup::ZonedGroup(Bytenr start, u64 length)
    : zone_capacity(length), mwp_obj(objects::meta_write_pointer, start.get(), this),
      meta_write_pointer(start.get()) {}

// ---- allocation ---------------------------------------------------------------------------------

void load_zone_info(BlockGroup& bg) {
    ZonedGroup& zoned = *bg.zoned;
    const auto [device, start] = zone_of(bg);
    const Zone* const zone = find_zone(*device, start);
    SIM_ASSERT(zone != nullptr);
    zoned.alloc_offset = zone->write_pointer - start;
    zoned.zone_unusable = zoned.alloc_offset - bg.used;
    zoned.meta_write_pointer = bg.start.get() + zoned.alloc_offset;
    zoned.is_active = zone->cond == ZoneCond::Open;
}

void ensure_empty_zones(BlockGroup& bg) {
    const auto [device, start] = zone_of(bg);
    if (find_zone(*device, start)->cond != ZoneCond::Empty) reset_zone(*device, start);
}

u64 do_allocation_zoned(BlockGroup& bg, u64 ram_bytes, u64 num_bytes, u64* room) {
    SpaceInfo& info = *bg.space_info;
    ZonedGroup& zoned = *bg.zoned;
    const sim::SpinGuard info_guard(info.lock);
    const sim::SpinGuard guard(bg.lock);
    bg.obj.read();
    if (bg.ro != 0) return 0;
    const u64 left = zoned.zone_capacity - zoned.alloc_offset;
    if (left < num_bytes) {
        *room = std::max(*room, left);
        return 0;
    }
    if (activates_at_allocation(bg) && !zone_activate_locked(bg)) return 0;
    bg.obj.write();
    info.obj.write();
    const u64 start = bg.start.get() + zoned.alloc_offset;
    zoned.alloc_offset += num_bytes;
    bg.reserved += num_bytes;
    info.bytes_reserved += num_bytes;
    SIM_ASSERT(info.bytes_may_use >= ram_bytes);
    trace_update_bytes_may_use(info, -ram_bytes);
    info.bytes_may_use -= ram_bytes;
    return start;
}

// ---- finishing zones ----------------------------------------------------------------------------

namespace {

/// Whether the group has blocks that were allocated and not sent. bg.lock is held.
bool has_unsent(const BlockGroup& bg) {
    bg.zoned->mwp_obj.read();
    return !is_data(bg) && bg.start.get() + bg.zoned->alloc_offset > bg.zoned->meta_write_pointer;
}

Vector<ExtentBuffer*> buffers_of(const BlockGroup& bg) {
    FsInfo& fs = bg.fs;
    Vector<ExtentBuffer*> found;
    for (u64 at = bg.start.get(); at < bg.end().get(); at += fs.nodesize)
        if (fs.buffer_radix.contains(at))
            if (ExtentBuffer* const eb = find_extent_buffer(fs, Bytenr(at))) found.push_back(eb);
    return found;
}

/// Mirrors wait_eb_writebacks().
void wait_eb_writebacks(const BlockGroup& bg) {
    for (ExtentBuffer* const eb : buffers_of(bg)) {
        wait_on_extent_buffer_writeback(*eb);
        free_extent_buffer(eb);
    }
}

Result<void> quiesce(BlockGroup& bg) {
    if (const auto readonly = inc_block_group_ro(bg, false); !readonly) return readonly;
    wait_block_group_reservations(bg);
    wait_ordered_roots(bg.fs, bg.start, bg.length);
    if (!is_data(bg)) wait_eb_writebacks(bg);
    return {};
}

/// @return Again when somebody uses the zone still
Result<void> deactivate(BlockGroup& bg) {
    ZonedGroup& zoned = *bg.zoned;
    const sim::SpinGuard guard(bg.lock);
    bg.obj.read();
    if (!zoned.is_active) return {};
    if (bg.reserved != 0 && !zoned.is_full()) return Errno::Again;
    if (has_unsent(bg)) return Errno::Again;
    bg.obj.write();
    zoned.mwp_obj.write();
    zoned.is_active = false;
    if (bg.ro == 0) zoned.zone_unusable += zoned.zone_capacity - zoned.alloc_offset;
    zoned.alloc_offset = zoned.zone_capacity;
    zoned.meta_write_pointer = bg.end().get();
    return {};
}

void finish_on_device(BlockGroup& bg) {
    const sim::ReadGuard guard(bg.fs.dev_replace.rwsem);
    const auto [device, start] = zone_of(bg);
    finish_zone(*device, start);
    if (device->drive->max_active_zones != 0) device->drive->give_active_zone();
}

bool is_active(BlockGroup& bg) {
    const sim::SpinGuard guard(bg.lock);
    bg.obj.read();
    return bg.zoned->is_active;
}

/// The zone takes nothing more, and is not active any more. Without zoned_meta_io_lock. Mirrors
/// do_zone_finish()
Result<void> do_zone_finish(BlockGroup& bg, bool fully_written) {
    const sim::Scope scope("do_zone_finish");
    if (!is_active(bg)) return {};
    if (!fully_written)
        if (const auto quiet = quiesce(bg); !quiet) return quiet;
    const auto done = deactivate(bg);
    if (done) finish_on_device(bg);
    if (!fully_written) dec_block_group_ro(bg);
    return done;
}

/// The active data group with least room; null: there is none.
BlockGroup* fullest_active_data_group(FsInfo& fs) {
    BlockGroup* fullest = nullptr;
    for (const auto& [start, bg] : fs.block_groups) {
        const sim::SpinGuard guard(bg->lock);
        bg->obj.read();
        if (!is_data(*bg) || !bg->zoned->is_active || bg->reserved != 0 || bg->ro != 0) continue;
        if (fullest == nullptr || bg->zoned->alloc_offset > fullest->zoned->alloc_offset)
            fullest = bg;
    }
    return fullest;
}

}  // namespace

bool zone_finish_one_bg(FsInfo& fs) {
    BlockGroup* const bg = fullest_active_data_group(fs);
    return bg != nullptr && do_zone_finish(*bg, false).ok();
}

void zone_finish_endio(FsInfo& fs, Bytenr logical, u64 length) {
    BlockGroup& bg = *lookup_block_group(fs, logical);
    if (logical.get() + length < bg.start.get() + bg.zoned->zone_capacity) return;
    static_cast<void>(do_zone_finish(bg, true).ok());
}

void schedule_zone_finish(BlockGroup& bg, ExtentBuffer& eb) {
    if (eb.start.get() + eb.len < bg.start.get() + bg.zoned->zone_capacity) return;
    extent_buffer_get(eb);
    bg.fs.zoned->zone_finish_workers.queue("btrfs_zone_finish_endio_workfn", [&bg, &eb] {
        wait_on_extent_buffer_writeback(eb);
        free_extent_buffer(&eb);
        static_cast<void>(do_zone_finish(bg, true).ok());
    });
}

// ---- the order of tree blocks -------------------------------------------------------------------

namespace {

/// The devices have a limit: the zone becomes active with its first block, once the one before it
/// is finished. zoned_meta_io_lock is held. Mirrors check_bg_is_active()
bool check_bg_is_active(BlockGroup& bg) {
    ZonedFs& zoned = *bg.fs.zoned;
    if (is_active(bg)) return true;
    BlockGroup*& active =
        (bg.flags & bg_system) != 0 ? zoned.active_system_bg : zoned.active_meta_bg;
    if (BlockGroup* const before = active; before != nullptr && before != &bg) {
        {
            const sim::SpinGuard guard(before->lock);
            before->obj.read();
            if (before->zoned->is_active && has_unsent(*before)) return false;
        }
        zoned.zoned_meta_io_lock.unlock();
        wait_eb_writebacks(*before);
        static_cast<void>(do_zone_finish(*before, true).ok());
        zoned.zoned_meta_io_lock.lock();
    }
    const sim::SpinGuard guard(bg.lock);
    if (!zone_activate_locked(bg)) return false;
    active = &bg;
    return true;
}

}  // namespace

MetaWrite check_meta_write_pointer(BlockGroup& bg, const ExtentBuffer& eb, bool sync) {
    ZonedGroup& zoned = *bg.zoned;
    zoned.mwp_obj.read();
    if (zoned.meta_write_pointer == eb.start.get()) {
        const bool checks_activity =
            bg.fs.zoned->tracks_active_zones && bg.fs.has(fix::metadata_zone_activation);
        if (!checks_activity || check_bg_is_active(bg)) return MetaWrite::Now;
    }
    // Whoever had the lock meanwhile may have sent the block.
    zoned.mwp_obj.read();
    if (zoned.meta_write_pointer > eb.start.get()) return MetaWrite::Skip;
    sim::note([&] {
        return "block " + std::to_string(eb.start.get()) + " is not the next of its zone, " +
               std::to_string(zoned.meta_write_pointer) + " is";
    });
    return sync ? MetaWrite::Again : MetaWrite::Skip;
}

void advance_meta_write_pointer(BlockGroup& bg, u32 bytes) {
    bg.zoned->mwp_obj.write();
    bg.zoned->meta_write_pointer += bytes;
}

void revert_meta_write_pointer(BlockGroup& bg, u32 bytes) {
    bg.zoned->mwp_obj.write();
    bg.zoned->meta_write_pointer -= bytes;
}

// ---- tree blocks that are freed before they were written ----------------------------------------

void redirty_list_add(Transaction& transaction, ExtentBuffer& eb) {
    FsInfo& fs = transaction.fs;
    if (fs.zoned == nullptr || !fs.has(fix::zoned_redirty)) return;
    if (eb.header_flag(header_flag_written) || eb.on_releasing_list) return;
    eb.content.write();
    std::memset(eb.data, 0, eb.len);
    eb.bflags.set_bit(eb_flag::zoned_zeroout);
    eb.bflags.set_bit(eb_flag::dirty);
    eb.on_releasing_list = true;
    extent_buffer_get(eb);
    transaction.releasing_ebs.push_back(&eb);
    sim::note(
        [&] { return "block " + std::to_string(eb.start.get()) + " is zeroed and dirty again"; });
}

void free_redirty_list(Transaction& transaction) {
    for (ExtentBuffer* const eb : transaction.releasing_ebs) {
        eb->on_releasing_list = false;
        free_extent_buffer(eb);
    }
    transaction.releasing_ebs.clear();
}

/// Up to 6.7 the block was zeroed when it was freed. Since then it is here, without the tree lock,
/// and whoever has the block still may see it.
bool zero_out_if_flagged(ExtentBuffer& eb) {
    FsInfo& fs = eb.fs;
    if (fs.zoned == nullptr || !eb.bflags.test(eb_flag::zoned_zeroout)) return false;
    if (!fs.has(fix::zoned_zeroout)) return true;
    const std::size_t kept = fs.has(fix::zoned_keep_header) ? sizeof(HeaderItem) : 0;
    if (kept == 0) eb.change_header();
    std::memset(eb.data + kept, 0, eb.len - kept);
    sim::note([&] { return "zeroes block " + std::to_string(eb.start.get()); });
    return true;
}

}  // namespace model
