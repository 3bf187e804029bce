#pragma once
#include <string>
#include <vector>

#include "model/types.h"

namespace model {

/// Of all that mkfs() writes.
inline constexpr u64 first_generation = 1;

/// The filesystem that a scenario describes.
struct Geometry {
    struct DeviceSpec {
        std::string name;
        u64 size = 0;
        bool spare = false;  // not part of the filesystem at mkfs
    };
    std::vector<DeviceSpec> devices;
    u64 data_profile = 0, metadata_profile = 0;  // 0 single, bg_dup, bg_raid1
    u32 nodesize = 4096;
    u32 items_per_node = 0;     // cap on items of a leaf and slots of a node; 0: what fits
    u32 pointers_per_node = 0;  // cap on slots of a node alone; 0: as items_per_node
    u32 node_cap() const { return pointers_per_node == 0 ? items_per_node : pointers_per_node; }
    u64 data_chunk = 8 << 20, metadata_chunk = 8 << 20, system_chunk = 4 << 20;
    u64 zone_size = 0;         // 0: regular devices; zoned ones have chunks of one zone
    u32 max_active_zones = 0;  // of each device; 0: no limit
    u64 seed = 1;              // uuids come from it
};

/// What is wrong with a geometry, for people; empty when mkfs() can make a filesystem of it.
std::string check_geometry(const Geometry& geometry);

/// Writes an empty filesystem on the non-spare devices: super blocks, and trees in one SYSTEM,
/// METADATA and DATA chunk, laid out as the on-disk format document says (sections 4 to 12, 14),
/// first_generation. All writes durable. Does not mount.
void mkfs(FsInfo& fs, const Geometry& geometry);

}  // namespace model
