// fs/btrfs/disk-io.c: open_ctree(), and what it calls in volumes.c: from super blocks to a
// filesystem that transactions can run on.
//
// Left out: the tree log, degraded mounts of chunks, seed devices, orphans but those of the data
// relocation tree.
#include <algorithm>

#include "model/bio.h"
#include "model/disk_io.h"
#include "model/fs_info.h"

namespace model {
namespace {

// ---- devices and their super blocks -------------------------------------------------------------

struct DeviceSuper {
    Device* device;
    SuperBlock super;
};

/// Mirrors btrfs_read_disk_super(): the primary copy only.
Result<SuperBlock> read_super(FsInfo& fs, Device& device) {
    Vector<Sector> sectors(1);
    if (const auto read = device_io_wait(device, MapOp::Read, super_info_offset, sectors); !read)
        return read.error();
    auto super = parse_super(sectors[0], super_info_offset);
    if (!super && super.error() == Errno::UClean)
        fs.message("error", "superblock checksum mismatch");
    return super;
}

/// The devices that hold a super block, in the scenario's order.
std::vector<DeviceSuper> scan_devices(FsInfo& fs) {
    std::vector<DeviceSuper> found;
    for (std::size_t i = 0; i < fs.fs_devices.all_devices.size(); ++i) {
        Device& device = *fs.fs_devices.all_devices[i];
        const auto super = read_super(fs, device);
        if (super) found.push_back({&device, *super});
    }
    return found;
}

/// Mirrors device_list_add(): of two devices that claim one devid the newer super block wins.
void open_device(FsInfo& fs, const DeviceSuper& scanned) {
    auto& devices = fs.fs_devices.devices;
    Device& device = *scanned.device;
    device.devid = scanned.super.dev_item.devid;
    std::memcpy(device.uuid, scanned.super.dev_item.uuid, sizeof(device.uuid));
    device.bytes_used = device.commit_bytes_used = 0;
    device.alloc_state.clear();
    report_zones(device);
    device.in_fs_devices = true;
    device.on_alloc_list = device.devid != dev_replace_devid;
    device.dev_state.poke(u64{1} << dev_state::writeable);
    devices.push_back(&device);
}

void open_devices(FsInfo& fs, std::vector<DeviceSuper> scanned, const SuperBlock& latest) {
    std::stable_sort(scanned.begin(), scanned.end(),
                     [](const DeviceSuper& a, const DeviceSuper& b) {
                         if (a.super.dev_item.devid != b.super.dev_item.devid)
                             return a.super.dev_item.devid < b.super.dev_item.devid;
                         return a.super.generation > b.super.generation;
                     });
    FsDevices& all = fs.fs_devices;
    for (const DeviceSuper& each : scanned) {
        const bool ours = std::memcmp(each.super.fsid, latest.fsid, sizeof(latest.fsid)) == 0;
        if (ours && find_device(fs, each.super.dev_item.devid) == nullptr) open_device(fs, each);
    }
    std::memcpy(all.fsid, latest.fsid, sizeof(all.fsid));
    all.num_devices = all.open_devices = all.devices.size();
    all.rw_devices = static_cast<u64>(std::count_if(
        all.devices.begin(), all.devices.end(), [](const Device* d) { return d->on_alloc_list; }));
}

/// The newest super block is the filesystem; the devices that carry its fsid belong to it.
Result<void> read_supers(FsInfo& fs) {
    auto scanned = scan_devices(fs);
    if (scanned.empty()) return Errno::Inval;
    const auto newest = std::max_element(scanned.begin(), scanned.end(),
                                         [](const DeviceSuper& a, const DeviceSuper& b) {
                                             return a.super.generation < b.super.generation;
                                         });
    *fs.super_copy = newest->super;
    *fs.super_for_commit = newest->super;
    std::memcpy(fs.fsid, newest->super.fsid, sizeof(fs.fsid));
    fs.nodesize = newest->super.nodesize;
    fs.generation = Transid(newest->super.generation);
    fs.last_trans_committed.store(newest->super.generation);
    const SuperBlock latest = newest->super;
    open_devices(fs, std::move(scanned), latest);
    return {};
}

// ---- chunks -------------------------------------------------------------------------------------

Errno missing_device(FsInfo& fs, Devid devid) {
    fs.message("error", "devid " + number(devid) + " is missing");
    return Errno::NoEnt;
}

/// Mirrors read_one_chunk(). A chunk that sys_chunk_array named already is skipped.
Result<void> read_one_chunk(FsInfo& fs, u64 logical, const unsigned char* item) {
    if (fs.mapping_tree.contains(logical)) return {};
    const auto chunk = load<ChunkItem>(item);
    ChunkMap& map = *sim::make<ChunkMap>(logical, chunk.length, chunk.type);
    for (u32 i = 0; i < chunk.num_stripes; ++i) {
        const auto stripe = load<StripeItem>(item + sizeof(ChunkItem) + i * sizeof(StripeItem));
        Device* const device = find_device(fs, stripe.devid);
        if (device == nullptr) {
            sim::destroy(&map);
            return missing_device(fs, stripe.devid);
        }
        map.stripes.push_back({device, stripe.offset});
        device->alloc_state.emplace(stripe.offset, chunk.length);
    }
    add_chunk_map(fs, map);
    return {};
}

/// Mirrors btrfs_read_sys_array().
Result<void> read_sys_array(FsInfo& fs) {
    const SuperBlock& super = *fs.super_copy;
    for (u32 at = 0; at < super.sys_chunk_array_size;) {
        const Key key = load<DiskKey>(super.sys_chunk_array + at).cpu();
        at += sizeof(DiskKey);
        if (const auto read = read_one_chunk(fs, key.offset, super.sys_chunk_array + at); !read)
            return read.error();
        const auto chunk = load<ChunkItem>(super.sys_chunk_array + at);
        at += static_cast<u32>(sizeof(ChunkItem) + chunk.num_stripes * sizeof(StripeItem));
    }
    return {};
}

/// Mirrors read_one_dev().
Result<void> read_one_dev(FsInfo& fs, const DevItem& item) {
    Device* const device = find_device(fs, item.devid);
    if (device == nullptr) return missing_device(fs, item.devid);
    device->total_bytes = device->disk_total_bytes = device->commit_total_bytes = item.total_bytes;
    device->bytes_used = device->commit_bytes_used = item.bytes_used;
    device->dev_state.set_bit(dev_state::in_fs_metadata);
    return {};
}

Result<void> read_chunk_tree_item(FsInfo& fs, const Path& path) {
    const Key key = path.key();
    if (key.type == dev_item_key) return read_one_dev(fs, read_item<DevItem>(path));
    if (key.type != chunk_item_key) return {};
    path.nodes[0]->content.read();
    return read_one_chunk(fs, key.offset, path.nodes[0]->item_data(path.slots[0]));
}

/// Mirrors btrfs_read_chunk_tree().
Result<void> read_chunk_tree(FsInfo& fs) {
    Path path;
    const auto found = search_slot(nullptr, *fs.chunk_root, Key{}, path, 0, false);
    if (!found) return found.error();
    for (bool more = path.nodes[0]->nritems() > 0; more;) {
        if (const auto read = read_chunk_tree_item(fs, path); !read) return read.error();
        const auto next = next_item(*fs.chunk_root, path);
        if (!next) return next.error();
        more = *next;
    }
    return {};
}

/// The profile of new chunks is the best that the old ones have. Mirrors what
/// set_avail_alloc_bits() leads to.
void set_alloc_profiles(FsInfo& fs) {
    const auto better = [](u64 a, u64 b) { return ((a | b) & bg_raid1) != 0 ? bg_raid1 : a | b; };
    fs.data_profile = fs.metadata_profile = 0;
    for (const auto& [logical, map] : fs.mapping_tree) {
        u64& profile = (map->type & bg_data) != 0 ? fs.data_profile : fs.metadata_profile;
        profile = better(profile, map->type & (bg_raid1 | bg_dup));
    }
}

// ---- roots --------------------------------------------------------------------------------------

/// Reads the root node that the root's item names. Mirrors read_tree_root_path().
Result<void> read_root_node(Root& root, Bytenr bytenr, Transid generation, Level level) {
    ParentCheck check;
    check.transid = generation;
    check.level = level;
    check.has_level = true;
    const auto node = read_tree_block(root.fs, bytenr, check);
    if (!node) return node.error();
    root.node = *node;
    root.commit_root = *node;
    extent_buffer_get(**node);
    return {};
}

/// A tree that the super block names itself. Mirrors load_super_root().
Result<Root*> load_super_root(FsInfo& fs, Objectid objectid, Bytenr bytenr, u64 generation,
                              Level level) {
    Root* const root = sim::make<Root>(fs, objectid);
    if (const auto read = read_root_node(*root, bytenr, Transid(generation), level); !read) {
        sim::destroy(root);
        return read.error();
    }
    set_root_node_fields(
        root->root_item,
        *root->node);  // not TRACK_DIRTY: a commit writes both into the super block
    return root;
}

struct FoundRoot {
    Key key;
    RootItem item;
};

/// The newest ROOT_ITEM of a tree. Mirrors btrfs_find_root() with offset -1.
Result<FoundRoot> find_root_item(FsInfo& fs, Objectid objectid) {
    Path path;
    const Key last{objectid, root_item_key, ~u64{0}};
    const auto found = search_slot_for_read(*fs.tree_root, last, path, false);
    if (!found) return found.error();
    if (!*found) return Errno::NoEnt;
    const Key key = path.key();
    if (key.objectid != objectid || key.type != root_item_key) return Errno::NoEnt;
    return FoundRoot{key, read_item<RootItem>(path)};
}

/// Mirrors btrfs_read_tree_root().
Result<Root*> read_tree_root(FsInfo& fs, Objectid objectid) {
    const auto found = find_root_item(fs, objectid);
    return found ? read_root(fs, found->key, found->item) : found.error();
}

/// The largest object id in use below the negative ones, or 0. Mirrors
/// btrfs_init_root_free_objectid().
Result<u64> highest_objectid(Root& root) {
    Path path;
    const Key last{last_free_objectid, 0xFF, ~u64{0}};
    const auto found = search_slot_for_read(root, last, path, false);
    if (!found) return found.error();
    return *found ? path.key().objectid : u64{0};
}

struct GlobalRoot {
    Objectid objectid;
    Root* FsInfo::*root;
};
constexpr GlobalRoot global_roots[] = {{extent_tree_objectid, &FsInfo::extent_root},
                                       {dev_tree_objectid, &FsInfo::dev_root},
                                       {csum_tree_objectid, &FsInfo::csum_root}};

/// Mirrors btrfs_read_roots().
Result<void> read_roots(FsInfo& fs) {
    for (const GlobalRoot& global : global_roots) {
        const auto root = read_tree_root(fs, global.objectid);
        if (!root) {
            fs.message("warning", "couldn't read tree root");
            return root.error();
        }
        (*root)->state.set_bit(root_state::track_dirty);
        fs.*global.root = *root;
    }
    return {};
}

/// The next subvolume gets the id after the largest that any tree has, deleted ones included.
Result<void> init_subvolume_ids(FsInfo& fs) {
    const auto highest = highest_objectid(*fs.tree_root);
    if (!highest) return highest.error();
    fs.next_subvolid = std::max(*highest + 1, first_free_objectid);
    return {};
}

// ---- the order of it all ------------------------------------------------------------------------

Result<void> open_chunk_tree(FsInfo& fs) {
    if (const auto read = read_sys_array(fs); !read) {
        fs.message("error",
                   "failed to read the system array: -" + number(static_cast<u64>(read.error())));
        return read.error();
    }
    const SuperBlock& super = *fs.super_copy;
    const auto root = load_super_root(fs, chunk_tree_objectid, Bytenr(super.chunk_root),
                                      super.chunk_root_generation, super.chunk_root_level);
    if (!root) {
        fs.message("error", "failed to read chunk root");
        return root.error();
    }
    fs.chunk_root = *root;
    std::memcpy(fs.chunk_tree_uuid, (*root)->node->header().chunk_tree_uuid,
                sizeof(fs.chunk_tree_uuid));
    const auto read = read_chunk_tree(fs);
    if (!read)
        fs.message("error",
                   "failed to read chunk tree: -" + number(static_cast<u64>(read.error())));
    return read;
}

Result<void> open_trees(FsInfo& fs) {
    const SuperBlock& super = *fs.super_copy;
    const auto root = load_super_root(fs, root_tree_objectid, Bytenr(super.root), super.generation,
                                      super.root_level);
    if (!root) {
        fs.message("warning", "couldn't read tree root");
        return root.error();
    }
    fs.tree_root = *root;
    if (const auto read = read_roots(fs); !read) return read;
    return init_subvolume_ids(fs);
}

Result<void> open_space(FsInfo& fs) {
    if (const auto balance = recover_balance(fs); !balance) {
        fs.message("error",
                   "failed to recover balance: -" + number(static_cast<u64>(balance.error())));
        return balance;
    }
    if (const auto replace = init_dev_replace(fs); !replace) {
        fs.message("error",
                   "failed to init dev_replace: -" + number(static_cast<u64>(replace.error())));
        return replace;
    }
    if (const auto groups = read_block_groups(fs); !groups) {
        fs.message("error",
                   "failed to read block groups: -" + number(static_cast<u64>(groups.error())));
        return groups;
    }
    init_global_block_rsv(fs);
    return {};
}

/// Before anybody may write: what a crash interrupted comes to its end. Mirrors
/// btrfs_start_pre_rw_mount()
Result<void> start_pre_rw_mount(FsInfo& fs) {
    const sim::MutexGuard guard(fs.cleaner_mutex);
    const auto recovered = recover_relocation(fs);
    if (!recovered)
        fs.message("warning",
                   "failed to recover relocation: -" + number(static_cast<u64>(recovered.error())));
    return recovered;
}

/// Mirrors what open_ctree() starts once the filesystem may be written.
Result<void> start_rw_mount(FsInfo& fs) {
    if (const auto ready = start_pre_rw_mount(fs); !ready) return ready;
    resume_balance_async(fs);
    resume_dev_replace_async(fs);
    return {};
}

}  // namespace

Result<Root*> read_root(FsInfo& fs, const Key& key, const RootItem& item) {
    Root* const root = sim::make<Root>(fs, key.objectid);
    root->root_key = key;
    root->root_item = item;
    const auto read =
        read_root_node(*root, Bytenr(item.bytenr), Transid(item.generation), item.level);
    if (read) return root;
    sim::destroy(root);
    return read.error();
}

Result<void> open_ctree(FsInfo& fs) {
    sim::Scope scope("open_ctree");
    if (const auto read = read_supers(fs); !read) return read;
    if (const auto opened = open_chunk_tree(fs); !opened) return opened;
    set_alloc_profiles(fs);
    if (const auto opened = open_trees(fs); !opened) return opened;
    if (const auto opened = open_space(fs); !opened) return opened;
    const auto root = get_fs_root(fs, fs_tree_objectid);
    if (!root) {
        fs.message("warning", "failed to read fs tree: -" + number(static_cast<u64>(root.error())));
        return root.error();
    }
    fs.fs_root = *root;
    if (!fs.readonly)
        if (const auto started = start_rw_mount(fs); !started) return started;
    fs.flags.set_bit(fs_flag::open);
    return {};
}

// ---- subvolumes ---------------------------------------------------------------------------------

namespace {

/// The trees that a mount always has. Mirrors btrfs_get_global_root()
Root* global_root(FsInfo& fs, Objectid objectid) {
    if (objectid == root_tree_objectid) return fs.tree_root;
    if (objectid == chunk_tree_objectid) return fs.chunk_root;
    for (const GlobalRoot& global : global_roots)
        if (global.objectid == objectid) return fs.*global.root;
    return nullptr;
}

Root* cached_fs_root(FsInfo& fs, Objectid objectid) {
    const sim::SpinGuard guard(fs.fs_roots_lock);
    fs.fs_roots_obj.lookup(objectid);
    const auto found = fs.fs_roots.find(objectid);
    return found == fs.fs_roots.end() ? nullptr : found->second;
}

/// Mirrors btrfs_insert_fs_root(). @return the root of whoever was first
Root& insert_fs_root(FsInfo& fs, Root& root) {
    const sim::SpinGuard guard(fs.fs_roots_lock);
    fs.fs_roots_obj.insert(root.objectid);
    return *fs.fs_roots.emplace(root.objectid, &root).first->second;
}

void put_root(Root& root) {
    free_extent_buffer(root.node);
    free_extent_buffer(root.commit_root);
    sim::destroy(&root);
}

/// Reads a subvolume and makes it ready for use. Mirrors btrfs_init_fs_root().
Result<Root*> read_fs_root(FsInfo& fs, Objectid objectid) {
    const auto root = read_tree_root(fs, objectid);
    if (!root) return root.error();
    if ((*root)->root_item.refs == 0) {
        put_root(**root);
        return Errno::NoEnt;
    }
    const bool subvolume = objectid == fs_tree_objectid || objectid >= first_free_objectid;
    const bool shareable = subvolume && objectid != data_reloc_tree_objectid;
    (*root)->state.set_bit(shareable ? root_state::shareable : root_state::track_dirty);
    const auto highest = highest_objectid(**root);
    if (!highest) {
        put_root(**root);
        return highest.error();
    }
    (*root)->highest_objectid = std::max(*highest, first_free_objectid);
    return *root;
}

}  // namespace

Result<Root*> get_fs_root(FsInfo& fs, Objectid objectid) {
    if (Root* const global = global_root(fs, objectid)) return global;
    if (Root* const root = cached_fs_root(fs, objectid)) return root;
    const auto root = read_fs_root(fs, objectid);
    if (!root) return root.error();
    Root& first = insert_fs_root(fs, **root);
    if (&first != *root) put_root(**root);
    return &first;
}

}  // namespace model
