// What a crash can leave on the devices: the rules of a drive with a volatile cache.
//
// A flush makes durable what completed before it, FUA its own write. Any other write may have
// reached the medium or not, in any combination: also one that was handed to the device and has not
// completed. Writes are atomic by 512 bytes, super blocks as a whole.
#include "model/crash.h"

#include <algorithm>
#include <map>
#include <set>

#include "model/fs_info.h"
#include "sim/hash.h"

namespace model {
namespace {

constexpr u32 atomic_bytes = 512;

/// Tree blocks may be torn. A super block is written whole or not at all, and data is told by its
/// checksums.
bool can_tear(u64 physical, const unsigned char* bytes) {
    const auto supers = super_offsets(~u64{0});
    return bytes != nullptr && std::ranges::find(supers, physical) == supers.end();
}

/// Visits a write of neighbouring sectors, tree blocks one by one: a request may hold several, and
/// a crash any of them.
template <class Sectors, class Visit>
void visit_write(const FsInfo& fs, const Device& device, u64 physical, std::size_t count,
                 bool in_flight, const Sectors& sector, Visit&& visit) {
    const std::size_t unit = sector(0).bytes == nullptr ? count : fs.nodesize / sectorsize;
    for (std::size_t at = 0; at < count; at += unit)
        visit(device, physical + at * sectorsize, std::min(unit, count - at), in_flight,
              [&, at](std::size_t i) -> const Sector& { return sector(at + i); });
}

/// Calls visit(device, physical, sectors, in flight, sector by number) for each loose write: those
/// in the caches in order of completion, then those in flight in order of submission.
template <class Visit> void for_each_loose(const FsInfo& fs, Visit&& visit) {
    for (const Device* const device : fs.fs_devices.all_devices) {
        const auto& log = device->disk.cache_log;
        for (std::size_t at = 0; at < log.size();) {
            std::size_t end = at + 1;
            while (end < log.size() && log[end].write == log[at].write &&
                   log[end].physical == log[end - 1].physical + sectorsize)
                ++end;
            const auto sector = [&, at](std::size_t i) -> const Sector& {
                return log[at + i].sector;
            };
            visit_write(fs, *device, log[at].physical, end - at, false, sector, visit);
            at = end;
        }
    }
    for (const Device* const device : fs.fs_devices.all_devices)
        for (const auto& write : device->in_flight) {
            const auto sector = [&](std::size_t i) -> const Sector& { return write.buffer[i]; };
            visit_write(fs, *device, write.physical, write.sectors, true, sector, visit);
        }
}

std::size_t torn_outcomes(std::size_t sectors) {
    return sectors * (sectorsize / atomic_bytes) - 1;
}

}  // namespace

std::size_t count_outcomes(const FsInfo& fs) {
    std::size_t writes = 0, torn = 0;
    std::set<u16> devices;
    for_each_loose(
        fs, [&](const Device& device, u64 physical, std::size_t sectors, bool, const auto& sector) {
            ++writes;
            devices.insert(device.index);
            if (can_tear(physical, sector(0).bytes)) torn += torn_outcomes(sectors);
        });
    if (writes == 0) return 1;
    return 2 + 2 * writes + torn + (devices.size() > 1 ? 2 * devices.size() : 0);
}

u64 crash_digest(const FsInfo& fs) {
    // Only writes of one place have an order that a medium shows.
    std::map<std::pair<u16, u64>, u64> written;
    u64 digest = 0;
    for_each_loose(
        fs, [&](const Device& device, u64 physical, std::size_t sectors, bool, const auto& sector) {
            u64 write = sim::hash_mix(device.index, physical);
            for (std::size_t i = 0; i < sectors; ++i) {
                const u64 place = physical + i * sectorsize;
                write = sim::hash_mix(sim::hash_mix(write, ++written[{device.index, place}]),
                                      sector_hash(sector(i)));
            }
            digest += write;
        });
    return sim::hash_mix(durable_hash(fs), digest);
}

CrashPoint::CrashPoint(const FsInfo& fs) : fs_(fs), durable_(durable_medium(fs)) {
    for_each_loose(fs, [&](const Device& device, u64 physical, std::size_t sectors, bool in_flight,
                           const auto& sector) {
        LooseWrite& write = loose_.emplace_back();
        write.device = device.index;
        write.physical = physical;
        write.in_flight = in_flight;
        for (std::size_t i = 0; i < sectors; ++i)
            write.sectors.push_back(held_in(sector(i)));
    });
    outcomes_ = choose();
}

std::vector<CrashPoint::Outcome> CrashPoint::choose() const {
    if (loose_.empty()) return {{Kind::None}};
    std::vector<Outcome> outcomes{{Kind::None}, {Kind::All}};
    std::set<u16> devices;
    for (std::size_t i = 0; i < loose_.size(); ++i) {
        outcomes.push_back({Kind::Missing, i});
        outcomes.push_back({Kind::Alone, i});
        devices.insert(loose_[i].device);
    }
    for (const u16 device : devices) {
        if (devices.size() == 1) break;
        outcomes.push_back({Kind::DeviceAlone, device});
        outcomes.push_back({Kind::DeviceMissing, device});
    }
    for (std::size_t i = 0; i < loose_.size(); ++i) {
        if (!can_tear(loose_[i].physical, loose_[i].sectors.front().bytes)) continue;
        for (u32 kept = 1; kept <= torn_outcomes(loose_[i].sectors.size()); ++kept)
            outcomes.push_back({Kind::Torn, i, kept});
    }
    return outcomes;
}

bool CrashPoint::keeps(const Outcome& outcome, std::size_t write, u16 device) {
    switch (outcome.kind) {
    case Kind::None:
        return false;
    case Kind::All:
    case Kind::Torn:
        return true;
    case Kind::Missing:
        return write != outcome.which;
    case Kind::Alone:
        return write == outcome.which;
    case Kind::DeviceAlone:
        return device == outcome.which;
    case Kind::DeviceMissing:
        return device != outcome.which;
    }
    return false;
}

namespace {

/// Writes so many 512-byte pieces of the block over what is there, and no more.
void put_torn(Medium& medium, const LooseWrite& write, u32 pieces) {
    constexpr u32 per_sector = sectorsize / atomic_bytes;
    for (std::size_t i = 0; i < write.sectors.size() && pieces > 0; ++i) {
        const u64 physical = write.physical + i * sectorsize;
        const u32 here = std::min(pieces, per_sector);
        pieces -= here;
        unsigned char bytes[sectorsize]{};
        unsigned char fresh[sectorsize];
        if (const Held* const old = medium.find(write.device, physical)) expand_held(*old, bytes);
        expand_held(write.sectors[i], fresh);
        std::copy_n(fresh, here * atomic_bytes, bytes);
        medium.put_copy(write.device, physical, bytes);
    }
}

}  // namespace

Medium CrashPoint::medium(std::size_t number) const {
    const Outcome& outcome = outcomes_[number];
    Medium medium = durable_;
    for (std::size_t i = 0; i < loose_.size(); ++i) {
        const LooseWrite& write = loose_[i];
        if (!keeps(outcome, i, write.device)) continue;
        if (outcome.kind == Kind::Torn && outcome.which == i) {
            put_torn(medium, write, outcome.kept);
            continue;
        }
        for (std::size_t s = 0; s < write.sectors.size(); ++s)
            medium.put(write.device, write.physical + s * sectorsize, write.sectors[s]);
    }
    return medium;
}

std::string CrashPoint::place_text(const LooseWrite& write) const {
    return "the write at " + std::to_string(write.physical) + " of " +
           device_path(*fs_.fs_devices.all_devices[write.device]);
}

std::string CrashPoint::text(std::size_t number) const {
    const Outcome& outcome = outcomes_[number];
    const auto place = [&] { return place_text(loose_[outcome.which]); };
    const auto device = [&] { return device_path(*fs_.fs_devices.all_devices[outcome.which]); };
    switch (outcome.kind) {
    case Kind::None:
        return "everything that was not flushed lost";
    case Kind::All:
        return "everything that was not flushed kept";
    case Kind::Missing:
        return place() + " lost, everything else kept";
    case Kind::Alone:
        return place() + " kept, everything else that was not flushed lost";
    case Kind::DeviceAlone:
        return "what was not flushed kept on " + device() + " alone";
    case Kind::DeviceMissing:
        return "what was not flushed lost on " + device() + " alone";
    case Kind::Torn:
        return place() + " torn after " + std::to_string(outcome.kept * atomic_bytes) + " bytes";
    }
    return {};
}

}  // namespace model
