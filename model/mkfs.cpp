// What mkfs.btrfs leaves: super blocks, one SYSTEM, METADATA and DATA chunk, and the smallest trees
// that a kernel mounts.
//
// Each tree is built bottom-up from its sorted items. The extent tree lists its own blocks, so it
// is built again until it does not grow. Left out: the free space tree, DEV_STATS items, backup
// roots.
#include "model/mkfs.h"

#include <algorithm>
#include <map>
#include <optional>

#include "model/disk_io.h"
#include "model/fs_info.h"
#include "sim/rng.h"

namespace model {
namespace {

constexpr u64 first_logical = 1 << 20;
constexpr u32 directory_mode = 040755;

// ---- chunks -------------------------------------------------------------------------------------

struct PlannedChunk {
    u64 type = 0, logical = 0, length = 0;
    struct Place {
        std::size_t device;  // index among the filesystem's devices
        u64 physical;
    };
    std::vector<Place> stripes;
};

struct PlannedDevice {
    u64 size = 0;
    std::map<u64, u64> taken{};
    u64 used() const {
        u64 bytes = 0;
        for (const auto& [start, length] : taken)
            bytes += length;
        return bytes;
    }
};

/// RAID1 takes the emptiest devices, the other profiles the first.
std::vector<std::size_t> choose_devices(const std::vector<PlannedDevice>& devices, u32 count) {
    std::vector<std::size_t> order(devices.size());
    for (std::size_t i = 0; i < order.size(); ++i)
        order[i] = i;
    const auto room = [&](std::size_t i) { return devices[i].size - devices[i].used(); };
    if (count > 1)
        std::stable_sort(order.begin(), order.end(),
                         [&](std::size_t a, std::size_t b) { return room(a) > room(b); });
    order.resize(std::min<std::size_t>(order.size(), count));
    return order;
}

/// @return whether there is room for all stripes
bool place_chunk(PlannedChunk& chunk, std::vector<PlannedDevice>& devices, u64 zone_size) {
    const RaidAttr raid = raid_attr(chunk.type);
    const auto chosen = choose_devices(devices, raid.devs_min);
    if (chosen.size() < raid.devs_min) return false;
    for (const std::size_t index : chosen) {
        PlannedDevice& device = devices[index];
        for (u32 i = 0; i < raid.dev_stripes; ++i) {
            const DevHole hole =
                find_free_range(device.taken, device.size, chunk.length, zone_size);
            if (hole.length < chunk.length) return false;
            device.taken.emplace(hole.start, chunk.length);
            chunk.stripes.push_back({index, hole.start});
        }
    }
    return true;
}

/// SYSTEM, METADATA, DATA, one after the other in the logical address space.
std::optional<std::vector<PlannedChunk>> plan_chunks(const Geometry& geometry) {
    std::vector<PlannedDevice> devices;
    for (const auto& spec : geometry.devices)
        if (!spec.spare) devices.push_back({spec.size});
    std::vector<PlannedChunk> chunks{
        {bg_system | geometry.metadata_profile, 0, geometry.system_chunk, {}},
        {bg_metadata | geometry.metadata_profile, 0, geometry.metadata_chunk, {}},
        {bg_data | geometry.data_profile, 0, geometry.data_chunk, {}}};
    u64 logical = first_logical;
    for (PlannedChunk& chunk : chunks) {
        chunk.logical = logical;
        logical += chunk.length;
        if (!place_chunk(chunk, devices, geometry.zone_size)) return std::nullopt;
    }
    return chunks;
}

// ---- trees --------------------------------------------------------------------------------------

struct NewItem {
    Key key;
    std::vector<unsigned char> data;
};

template <class... Parts> std::vector<unsigned char> concatenated(const Parts&... parts) {
    std::vector<unsigned char> bytes;
    const auto append = [&](const auto& part) {
        const auto* const from = reinterpret_cast<const unsigned char*>(&part);
        bytes.insert(bytes.end(), from, from + sizeof(part));
    };
    (append(parts), ...);
    return bytes;
}

std::vector<unsigned char> with_name(std::vector<unsigned char> bytes, std::string_view name) {
    bytes.insert(bytes.end(), name.begin(), name.end());
    return bytes;
}

/// Where one block of a tree stands: which items of the leaf level, or which blocks of the level
/// below, are its own.
struct PlannedBlock {
    u64 bytenr = 0;
    Level level = 0;
    std::size_t first = 0, count = 0;
    Key first_key;
};

/// A tree to be: its items, and its blocks level by level, leaves first, the root last.
struct Tree {
    Objectid id = 0;
    std::vector<NewItem> items{};
    std::vector<PlannedBlock> blocks{};
    const PlannedBlock& root() const { return blocks.back(); }
};

class NodeLimits {
  public:
    explicit NodeLimits(const Geometry& geometry)
        : room_(geometry.nodesize - sizeof(HeaderItem)), leaf_cap_(geometry.items_per_node),
          node_cap_(geometry.node_cap()) {}

