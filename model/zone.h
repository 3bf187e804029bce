#pragma once
#include "model/objects.h"
#include "model/types.h"
#include "sim/atomic.h"

namespace model {

struct Device;
struct DevRequest;

/// What a drive says of a zone: BLK_ZONE_COND_*, as far as it matters here. Open stands for
/// explicitly and implicitly open and for closed: zones that count as active.
enum class ZoneCond : u8 { Empty, Open, Full };

struct Zone {
    u64 write_pointer = 0;  // physical, in bytes
    ZoneCond cond = ZoneCond::Empty;
};

/// The zones of one drive: what a host-managed drive knows of itself. Zones below the first MiB,
/// and those that hold a copy of the super block, are conventional: they are written anywhere and
/// are not listed here.
struct ZonedDrive {
    ZonedDrive(Device& device, u64 zone_bytes, u32 most_active);
    sim::Object obj;  // keyed by a zone's start; 0: how many are active
    u64 zone_size;
    u32 max_active_zones;  // 0: no limit
    Map<u64, Zone> zones;  // the sequential ones, by start
    /// What the filesystem counts of the drive, zone_info->active_zones_left.
    sim::Atomic<u32> active_zones_left;
    bool take_active_zone();
    void give_active_zone() { active_zones_left.inc(); }
};

/// The sequential zone that a place lies in; null: a conventional one, or no zoned drive.
Zone* find_zone(Device& device, u64 physical);
/// Whether a zone is conventional: it begins below the first MiB or holds a super block.
bool is_conventional_zone(u64 start, u64 zone_size, u64 device_bytes);

/// A write is handed to the drive: it must begin at its zone's write pointer, which moves on with
/// it, and stay inside the zone. @return 0 or -EIO
int dispatch_zone_write(const DevRequest& request);
/// A zone append takes effect: the drive chooses the place. @param place  where
/// @return 0, or -EIO when the zone has no room
int place_zone_append(const DevRequest& request, u64* place);
/// REQ_OP_ZONE_FINISH: nothing more is written to the zone, and it is not active any more.
void finish_zone(Device& device, u64 start);
/// REQ_OP_ZONE_RESET: the zone is empty, and what it held is gone, for good and at once.
void reset_zone(Device& device, u64 start);
/// At mount: write pointers from what the medium holds. Mirrors btrfs_get_dev_zone_info().
void report_zones(Device& device);

}  // namespace model
