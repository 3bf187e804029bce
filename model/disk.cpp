// The medium behind a device: what a request does to it when it completes, and what a crash would
// leave of it.
//
// Stands for the block layer and the drive. A request completes as an event of its own, in any
// order with others, and takes effect whole in that event. Left out: torn requests, requests that
// fail by chance, merging, discard.
#include <algorithm>

#include "model/device.h"
#include "model/fs_info.h"
#include "model/invariants.h"
#include "model/medium.h"
#include "model/tracepoints.h"
#include "sim/scheduler.h"
#include "sim/spinlock.h"

namespace model {
namespace {

u64 sector_address(const DevRequest& request, u32 sector) {
    return request.physical + u64{sector} * sectorsize;
}

/// All sectors of a request in one access set. The spinlock is the request's own: nobody contends
/// for it, and while it is held no sector is a scheduling point, so that a request takes effect in
/// one step.
template <class Access> void for_each_sector(const DevRequest& request, Access&& access) {
    if (request.sectors == 1) return access(request.physical);
    sim::Spinlock whole_request(lock_classes::dev_queue_lock, request.physical);
    const sim::SpinGuard guard(whole_request);
    for (u32 i = 0; i < request.sectors; ++i)
        access(sector_address(request, i));
}

void forget_cached(Disk& disk, u64 physical) {
    disk.cached.erase(physical);
    std::erase_if(disk.cache_log, [&](const auto& write) { return write.physical == physical; });
}

void store_durable(Disk& disk, u64 physical, const Sector& sector) {
    forget_cached(disk, physical);
    disk.durable.insert_or_assign(physical, sector);
}

void store_cached(Disk& disk, u64 physical, const Sector& sector) {
    disk.cached.insert_or_assign(physical, sector);
    disk.cache_log.push_back({physical, sector, disk.writes});
}

void flush_cache(Device& device) {
    device.cache_obj.write();
    ++device.disk.flushes;
    for (const auto& [physical, sector] : device.disk.cached)
        device.disk.durable.insert_or_assign(physical, sector);
    device.disk.cached.clear();
    device.disk.cache_log.clear();
}

void leave_in_flight(const DevRequest& request, const Sector* buffer) {
    take_out(request.device->in_flight, request.physical, buffer);
}

/// For people: "physical 13631488 of /dev/c".
std::string place_of(const DevRequest& request) {
    return "physical " + std::to_string(request.physical) + " of /dev/" +
           std::string(request.device->name.begin(), request.device->name.end());
}

void write_sectors(const DevRequest& request, const Sector* buffer) {
    Device& device = *request.device;
    if (request.append_place == nullptr) leave_in_flight(request, buffer);
    if (request.preflush) flush_cache(device);
    for_each_sector(request, [&](u64 physical) { device.medium_obj.insert(physical); });
    // Writes of different sectors commute, but none with a flush.
    sim::current().order(device.cache_obj, sim::AccessKind::Read);
    ++device.disk.writes;
    for (u32 i = 0; i < request.sectors; ++i) {
        const u64 physical = sector_address(request, i);
        if (request.fua) {
            store_durable(device.disk, physical, buffer[i]);
        } else {
            store_cached(device.disk, physical, buffer[i]);
        }
    }
    sim::note([&] { return "writes " + place_of(request); });
    const bool metadata = buffer[0].bytes != nullptr;
    check_device_write(device.fs, device, request.physical, request.sectors, metadata);
}

void read_sectors(const DevRequest& request, Sector* buffer) {
    const Device& device = *request.device;
    for_each_sector(request, [&](u64 physical) { device.medium_obj.lookup(physical); });
    sim::note([&] { return "reads " + place_of(request); });
    for (u32 i = 0; i < request.sectors; ++i)
        buffer[i] = medium_read(device, sector_address(request, i));
}

/// A zone append gets its place now.
/// @return 0 or a negative errno
int resolve_place(DevRequest& request) {
    if (request.append_place == nullptr) return 0;
    const int error = place_zone_append(request, request.append_place);
    request.physical = *request.append_place;
    return error;
}

/// The drive is gone. Ordered with the moment at which it went, as what takes effect is.
void lose(const DevRequest& request, const Sector* buffer) {
    Device& device = *request.device;
    if (request.op == Req::Write && request.append_place == nullptr)
        leave_in_flight(request, buffer);
    if (request.op == Req::Flush)
        device.cache_obj.read();
    else
        device.medium_obj.lookup(request.physical);
    sim::note([&] { return device_path(device) + " does not answer"; });
}

/// @return 0 or a negative errno
int take_effect(DevRequest request, Sector* buffer) {
    if (request.device->offline) {
        lose(request, buffer);
        return io_error;
    }
    if (const int error = resolve_place(request); error != 0) return error;
    const u64 end = sector_address(request, request.sectors);
    if (request.op != Req::Flush && end > request.device->disk_total_bytes) {
        if (request.op == Req::Write) leave_in_flight(request, buffer);
        return io_error;
    }
    const bool changes_medium = request.op != Req::Read;
    MediumObserver* const observer = changes_medium ? request.device->fs.observer : nullptr;
    if (observer != nullptr) {
        if (makes_durable(request)) sim::current().mark();
        observer->before_device_event(request.device->fs, request);
    }
    switch (request.op) {
    case Req::Read:
        read_sectors(request, buffer);
        break;
    case Req::Write:
        write_sectors(request, buffer);
        break;
    case Req::Flush:
        flush_cache(*request.device);
        break;
    }
    if (observer != nullptr) observer->after_device_event(request.device->fs, request);
    return 0;
}

bool is_metadata(const DevRequest& request, const Sector* buffer) {
    return request.op == Req::Write && buffer[0].bytes != nullptr;
}

const char* completion_label(const DevRequest& request) {
    switch (request.op) {
    case Req::Read:
        return "read_done";
    case Req::Write:
        return request.fua ? "fua_write_done" : "write_done";
    case Req::Flush:
        return "flush_done";
    }
    return "done";
}

u64 latency_ns(const DevRequest& request) {
    const Device& device = *request.device;
    switch (request.op) {
    case Req::Read:
        return device.read_latency_ns;
    case Req::Write:
        return device.write_latency_ns + (request.preflush ? device.flush_latency_ns : 0);
    case Req::Flush:
        return device.flush_latency_ns;
    }
    return 0;
}

}  // namespace

void submit_request(const DevRequest& request, Sector* buffer,
                    void (*done)(void* context, int error), void* context) {
    Device& device = *request.device;
    device.queue_obj.add();
    trace_block_rq_issue(request, is_metadata(request, buffer));
    const bool append = request.append_place != nullptr;
    const bool write = request.op == Req::Write;
    const bool to_zone = write && !append && device.drive != nullptr;
    const int refused = to_zone ? dispatch_zone_write(request) : 0;
    if (write && !append && refused == 0)
        device.in_flight.push_back({request.physical, request.sectors, buffer});
    take_out(device.mapped, request.physical, buffer);
    sim::current().spawn_completion(
        completion_label(request), device.index, latency_ns(request),
        [request, buffer, done, context, refused] {
            const int error = refused != 0 ? refused : take_effect(request, buffer);
            trace_block_rq_complete(request, is_metadata(request, buffer), error);
            done(context, error);
        });
}

void take_out(Vector<Device::InFlight>& writes, u64 physical, const Sector* buffer) {
    const auto found =
        std::find_if(writes.begin(), writes.end(), [&](const Device::InFlight& write) {
            return write.buffer == buffer && write.physical == physical;
        });
    if (found != writes.end()) writes.erase(found);
}

void set_offline(Device& device) {
    device.medium_obj.write();  // one step: whoever completes a request does it before or after
    sim::current().order(device.cache_obj, sim::AccessKind::Write);
    device.offline = true;
    sim::note([&] { return device_path(device) + " is pulled out"; });
}

Sector medium_read(const Device& device, u64 physical) {
    const auto cached = device.disk.cached.find(physical);
    return cached != device.disk.cached.end() ? cached->second : medium_durable(device, physical);
}

Sector medium_durable(const Device& device, u64 physical) {
    const auto durable = device.disk.durable.find(physical);
    return durable != device.disk.durable.end() ? durable->second : Sector{};
}

void medium_store(Device& device, u64 physical, const Sector& sector) {
    store_durable(device.disk, physical, sector);
}

// ---- sectors ------------------------------------------------------------------------------------

SectorBytes SectorBytes::copy_of(const void* bytes, u32 sectors) {
    return make(sectors, [&](unsigned char* to) {
        std::memcpy(to, bytes, std::size_t{sectors} * sectorsize);
    });
}

void SectorBytes::Run::digest() {
    for (u32 i = 0; i < sectors; ++i)
        hash(i) = bytes_hash(bytes(i));
}

SectorBytes::Run* SectorBytes::allocate(u32 sectors) {
    const std::size_t size = sizeof(Run) + sectors * (sizeof(u64) + sectorsize);
    auto* const run = static_cast<Run*>(sim::arena_allocate(size));
    run->holders = 1;
    run->sectors = sectors;
    return run;
}

void SectorBytes::free(Run* run) noexcept {
    sim::arena_deallocate(run, sizeof(Run) + run->sectors * (sizeof(u64) + sectorsize));
}

void expand_sector(const Sector& sector, unsigned char* bytes) {
    expand_held({.word = sector.word, .bytes = sector.bytes, .hash = 0}, bytes);
}

bool operator==(const Sector& a, const Sector& b) {
    if (a.bytes == nullptr && b.bytes == nullptr) return a.word == b.word;
    if (a.bytes == b.bytes) return true;
    unsigned char left[sectorsize], right[sectorsize];
    expand_sector(a, left);
    expand_sector(b, right);
    return std::memcmp(left, right, sectorsize) == 0;
}

namespace {

constexpr u64 hash_of_word = 1, hash_of_bytes = 2;

/// Whether the bytes are one word repeated: each equals the one eight places on.
bool repeats_one_word(const unsigned char* bytes) {
    return std::memcmp(bytes, bytes + sizeof(DataWord), sectorsize - sizeof(DataWord)) == 0;
}

}  // namespace

u64 word_hash(DataWord word) {
    return sim::hash_mix(hash_of_word, word);
}

u64 bytes_hash(const unsigned char* bytes) {
    constexpr u32 half = sectorsize / 2;
    if (repeats_one_word(bytes)) return word_hash(load<DataWord>(bytes));
    const u64 front = crc32c(bytes, half);
    return sim::hash_mix(hash_of_bytes, (front << 32) | crc32c(bytes + half, half));
}

u64 sector_hash(const Sector& sector) {
    return sector.bytes == nullptr ? word_hash(sector.word) : sector.bytes.hash();
}

}  // namespace model
