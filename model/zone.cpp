// A host-managed zoned drive: write pointers, active zones, and what it refuses. Stands for the
// block layer's zone handling and the drive.
//
// The write pointer moves when a write is dispatched, and writes complete in any order, as the
// kernel's zone write locking lets them seem. Left out: explicit opening, read-only and offline
// zones, capacities below the zone's size. Commands that manage zones take effect at once.
#include "model/zone.h"

#include <algorithm>

#include "model/fs_info.h"
#include "model/invariants.h"
#include "sim/trace.h"

namespace model {
namespace {

constexpr u64 first_sequential = u64{1} << 20;
constexpr u64 active_count_key = 0;

u64 zone_start(const ZonedDrive& drive, u64 physical) {
    return physical / drive.zone_size * drive.zone_size;
}

u64 active_zones(const ZonedDrive& drive) {
    return static_cast<u64>(std::ranges::count_if(
        drive.zones, [](const auto& entry) { return entry.second.cond == ZoneCond::Open; }));
}

/// An empty zone becomes active with its first write. @return whether the drive allows one more
bool activate(ZonedDrive& drive, Zone& zone) {
    if (zone.cond == ZoneCond::Open) return true;
    if (drive.max_active_zones != 0) {
        drive.obj.insert(active_count_key);
        if (active_zones(drive) >= drive.max_active_zones) return false;
    }
    zone.cond = ZoneCond::Open;
    return true;
}

/// The zone takes the bytes, from its write pointer on. @return whether it has room for them
bool advance(ZonedDrive& drive, u64 start, Zone& zone, u64 bytes) {
    const u64 end = start + drive.zone_size;
    if (zone.cond == ZoneCond::Full || zone.write_pointer + bytes > end) return false;
    if (!activate(drive, zone)) return false;
    zone.write_pointer += bytes;
    if (zone.write_pointer == end) zone.cond = ZoneCond::Full;
    return true;
}

u64 length_of(const DevRequest& request) {
    return u64{request.sectors} * sectorsize;
}

std::string place_text(const Device& device, u64 physical) {
    return std::to_string(physical) + " of " + device_path(device);
}

template <class Sectors> void erase_zone(Sectors& sectors, u64 start, u64 end) {
    sectors.erase(sectors.lower_bound(start), sectors.lower_bound(end));
}

}  // namespace

bool is_conventional_zone(u64 start, u64 zone_size, u64 device_bytes) {
    if (start < first_sequential) return true;
    const auto supers = super_offsets(device_bytes);
    return std::ranges::any_of(
        supers, [&](u64 offset) { return offset >= start && offset < start + zone_size; });
}

ZonedDrive::ZonedDrive(Device& device, u64 zone_bytes, u32 most_active)
    : obj(objects::zone, device.index, this), zone_size(zone_bytes), max_active_zones(most_active),
      active_zones_left(most_active, device.index) {
    for (u64 start = 0; start + zone_size <= device.total_bytes; start += zone_size)
        if (!is_conventional_zone(start, zone_size, device.total_bytes))
            zones.emplace(start, Zone{.write_pointer = start});
}

bool ZonedDrive::take_active_zone() {
    for (u32 left = active_zones_left.load(); left != 0;)
        if (active_zones_left.compare_exchange(left, left - 1)) return true;
    return false;
}

Zone* find_zone(Device& device, u64 physical) {
    ZonedDrive* const drive = device.drive;
    if (drive == nullptr) return nullptr;
    const auto found = drive->zones.find(zone_start(*drive, physical));
    return found == drive->zones.end() ? nullptr : &found->second;
}

int dispatch_zone_write(const DevRequest& request) {
    Device& device = *request.device;
    Zone* const zone = find_zone(device, request.physical);
    if (zone == nullptr) return 0;
    const u64 start = zone_start(*device.drive, request.physical);
    device.drive->obj.insert(start);
    const u64 expected = zone->write_pointer;
    const bool taken =
        request.physical == expected && advance(*device.drive, start, *zone, length_of(request));
    check_zone_write(device, taken, request.physical, expected);
    return taken ? 0 : io_error;
}

int place_zone_append(const DevRequest& request, u64* place) {
    Device& device = *request.device;
    Zone* const zone = find_zone(device, request.physical);
    SIM_ASSERT(zone != nullptr);
    const u64 start = zone_start(*device.drive, request.physical);
    device.drive->obj.insert(start);
    *place = zone->write_pointer;
    const bool taken = advance(*device.drive, start, *zone, length_of(request));
    check_zone_write(device, taken, *place, *place);
    return taken ? 0 : io_error;
}

void finish_zone(Device& device, u64 start) {
    Zone* const zone = find_zone(device, start);
    if (zone == nullptr) return;
    device.drive->obj.insert(start);
    if (device.drive->max_active_zones != 0) device.drive->obj.insert(active_count_key);
    zone->write_pointer = start + device.drive->zone_size;
    zone->cond = ZoneCond::Full;
    sim::note([&] { return "finishes the zone at " + place_text(device, start); });
}

void reset_zone(Device& device, u64 start) {
    Zone* const zone = find_zone(device, start);
    if (zone == nullptr) return;
    device.drive->obj.insert(start);
    if (device.drive->max_active_zones != 0) device.drive->obj.insert(active_count_key);
    device.medium_obj.write();
    *zone = {.write_pointer = start};
    const u64 end = start + device.drive->zone_size;
    erase_zone(device.disk.durable, start, end);
    erase_zone(device.disk.cached, start, end);
    std::erase_if(device.disk.cache_log, [&](const Disk::CachedWrite& write) {
        return write.physical >= start && write.physical < end;
    });
    sim::note([&] { return "resets the zone at " + place_text(device, start); });
}

void report_zones(Device& device) {
    if (device.drive == nullptr) return;
    for (auto& entry : device.drive->zones) {
        const u64 start = entry.first;
        const u64 end = start + device.drive->zone_size;
        auto& zone = entry.second;
        const auto last_end = [&](const auto& sectors) {
            const auto after = sectors.lower_bound(end);
            if (after == sectors.begin() || std::prev(after)->first < start) return start;
            return std::prev(after)->first + sectorsize;
        };
        zone.write_pointer = std::max(last_end(device.disk.durable), last_end(device.disk.cached));
        zone.cond = zone.write_pointer == start ? ZoneCond::Empty
                    : zone.write_pointer == end ? ZoneCond::Full
                                                : ZoneCond::Open;
    }
    ZonedDrive& drive = *device.drive;
    const u64 active = active_zones(drive);
    drive.active_zones_left.store(
        static_cast<u32>(drive.max_active_zones - std::min<u64>(active, drive.max_active_zones)));
}

}  // namespace model