    bool leaf_takes(std::size_t items, std::size_t bytes) const {
        return bytes <= room_ && (leaf_cap_ == 0 || items <= leaf_cap_);
    }
    std::size_t ptrs() const {
        const std::size_t fitting = room_ / sizeof(KeyPtr);
        return node_cap_ == 0 ? fitting : std::min<std::size_t>(fitting, node_cap_);
    }

  private:
    std::size_t room_, leaf_cap_, node_cap_;
};

std::vector<PlannedBlock> plan_leaves(const std::vector<NewItem>& items, const NodeLimits& limits) {
    std::vector<PlannedBlock> leaves(1);
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < items.size(); ++i) {
        const std::size_t size = sizeof(LeafItem) + items[i].data.size();
        if (!limits.leaf_takes(leaves.back().count + 1, bytes + size)) {
            leaves.push_back({.first = i, .first_key = {}});
            bytes = 0;
        }
        PlannedBlock& leaf = leaves.back();
        if (leaf.count++ == 0) leaf.first_key = items[i].key;
        bytes += size;
    }
    return leaves;
}

/// @param first  index of the lower level's first block
std::vector<PlannedBlock> plan_nodes(const std::vector<PlannedBlock>& blocks, std::size_t first,
                                     const NodeLimits& limits) {
    std::vector<PlannedBlock> nodes;
    for (std::size_t i = first; i < blocks.size(); i += limits.ptrs())
        nodes.push_back({.level = static_cast<Level>(blocks[i].level + 1),
                         .first = i,
                         .count = std::min(limits.ptrs(), blocks.size() - i),
                         .first_key = blocks[i].first_key});
    return nodes;
}

void plan_blocks(Tree& tree, const NodeLimits& limits) {
    const auto by_key = [](const NewItem& a, const NewItem& b) { return a.key < b.key; };
    std::sort(tree.items.begin(), tree.items.end(), by_key);
    tree.blocks = plan_leaves(tree.items, limits);
    std::size_t level_start = 0;
    while (tree.blocks.size() - level_start > 1) {
        const auto nodes = plan_nodes(tree.blocks, level_start, limits);
        level_start = tree.blocks.size();
        tree.blocks.insert(tree.blocks.end(), nodes.begin(), nodes.end());
    }
}

// ---- items --------------------------------------------------------------------------------------

InodeItem directory_inode() {
    InodeItem inode{};
    inode.generation = inode.transid = first_generation;
    inode.nlink = 1;
    inode.mode = directory_mode;
    return inode;
}

NewItem inode_ref(u64 ino, u64 parent, std::string_view name) {
    const InodeRefItem ref{.index = 0, .name_len = static_cast<u16>(name.size())};
    return {{ino, inode_ref_key, parent}, with_name(concatenated(ref), name)};
}

/// Directory 256, all that an empty subvolume has.
std::vector<NewItem> empty_subvolume() {
    constexpr u64 ino = first_free_objectid;
    return {{{ino, inode_item_key, 0}, concatenated(directory_inode())}, inode_ref(ino, ino, "..")};
}

/// The root tree's own directory: where the default subvolume is named.
std::vector<NewItem> root_tree_directory() {
    constexpr u64 ino = root_tree_dir_objectid;
    constexpr std::string_view name = "default";
    const DiskKey location{fs_tree_objectid, root_item_key, ~u64{0}};
    const DirItem entry{.location = location,
                        .transid = 0,
                        .data_len = 0,
                        .name_len = static_cast<u16>(name.size()),
                        .type = ft_dir};
    return {{{ino, inode_item_key, 0}, concatenated(directory_inode())},
            inode_ref(ino, ino, ".."),
            {{ino, dir_item_key, name_hash(name)}, with_name(concatenated(entry), name)},
            inode_ref(fs_tree_objectid, ino, name)};
}

NewItem root_item(const Tree& tree, u32 nodesize) {
    RootItem item{};
    item.inode = directory_inode();
    item.inode.size = 3;
    item.inode.nbytes = nodesize;
    item.generation = item.generation_v2 = first_generation;
    const bool is_file_tree = tree.id == fs_tree_objectid || tree.id == data_reloc_tree_objectid;
    item.root_dirid = is_file_tree ? first_free_objectid : 0;
    item.bytenr = tree.root().bytenr;
    item.bytes_used = tree.blocks.size() * nodesize;
    item.refs = 1;
    item.level = tree.root().level;
    return {{tree.id, root_item_key, 0}, concatenated(item)};
}

NewItem metadata_item(const PlannedBlock& block, Objectid owner) {
    const ExtentItem extent{
        .refs = 1, .generation = first_generation, .flags = extent_flag_tree_block};
    return {{block.bytenr, metadata_item_key, block.level},
            concatenated(extent, tree_block_ref_key, owner)};
}

// ---- the filesystem -----------------------------------------------------------------------------

class Mkfs {
  public:
    Mkfs(FsInfo& fs, const Geometry& geometry)
        : fs_(fs), geometry_(geometry), limits_(geometry), rng_(geometry.seed) {}

