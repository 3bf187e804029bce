// fs/btrfs/disk-io.c: barriers and super blocks (reference 6.1).
//
// Left out: nobarrier, backup roots (they stay zero), the FLUSH_SENT bit (only assertions look at
// it), super blocks of the tree log (primary copies only).
#include <algorithm>

#include "model/bio.h"
#include "model/disk_io.h"
#include "model/fs_info.h"
#include "sim/completion.h"

namespace model {
namespace {

/// A request to one device that the task will wait for.
struct Pending {
    explicit Pending(Device& target, u64 offset = 0)
        : device(target), physical(offset), done(offset) {}
    Device& device;
    u64 physical;
    Sector sector;
    int error = 0;
    sim::Completion done;
};

void end_pending(void* context, int error) {
    Pending& pending = *static_cast<Pending*>(context);
    pending.error = error;
    pending.done.complete();
}

/// Devices that take super blocks: a target of a running replace is one. device_list_mutex is held.
bool takes_super(const Device& device) {
    device.obj.read();
    return !device.test(dev_state::missing) && device.test(dev_state::in_fs_metadata) &&
           device.test(dev_state::writeable);
}

// ---- barriers -----------------------------------------------------------------------------------

/// Mirrors btrfs_check_rw_degradable(): every chunk can do without the devices that did not flush.
bool check_rw_degradable(FsInfo& fs, const std::vector<Device*>& failed) {
    for (const auto& [logical, map] : fs.mapping_tree) {
        map->obj.read();
        const auto lost =
            std::count_if(map->stripes.begin(), map->stripes.end(), [&](const Stripe& s) {
                return s.dev->test(dev_state::missing) ||
                       std::find(failed.begin(), failed.end(), s.dev) != failed.end();
            });
        if (lost > raid_attr(map->type).tolerated_failures) return false;
    }
    return true;
}

/// Mirrors barrier_all_devices(): everything that completed before is durable after.
Result<void> barrier_all_devices(FsInfo& fs) {
    sim::Scope scope("barrier_all_devices");
    if (is_mutated(fs, Mutation::NoFlush)) return {};
    sim::Deque<Pending> flushes;
    for (Device* const device : fs.fs_devices.devices)
        if (takes_super(*device)) flushes.emplace_back(*device);
    for (Pending& flush : flushes)
        submit_request({.op = Req::Flush, .device = &flush.device}, nullptr, end_pending, &flush);

    std::vector<Device*> failed;
    for (Pending& flush : flushes) {
        flush.done.wait();
        if (flush.error == 0) continue;
        ++flush.device.flush_errors;
        failed.push_back(&flush.device);
    }
    if (failed.empty() || check_rw_degradable(fs, failed)) return {};
    return Errno::IO;
}

// ---- super blocks -------------------------------------------------------------------------------

/// The super block as this device holds it at this offset.
Sector super_sector(SuperBlock super, const Device& device, u64 offset) {
    DevItem item = dev_item_of(device, super.fsid);
    item.total_bytes = device.commit_total_bytes;
    item.bytes_used = device.commit_bytes_used;
    super.dev_item = item;
    super.flags |= header_flag_written;
    super.bytenr = offset;
    unsigned char bytes[sizeof(SuperBlock)];
    store(bytes, super);
    seal_block(bytes, sizeof(bytes));
    return {.word = 0, .bytes = SectorBytes::copy_of(bytes)};
}

/// Mirrors write_dev_supers(). Only the primary copy is ordered: it is written through the cache.
void write_dev_supers(FsInfo& fs, Device& device, sim::Deque<Pending>& writes) {
    device.commit_sizes_obj.read();
    for (const u64 offset : super_offsets(device.commit_total_bytes)) {
        Pending& write = writes.emplace_back(device, offset);
        write.sector = super_sector(*fs.super_for_commit, device, offset);
        const DevRequest request{.op = Req::Write,
                                 .fua = offset == super_info_offset,
                                 .device = &device,
                                 .physical = offset,
                                 .sectors = 1};
        submit_request(request, &write.sector, end_pending, &write);
    }
}

/// Mirrors btrfs_end_super_write() and wait_dev_supers(). @return whether a device's primary copy
/// failed
bool wait_super(FsInfo& fs, Pending& write) {
    write.done.wait();
    if (write.error == 0) return false;
    fs.message("warning", "lost page write due to IO error on " + device_path(write.device) + " (" +
                              std::to_string(write.error) + ")");
    count_device_error(write.device, true);
    if (write.physical != super_info_offset) return false;
    fs.message("error",
               "error writing primary super block to device " + number(write.device.devid));
    return true;
}

Result<void> check_super_errors(FsInfo& fs, u64 errors, u64 max_errors) {
    if (errors <= max_errors) return {};
    fs.message("error", number(errors) + " errors while writing supers");
    return Errno::IO;
}

/// device_list_mutex is held. The kernel does not wait when too many devices are missing; the
/// requests of the others are ours, so we do.
Result<void> write_supers(FsInfo& fs) {
    const u64 max_errors = fs.super_for_commit->num_devices - 1;
    sim::Deque<Pending> writes;
    u64 missing = 0, failed = 0;
    const Vector<Device*> devices = fs.fs_devices.devices;
    for (Device* const device : devices) {
        if (device->test(dev_state::missing)) ++missing;
        if (takes_super(*device)) write_dev_supers(fs, *device, writes);
    }
    for (Pending& write : writes)
        failed += wait_super(fs, write) ? 1 : 0;
    return check_super_errors(fs, std::max(missing, failed), max_errors);
}

/// device_list_mutex is held.
Result<void> write_all_supers_locked(FsInfo& fs) {
    if (barrier_all_devices(fs)) return write_supers(fs);
    fs.message("error", "errors while submitting device barriers.");
    return Errno::IO;
}

}  // namespace

Result<void> write_all_supers(FsInfo& fs) {
    sim::Scope scope("write_all_supers");
    Result<void> result;
    {
        const sim::MutexGuard guard(fs.device_list_mutex);
        result = write_all_supers_locked(fs);
    }
    if (!result) handle_fs_error(fs, result.error(), "write_all_supers");
    return result;
}

Result<SuperBlock> parse_super(const Sector& sector, u64 offset) {
    constexpr std::string_view magic = "_BHRfS_M";
    unsigned char bytes[sizeof(SuperBlock)];
    expand_sector(sector, bytes);
    const auto super = load<SuperBlock>(bytes);
    if (std::memcmp(super.magic, magic.data(), magic.size()) != 0) return Errno::Inval;
    if (super.bytenr != offset) return Errno::Inval;
    if (!is_sealed(bytes, sizeof(bytes))) return Errno::UClean;
    return super;
}

}  // namespace model
