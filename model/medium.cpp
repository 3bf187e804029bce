#include "model/medium.h"

#include <cstring>

#include "model/fs_info.h"
#include "model/ledger.h"
#include "sim/hash.h"

namespace model {
namespace {

u64 place_hash(std::size_t device, u64 physical, const Held& held) {
    return sim::hash_mix(sim::hash_mix(device, physical), held.hash);
}

}  // namespace

void observe_medium(FsInfo& fs, MediumObserver* observer) {
    fs.observer = observer;
    if (fs.ledger != nullptr) fs.ledger->orders_steps = observer != nullptr;
}

Held held_in(const Sector& sector) {
    return {.word = sector.word, .bytes = sector.bytes, .hash = sector_hash(sector)};
}

const Held* Medium::find(std::size_t device, u64 physical) const {
    const auto found = devices_[device].find(physical);
    return found == devices_[device].end() ? nullptr : &found->second;
}

void Medium::put(std::size_t device, u64 physical, const Held& held) {
    const auto [place, fresh] = devices_[device].try_emplace(physical, held);
    if (!fresh) {
        hash_ -= place_hash(device, physical, place->second);
        place->second = held;
    }
    hash_ += place_hash(device, physical, held);
}

void Medium::put_copy(std::size_t device, u64 physical, const unsigned char* bytes) {
    copies_.push_back(std::make_shared<std::vector<unsigned char>>(bytes, bytes + sectorsize));
    const unsigned char* const kept = copies_.back()->data();
    put(device, physical, {.word = 0, .bytes = kept, .hash = bytes_hash(kept)});
}

Medium Medium::detached() const {
    Medium copy(devices());
    for (std::size_t device = 0; device < devices(); ++device)
        for (const auto& [physical, held] : places(device)) {
            copy.put(device, physical, held);
            if (held.bytes != nullptr) copy.put_copy(device, physical, held.bytes);
        }
    return copy;
}

u64 durable_hash(const FsInfo& fs) {
    u64 hash = 0;
    for (const Device* const device : fs.fs_devices.all_devices)
        for (const auto& [physical, sector] : device->disk.durable)
            hash += place_hash(device->index, physical, held_in(sector));
    return hash;
}

Medium durable_medium(const FsInfo& fs) {
    const auto& devices = fs.fs_devices.all_devices;
    Medium medium(devices.size());
    for (const Device* const device : devices)
        for (const auto& [physical, sector] : device->disk.durable)
            medium.put(device->index, physical, held_in(sector));
    return medium;
}

Medium visible_medium(const FsInfo& fs) {
    Medium medium = durable_medium(fs);
    for (const Device* const device : fs.fs_devices.all_devices)
        for (const auto& [physical, sector] : device->disk.cached)
            medium.put(device->index, physical, held_in(sector));
    return medium;
}

void expand_held(const Held& held, unsigned char* bytes) {
    if (held.bytes != nullptr) {
        std::memcpy(bytes, held.bytes, sectorsize);
        return;
    }
    for (u32 i = 0; i < sectorsize; i += sizeof(DataWord))
        store(bytes + i, held.word);
}

void load_medium(FsInfo& fs, const Medium& medium) {
    for (Device* const device : fs.fs_devices.all_devices)
        for (const auto& [physical, held] : medium.places(device->index)) {
            Sector sector{.word = held.word, .bytes = nullptr};
            if (held.bytes != nullptr) sector.bytes = SectorBytes::copy_of(held.bytes);
            medium_store(*device, physical, sector);
        }
}

bool holds_super(const Medium& medium, std::size_t device) {
    const Held* const held = medium.find(device, super_info_offset);
    constexpr std::string_view magic = "_BHRfS_M";
    return held != nullptr && held->bytes != nullptr &&
           std::memcmp(held->bytes + offsetof(SuperBlock, magic), magic.data(), magic.size()) == 0;
}

}  // namespace model