    void run() {
        make_uuids();
        make_chunks();
        make_trees();
        for (const Tree& tree : trees_)
            write_tree(tree);
        for (Device* const device : devices_)
            write_supers(*device);
    }

  private:
    enum ChunkIndex : std::size_t { SystemChunk, MetadataChunk, DataChunk };

    void make_uuid(u8* uuid);
    void make_uuids();
    void make_chunks();
    void make_trees();
    Tree& tree(Objectid id);
    void fill_chunk_tree();
    void fill_dev_tree();
    void fill_root_tree();
    void fill_extent_tree();
    void assign_addresses();
    u64 blocks_in(std::size_t chunk) const;

    void write_tree(const Tree& tree);
    std::vector<unsigned char> block_bytes(const Tree& tree, const PlannedBlock& block) const;
    void write_block(const PlannedBlock& block, const std::vector<unsigned char>& bytes);
    SuperBlock super_block() const;
    void write_supers(Device& device);

    FsInfo& fs_;
    const Geometry& geometry_;
    NodeLimits limits_;
    sim::Rng rng_;
    std::vector<Device*> devices_;
    std::deque<ChunkMap> chunks_;
    std::vector<Tree> trees_;
};

void Mkfs::make_uuid(u8* uuid) {
    store(uuid, rng_.next());
    store(uuid + 8, rng_.next());
    uuid[6] = static_cast<u8>((uuid[6] & 0x0F) | 0x40);  // version 4, variant 1
    uuid[8] = static_cast<u8>((uuid[8] & 0x3F) | 0x80);
}

void Mkfs::make_uuids() {
    make_uuid(fs_.fsid);
    make_uuid(fs_.chunk_tree_uuid);
    for (std::size_t i = 0; i < geometry_.devices.size(); ++i) {
        if (geometry_.devices[i].spare) continue;
        Device& device = *fs_.fs_devices.all_devices[i];
        devices_.push_back(&device);
        device.devid = devices_.size();
        make_uuid(device.uuid);
    }
}

void Mkfs::make_chunks() {
    const auto planned = plan_chunks(geometry_);
    SIM_ASSERT(planned.has_value());  // check_geometry() said so
    for (const PlannedChunk& plan : *planned) {
        ChunkMap& map = chunks_.emplace_back(plan.logical, plan.length, plan.type);
        for (const auto& [index, physical] : plan.stripes) {
            map.stripes.push_back({devices_[index], physical});
            devices_[index]->bytes_used += plan.length;
        }
    }
}

Tree& Mkfs::tree(Objectid id) {
    return *std::find_if(trees_.begin(), trees_.end(), [&](const Tree& t) { return t.id == id; });
}

void Mkfs::fill_chunk_tree() {
    Tree& chunk_tree = tree(chunk_tree_objectid);
    for (const Device* const device : devices_)
        chunk_tree.items.push_back({{dev_items_objectid, dev_item_key, device->devid},
                                    concatenated(dev_item_of(*device, fs_.fsid))});
    for (const ChunkMap& map : chunks_)
        chunk_tree.items.push_back(
            {{first_chunk_tree_objectid, chunk_item_key, map.logical}, chunk_item_bytes(map)});
}

void Mkfs::fill_dev_tree() {
    Tree& dev_tree = tree(dev_tree_objectid);
    for (const ChunkMap& map : chunks_)
        for (const Stripe& stripe : map.stripes)
            dev_tree.items.push_back({{stripe.dev->devid, dev_extent_key, stripe.physical},
                                      concatenated(dev_extent_of(fs_, map))});
}

void Mkfs::fill_root_tree() {
    std::vector<NewItem> items = root_tree_directory();
    for (const Tree& each : trees_)
        if (each.id != root_tree_objectid && each.id != chunk_tree_objectid)
            items.push_back(root_item(each, geometry_.nodesize));
    Tree& root_tree = tree(root_tree_objectid);
    root_tree.items = std::move(items);
    std::sort(root_tree.items.begin(), root_tree.items.end(),
              [](const NewItem& a, const NewItem& b) { return a.key < b.key; });
}

void Mkfs::fill_extent_tree() {
    std::vector<NewItem> items;
    for (const Tree& each : trees_)
        for (const PlannedBlock& block : each.blocks)
            items.push_back(metadata_item(block, each.id));
    for (std::size_t i = 0; i < chunks_.size(); ++i) {
        const BlockGroupItem group{.used = blocks_in(i) * geometry_.nodesize,
                                   .chunk_objectid = first_chunk_tree_objectid,
                                   .flags = chunks_[i].type};
        items.push_back(
            {{chunks_[i].logical, block_group_item_key, chunks_[i].length}, concatenated(group)});
    }
    tree(extent_tree_objectid).items = std::move(items);
}

u64 Mkfs::blocks_in(std::size_t chunk) const {
    u64 blocks = 0;
    for (const Tree& each : trees_) {
        const bool in_system = each.id == chunk_tree_objectid;
        if (chunk != DataChunk && in_system == (chunk == SystemChunk)) blocks += each.blocks.size();
    }
    return blocks;
}

/// Trees one after the other, the chunk tree in the SYSTEM chunk.
void Mkfs::assign_addresses() {
    u64 system = chunks_[SystemChunk].logical;
    u64 metadata = chunks_[MetadataChunk].logical;
    for (Tree& each : trees_) {
        u64& next = each.id == chunk_tree_objectid ? system : metadata;
        for (PlannedBlock& block : each.blocks) {
            block.bytenr = next;
            next += geometry_.nodesize;
        }
    }
}

void Mkfs::make_trees() {
    trees_ = {{chunk_tree_objectid},
              {fs_tree_objectid, empty_subvolume()},
              {csum_tree_objectid},
              {uuid_tree_objectid},
              {data_reloc_tree_objectid, empty_subvolume()},
              {dev_tree_objectid},
              {root_tree_objectid},
              {extent_tree_objectid}};
    fill_chunk_tree();
    fill_dev_tree();
    for (Tree& each : trees_)
        plan_blocks(each, limits_);
    fill_root_tree();  // the sizes are right, the addresses not yet
    plan_blocks(tree(root_tree_objectid), limits_);

    std::size_t extent_blocks = 0;
    while (extent_blocks != tree(extent_tree_objectid).blocks.size()) {
        extent_blocks = tree(extent_tree_objectid).blocks.size();
        assign_addresses();
        fill_extent_tree();
        plan_blocks(tree(extent_tree_objectid), limits_);
    }
    assign_addresses();
    fill_extent_tree();
    plan_blocks(tree(extent_tree_objectid), limits_);
    assign_addresses();
    fill_root_tree();
}

// ---- writing ------------------------------------------------------------------------------------

void write_leaf_items(unsigned char* block, u32 nodesize, std::span<const NewItem> items) {
    unsigned char* const data = block + sizeof(HeaderItem);
    u32 end = nodesize - static_cast<u32>(sizeof(HeaderItem));
    for (std::size_t i = 0; i < items.size(); ++i) {
        const u32 size = static_cast<u32>(items[i].data.size());
        end -= size;
        store(data + i * sizeof(LeafItem), LeafItem{DiskKey::from(items[i].key), end, size});
        std::copy(items[i].data.begin(), items[i].data.end(), data + end);
    }
}

void write_node_ptrs(unsigned char* block, std::span<const PlannedBlock> children) {
    unsigned char* const ptrs = block + sizeof(HeaderItem);
    for (std::size_t i = 0; i < children.size(); ++i)
        store(ptrs + i * sizeof(KeyPtr),
              KeyPtr{DiskKey::from(children[i].first_key), children[i].bytenr, first_generation});
}

std::vector<unsigned char> Mkfs::block_bytes(const Tree& tree, const PlannedBlock& block) const {
    std::vector<unsigned char> bytes(geometry_.nodesize);
    HeaderItem header{};
    std::memcpy(header.fsid, fs_.fsid, sizeof(header.fsid));
    header.bytenr = block.bytenr;
    header.flags = header_flag_written | (mixed_backref_rev << 56);
    std::memcpy(header.chunk_tree_uuid, fs_.chunk_tree_uuid, sizeof(header.chunk_tree_uuid));
    header.generation = first_generation;
    header.owner = tree.id;
    header.nritems = static_cast<u32>(block.count);
    header.level = block.level;
    store(bytes.data(), header);
    if (block.level == 0) {
        const std::span<const NewItem> items(tree.items);
        write_leaf_items(bytes.data(), geometry_.nodesize, items.subspan(block.first, block.count));
    } else {
        const std::span<const PlannedBlock> blocks(tree.blocks);
        write_node_ptrs(bytes.data(), blocks.subspan(block.first, block.count));
    }
    seal_block(bytes.data(), geometry_.nodesize);
    return bytes;
}

void Mkfs::write_block(const PlannedBlock& block, const std::vector<unsigned char>& bytes) {
    const auto holds = [&](const ChunkMap& map) {
        return block.bytenr >= map.logical && block.bytenr < map.logical + map.length;
    };
    const ChunkMap& map = *std::find_if(chunks_.begin(), chunks_.end(), holds);
    const auto first =
        SectorBytes::copy_of(bytes.data(), static_cast<u32>(bytes.size() / sectorsize));
    for (u32 at = 0; at < bytes.size(); at += sectorsize) {
        const Sector sector{.word = 0, .bytes = first.next(at / sectorsize)};
        for (const Stripe& stripe : map.stripes)
            medium_store(*stripe.dev, stripe.physical + (block.bytenr - map.logical) + at, sector);
    }
}

void Mkfs::write_tree(const Tree& tree) {
    for (const PlannedBlock& block : tree.blocks)
        write_block(block, block_bytes(tree, block));
}

SuperBlock Mkfs::super_block() const {
    constexpr u64 mixed_backref = 1, big_metadata = 0x20, extended_iref = 0x40,
                  skinny_metadata = 0x100, no_holes = 0x200;
    SuperBlock super{};
    std::memcpy(super.fsid, fs_.fsid, sizeof(super.fsid));
    std::memcpy(super.magic, "_BHRfS_M", sizeof(super.magic));
    super.flags = header_flag_written;
    super.generation = super.chunk_root_generation = super.uuid_tree_generation = first_generation;
    for (const Tree& each : trees_) {
        super.bytes_used += each.blocks.size() * geometry_.nodesize;
        if (each.id == root_tree_objectid) {
            super.root = each.root().bytenr;
            super.root_level = each.root().level;
        } else if (each.id == chunk_tree_objectid) {
            super.chunk_root = each.root().bytenr;
            super.chunk_root_level = each.root().level;
        }
    }
    for (const Device* const device : devices_)
        super.total_bytes += device->disk_total_bytes;
    super.root_dir_objectid = root_tree_dir_objectid;
    super.num_devices = devices_.size();
    super.sectorsize = super.stripesize = sectorsize;
    super.nodesize = super.leafsize = geometry_.nodesize;
    super.incompat_flags = mixed_backref | extended_iref | skinny_metadata | no_holes |
                           (geometry_.nodesize > sectorsize ? big_metadata : 0);
    const auto added = add_system_chunk(super, chunks_[SystemChunk]);
    SIM_ASSERT(added.ok());
    return super;
}

void Mkfs::write_supers(Device& device) {
    SuperBlock super = super_block();
    super.dev_item = dev_item_of(device, fs_.fsid);
    for (const u64 offset : super_offsets(device.disk_total_bytes)) {
        super.bytenr = offset;
        std::vector<unsigned char> bytes(sizeof(SuperBlock));
        store(bytes.data(), super);
        seal_block(bytes.data(), sizeof(SuperBlock));
        medium_store(device, offset, {.word = 0, .bytes = SectorBytes::copy_of(bytes.data())});
    }
}

}  // namespace

