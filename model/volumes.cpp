// fs/btrfs/volumes.c: chunks, their devices, and the mapping of logical addresses.
//
// Left out: striping profiles, read balancing between mirrors (the first live copy is read), the
// replace target as an extra mirror for repair (up to 6.3), seed devices.
#include "model/volumes.h"

#include <algorithm>

#include "model/bio.h"
#include "model/fixes.h"
#include "model/fs_info.h"
#include "model/tracepoints.h"

namespace model {
namespace {

constexpr u64 reserved_start = 1 << 20;  // BTRFS_DEVICE_RANGE_RESERVED

}  // namespace

RaidAttr raid_attr(u64 type) {
    if ((type & bg_raid1) != 0) return {.devs_min = 2, .dev_stripes = 1, .tolerated_failures = 1};
    if ((type & bg_dup) != 0) return {.devs_min = 1, .dev_stripes = 2, .tolerated_failures = 0};
    return {.devs_min = 1, .dev_stripes = 1, .tolerated_failures = 0};
}

// ---- the mapping tree ---------------------------------------------------------------------------

u64 find_next_chunk(const FsInfo& fs) {
    if (fs.mapping_tree.empty()) return reserved_start;
    const ChunkMap& last = *fs.mapping_tree.rbegin()->second;
    return last.logical + last.length;
}

ChunkMap* find_chunk_map(FsInfo& fs, Bytenr logical) {
    // The kernel takes the read side of an rwlock: readers do not exclude each other, so neither do
    // they here.
    auto after = fs.mapping_tree.upper_bound(logical.get());
    if (after == fs.mapping_tree.begin()) return nullptr;
    const u64 start = std::prev(after)->first;
    fs.mapping_tree_obj.lookup(start);
    ChunkMap* const map = fs.mapping_tree.find(start)->second;
    return logical.get() < map->logical + map->length ? map : nullptr;
}

void add_chunk_map(FsInfo& fs, ChunkMap& map) {
    const sim::SpinGuard guard(fs.mapping_tree_lock);
    fs.mapping_tree_obj.insert(map.logical);
    fs.mapping_tree.emplace(map.logical, &map);
}

u32 num_copies(FsInfo& fs, Bytenr logical) {
    const ChunkMap* const map = find_chunk_map(fs, logical);
    return map == nullptr ? 1 : raid_attr(map->type).num_stripes();
}

// ---- mapping ------------------------------------------------------------------------------------

namespace {

/// The caller's stripes for the copy it asked for. Mirrors find_live_mirror() for mirror 0.
u32 read_stripe(const ChunkMap& map, u32 mirror) {
    if (mirror > 0) return std::min<u32>(mirror, static_cast<u32>(map.stripes.size())) - 1;
    for (u32 i = 0; i < map.stripes.size(); ++i)
        if (!map.stripes[i].dev->test(dev_state::missing)) return i;
    return 0;
}

Stripe stripe_at(const ChunkMap& map, u32 index, Bytenr logical) {
    const Stripe& stripe = map.stripes[index];
    return {stripe.dev, stripe.physical + (logical.get() - map.logical)};
}

IoContext choose_stripes(const ChunkMap& map, MapOp op, Bytenr logical, u32 mirror) {
    IoContext ioc;
    ioc.map_type = map.type;
    ioc.chunk_logical = map.logical;
    if (op == MapOp::Read) {
        const u32 index = read_stripe(map, mirror);
        ioc.mirror_num = index + 1;
        ioc.stripes.push_back(stripe_at(map, index, logical));
        return ioc;
    }
    for (u32 i = 0; i < map.stripes.size(); ++i)
        ioc.stripes.push_back(stripe_at(map, i, logical));
    if (op == MapOp::Write) ioc.max_errors = raid_attr(map.type).tolerated_failures;
    return ioc;
}

/// A write to the source of a running replace goes to its target as well, whose failure alone does
/// not fail the bio. Mirrors handle_ops_on_dev_replace().
void add_replace_target(FsInfo& fs, IoContext& ioc, Bytenr logical) {
    const DevReplace& replace = fs.dev_replace;
    if (replace.tgtdev == nullptr) return;
    const std::size_t chosen = ioc.stripes.size();
    for (std::size_t i = 0; i < chosen; ++i) {
        const Stripe stripe = ioc.stripes[i];
        if (stripe.dev->devid != replace.srcdev->devid) continue;
        if (!duplicates_write(fs, *stripe.dev, stripe.physical, logical)) continue;
        ioc.stripes.push_back({replace.tgtdev, stripe.physical});
        ++ioc.max_errors;
    }
}

Errno no_mapping(FsInfo& fs, Bytenr logical, u64 length) {
    fs.message("critical", "unable to find logical " + std::to_string(logical.get()) + " length " +
                               std::to_string(length));
    return Errno::IO;
}

}  // namespace

Result<IoContext> map_block(FsInfo& fs, MapOp op, Bytenr logical, u64 length, u32 mirror) {
    sim::Scope scope("btrfs_map_block");
    ChunkMap* const map = find_chunk_map(fs, logical);
    if (map == nullptr || logical.get() + length > map->logical + map->length)
        return no_mapping(fs, logical, length);
    // The kernel keeps the semaphore only while a replace is going on; nothing is scheduled between
    // here and the return.
    const sim::ReadGuard guard(fs.dev_replace.rwsem);
    fs.dev_replace.obj.read();
    map->obj.read();
    IoContext ioc = choose_stripes(*map, op, logical, mirror);
    if (op == MapOp::Write && fs.dev_replace.is_ongoing()) add_replace_target(fs, ioc, logical);
    sim::note([&] {
        return "maps " + std::to_string(logical.get()) + " to " +
               std::to_string(ioc.stripes.size()) + " stripes";
    });
    return ioc;
}

// ---- the bio counter ----------------------------------------------------------------------------

void bio_counter_inc_blocked(FsInfo& fs) {
    if (!fs.has(fix::bio_counter)) return;
    DevReplace& replace = fs.dev_replace;
    for (;;) {
        replace.bio_counter.inc();
        if (!fs.fs_state.test(fs_state_bit::dev_replacing)) return;
        bio_counter_dec(fs);
        replace.replace_wait.wait_event(
            [&] { return !fs.fs_state.test(fs_state_bit::dev_replacing); });
    }
}

void bio_counter_dec(FsInfo& fs) {
    if (!fs.has(fix::bio_counter)) return;
    fs.dev_replace.bio_counter.dec();
    if (fs.dev_replace.replace_wait.waitqueue_active()) fs.dev_replace.replace_wait.wake_up();
}

void rm_dev_replace_blocked(FsInfo& fs) {
    sim::Scope scope("btrfs_rm_dev_replace_blocked");
    if (!fs.has(fix::bio_counter)) return;
    fs.fs_state.set_bit(fs_state_bit::dev_replacing);
    fs.dev_replace.replace_wait.wait_event([&] { return fs.dev_replace.bio_counter.load() == 0; });
}

void rm_dev_replace_unblocked(FsInfo& fs) {
    if (!fs.has(fix::bio_counter)) return;
    fs.fs_state.clear_bit(fs_state_bit::dev_replacing);
    fs.dev_replace.replace_wait.wake_up();
}

// ---- space on devices ---------------------------------------------------------------------------

std::vector<u64> super_offsets(u64 device_bytes) {
    std::vector<u64> offsets;
    for (const u64 offset : {super_info_offset, u64{64} << 20, u64{256} << 30})
        if (offset + sizeof(SuperBlock) < device_bytes) offsets.push_back(offset);
    return offsets;
}

DevHole find_free_range(std::map<u64, u64> taken, u64 device_bytes, u64 wanted, u64 zone_size) {
    taken.emplace(0, std::max(reserved_start, zone_size));
    for (u64 zone = zone_size; zone_size != 0 && zone < device_bytes; zone += zone_size)
        if (is_conventional_zone(zone, zone_size, device_bytes)) taken.emplace(zone, zone_size);
    for (const u64 offset : super_offsets(device_bytes))
        if (offset >= reserved_start) taken.emplace(offset, stripe_len);
    taken.emplace(device_bytes, 0);

    DevHole largest;
    u64 free_from = 0;
    for (const auto& [start, length] : taken) {
        const DevHole hole{free_from, start > free_from ? start - free_from : 0};
        if (hole.length >= wanted) return {hole.start, wanted};
        if (hole.length > largest.length) largest = hole;
        free_from = std::max(free_from, start + length);
    }
    return largest;
}

DevHole find_free_dev_extent(const Device& device, u64 wanted) {
    return find_free_range({device.alloc_state.begin(), device.alloc_state.end()},
                           device.total_bytes, wanted,
                           device.drive == nullptr ? 0 : device.drive->zone_size);
}

namespace {

struct DeviceInfo {
    Device* device;
    DevHole hole;
    u64 total_avail;
};

/// fs_devices->alloc_list: chunk_mutex is held. The target of a replace is among the devices
/// without it, and its sizes are not ours to read.
std::vector<Device*> alloc_list(const FsInfo& fs) {
    std::vector<Device*> list;
    std::ranges::copy_if(fs.fs_devices.devices, std::back_inserter(list),
                         [](const Device* device) { return device->on_alloc_list; });
    return list;
}

/// Devices that may take stripes, the emptiest first. Mirrors gather_device_info().
std::vector<DeviceInfo> gather_device_info(FsInfo& fs, const RaidAttr& raid, u64 max_stripe) {
    std::vector<DeviceInfo> infos;
    for (Device* const device : alloc_list(fs)) {
        device->sizes_obj.read();
        if (!device->test(dev_state::writeable)) continue;
        const DevHole hole = find_free_dev_extent(*device, max_stripe * raid.dev_stripes);
        if (hole.length < stripe_len * raid.dev_stripes) continue;
        infos.push_back({device, hole, device->total_bytes - device->bytes_used});
    }
    std::sort(infos.begin(), infos.end(), [](const DeviceInfo& a, const DeviceInfo& b) {
        if (a.hole.length != b.hole.length) return a.hole.length > b.hole.length;
        if (a.total_avail != b.total_avail) return a.total_avail > b.total_avail;
        return a.device->devid < b.device->devid;
    });
    return infos;
}

u64 max_stripe_size(const FsInfo& fs, u64 type) {
    if ((type & bg_system) != 0) return fs.geometry->system_chunk;
    return (type & bg_data) != 0 ? fs.geometry->data_chunk : fs.geometry->metadata_chunk;
}

void take_dev_extent(TransHandle& trans, Device& device, u64 physical, u64 length) {
    device.sizes_obj.write();
    device.alloc_state.emplace(physical, length);
    device.bytes_used += length;
    if (device.post_commit) return;
    device.post_commit = true;
    trans.transaction.dev_update_list.push_back(&device);
}

}  // namespace

Result<BlockGroup*> create_chunk(TransHandle& trans, u64 type) {
    sim::Scope scope("btrfs_create_chunk");
    FsInfo& fs = trans.fs;
    SIM_ASSERT(fs.chunk_mutex.is_held_by_current());
    const RaidAttr raid = raid_attr(type);
    const auto infos = gather_device_info(fs, raid, max_stripe_size(fs, type));
    if (infos.size() < raid.devs_min) return Errno::NoSpc;

    const u64 smallest = infos[raid.devs_min - 1].hole.length / raid.dev_stripes;
    const u64 stripe_size = std::min(max_stripe_size(fs, type), smallest) / stripe_len * stripe_len;
    ChunkMap& map = *sim::make<ChunkMap>(find_next_chunk(fs), stripe_size, type);
    for (u32 i = 0; i < raid.num_stripes(); ++i) {
        const DeviceInfo& info = infos[i / raid.dev_stripes];
        const u64 offset = (i % raid.dev_stripes) * stripe_size;
        map.stripes.push_back({info.device, info.hole.start + offset});
    }
    add_chunk_map(fs, map);
    BlockGroup& bg = make_block_group(trans, type, Bytenr(map.logical), map.length);
    for (const Stripe& stripe : map.stripes)
        take_dev_extent(trans, *stripe.dev, stripe.physical, map.length);
    trace_btrfs_chunk_alloc(fs, map);
    sim::note([&] {
        return "creates chunk " + std::to_string(map.logical) + " of type " + std::to_string(type);
    });
    return &bg;
}

// ---- items --------------------------------------------------------------------------------------

namespace {

constexpr Key chunk_key(u64 logical) {
    return {first_chunk_tree_objectid, chunk_item_key, logical};
}

}  // namespace

std::vector<unsigned char> chunk_item_bytes(const ChunkMap& map) {
    const ChunkItem chunk{.length = map.length,
                          .owner = extent_tree_objectid,
                          .stripe_len = stripe_len,
                          .type = map.type,
                          .io_align = stripe_len,
                          .io_width = stripe_len,
                          .sector_size = sectorsize,
                          .num_stripes = static_cast<u16>(map.stripes.size()),
                          .sub_stripes = 1};
    std::vector<unsigned char> bytes(sizeof(ChunkItem) + map.stripes.size() * sizeof(StripeItem));
    store(bytes.data(), chunk);
    unsigned char* at = bytes.data() + sizeof(ChunkItem);
    for (const Stripe& stripe : map.stripes) {
        StripeItem item{.devid = stripe.dev->devid, .offset = stripe.physical, .dev_uuid = {}};
        std::memcpy(item.dev_uuid, stripe.dev->uuid, sizeof(item.dev_uuid));
        store(at, item);
        at += sizeof(StripeItem);
    }
    return bytes;
}

DevItem dev_item_of(const Device& device, const u8* fsid) {
    DevItem item{};
    item.devid = device.devid;
    item.total_bytes = device.disk_total_bytes;
    item.bytes_used = device.bytes_used;
    item.io_align = item.io_width = item.sector_size = sectorsize;
    std::memcpy(item.uuid, device.uuid, sizeof(item.uuid));
    std::memcpy(item.fsid, fsid, sizeof(item.fsid));
    return item;
}

DevExtentItem dev_extent_of(const FsInfo& fs, const ChunkMap& map) {
    DevExtentItem item{};
    item.chunk_tree = chunk_tree_objectid;
    item.chunk_objectid = first_chunk_tree_objectid;
    item.chunk_offset = map.logical;
    item.length = map.length;
    std::memcpy(item.chunk_tree_uuid, fs.chunk_tree_uuid, sizeof(item.chunk_tree_uuid));
    return item;
}

Result<void> add_system_chunk(SuperBlock& super, const ChunkMap& map) {
    const auto item = chunk_item_bytes(map);
    const u32 needed = static_cast<u32>(sizeof(DiskKey) + item.size());
    if (super.sys_chunk_array_size + needed > sizeof(super.sys_chunk_array)) return Errno::FBig;
    unsigned char* const at = super.sys_chunk_array + super.sys_chunk_array_size;
    store(at, DiskKey::from(chunk_key(map.logical)));
    std::memcpy(at + sizeof(DiskKey), item.data(), item.size());
    super.sys_chunk_array_size += needed;
    return {};
}

Result<void> update_device(TransHandle& trans, Device& device) {
    FsInfo& fs = trans.fs;
    const Key key{dev_items_objectid, dev_item_key, device.devid};
    Path path;
    const auto found = search_slot(&trans, *fs.chunk_root, key, path, 0, true);
    if (!found) return found.error();
    if (!*found) return Errno::NoEnt;
    device.sizes_obj.read();
    write_item(path, dev_item_of(device, fs.fsid));
    return {};
}

Result<void> chunk_alloc_add_chunk_item(TransHandle& trans, BlockGroup& bg) {
    sim::Scope scope("btrfs_chunk_alloc_add_chunk_item");
    FsInfo& fs = trans.fs;
    SIM_ASSERT(fs.chunk_mutex.is_held_by_current());
    ChunkMap* const map = find_chunk_map(fs, bg.start);
    if (map == nullptr) return Errno::Inval;
    map->obj.read();
    for (std::size_t i = 0; i < map->stripes.size(); ++i)
        if (const auto updated = update_device(trans, *map->stripes[i].dev); !updated)
            return updated.error();
    const auto item = chunk_item_bytes(*map);
    if (const auto inserted = insert_item(trans, *fs.chunk_root, chunk_key(map->logical), item);
        !inserted)
        return inserted.error();
    if ((map->type & bg_system) == 0) return {};
    fs.super_obj.write();
    return add_system_chunk(*fs.super_copy, *map);
}

namespace {

/// Mirrors btrfs_alloc_dev_extent(), later insert_dev_extent().
Result<void> insert_dev_extent(TransHandle& trans, ChunkMap& map, std::size_t stripe) {
    map.obj.read();
    Device& device = *map.stripes[stripe].dev;
    device.obj.read();
    const Key key{device.devid, dev_extent_key, map.stripes[stripe].physical};
    const DevExtentItem item = dev_extent_of(trans.fs, map);
    return insert_item(trans, *trans.fs.dev_root, key, bytes_of(item));
}

Result<void> insert_each_dev_extent(TransHandle& trans, ChunkMap& map) {
    for (std::size_t i = 0; i < map.stripes.size(); ++i)
        if (const auto inserted = insert_dev_extent(trans, map, i); !inserted)
            return inserted.error();
    return {};
}

}  // namespace

Result<void> insert_dev_extents(TransHandle& trans, Bytenr chunk_offset) {
    sim::Scope scope("insert_dev_extents");
    FsInfo& fs = trans.fs;
    ChunkMap* const map = find_chunk_map(fs, chunk_offset);
    if (map == nullptr) return Errno::Inval;
    if (!fs.has(fix::dev_extents_under_mutex)) return insert_each_dev_extent(trans, *map);
    // The end of a replace changes stripe->dev and its devid under this mutex.
    const sim::MutexGuard guard(fs.device_list_mutex);
    return insert_each_dev_extent(trans, *map);
}

void commit_device_sizes(FsInfo& fs) {
    Transaction& transaction = *fs.running_transaction;
    if (transaction.dev_update_list.empty()) return;
    const sim::MutexGuard guard(fs.chunk_mutex);
    for (const auto& [device, physical] : transaction.freed_dev_extents) {
        device->sizes_obj.write();
        device->alloc_state.erase(physical);
    }
    transaction.freed_dev_extents.clear();
    for (Device* const device : transaction.dev_update_list) {
        device->sizes_obj.write();
        device->commit_sizes_obj.write();
        device->commit_total_bytes = device->disk_total_bytes;
        device->commit_bytes_used = device->bytes_used;
        device->post_commit = false;
    }
    transaction.dev_update_list.clear();
}

}  // namespace model