namespace {

/// What zoned devices ask for beyond the rest; empty: nothing.
std::string check_zones(const Geometry& geometry) {
    constexpr u64 smallest_zone = 64 << 10;
    const u64 zone = geometry.zone_size;
    if (zone == 0)
        return geometry.max_active_zones == 0 ? "" : "max_active_zones is for zoned devices";
    if (zone < smallest_zone || (zone & (zone - 1)) != 0)
        return "zone_size must be a power of two, and at least 64 KiB";
    for (const u64 chunk : {geometry.data_chunk, geometry.metadata_chunk, geometry.system_chunk})
        if (chunk != zone) return "chunks of a zoned filesystem are as large as its zones";
    if (geometry.data_profile != 0 || geometry.metadata_profile != 0)
        return "a zoned filesystem has the profile single here";
    constexpr u32 fewest_active = 4;
    if (geometry.max_active_zones != 0 && geometry.max_active_zones < fewest_active)
        return "max_active_zones must be 0 (no limit) or at least 4";
    return {};
}

}  // namespace

std::string check_geometry(const Geometry& geometry) {
    constexpr u64 alignment = 64 << 10;
    constexpr u32 smallest_cap = 3;
    const auto is_nodesize = [](u32 size) {
        return size >= sectorsize && size <= alignment && (size & (size - 1)) == 0;
    };
    if (!is_nodesize(geometry.nodesize))
        return "nodesize must be a power of two from 4096 to 65536";
    if (geometry.items_per_node != 0 && geometry.items_per_node < smallest_cap)
        return "items_per_node must be 0 (what fits) or at least 3";
    if (geometry.pointers_per_node != 0 && geometry.pointers_per_node < smallest_cap)
        return "pointers_per_node must be 0 (as items_per_node) or at least 3";
    for (const u64 size : {geometry.data_chunk, geometry.metadata_chunk, geometry.system_chunk})
        if (size == 0 || size % alignment != 0) return "chunks must be multiples of 64 KiB";
    for (const auto& spec : geometry.devices)
        if (spec.size % sectorsize != 0)
            return "the size of device " + spec.name + " is no multiple of 4096";
    if (std::string problem = check_zones(geometry); !problem.empty()) return problem;
    if (!plan_chunks(geometry))
        return "the devices have no room for one system, metadata and data chunk in these profiles";
    return {};
}

void mkfs(FsInfo& fs, const Geometry& geometry) {
    Mkfs(fs, geometry).run();
}

}  // namespace model
