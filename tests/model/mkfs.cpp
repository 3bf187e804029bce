#include "model/mkfs.h"

#include <catch2/catch.hpp>

#include "model/disk_io.h"
#include "tests/model/support/image.h"
#include "tests/model/support/simulated_fs.h"

namespace mkfs_test {

using namespace model;

namespace {

struct Shape {
    const char* name;
    unsigned devices;
    u64 data_profile, metadata_profile;
    u32 nodesize, items_per_node;
};

Geometry geometry_of(const Shape& shape) {
    Geometry geometry = test::small_geometry(shape.devices);
    geometry.data_profile = shape.data_profile;
    geometry.metadata_profile = shape.metadata_profile;
    geometry.nodesize = shape.nodesize;
    geometry.items_per_node = shape.items_per_node;
    return geometry;
}

const Shape shapes[] = {
    {"one device", 1, 0, 0, 4096, 0},
    {"DUP metadata", 1, 0, bg_dup, 4096, 0},
    {"three items to a node", 1, 0, 0, 4096, 3},
    {"16K nodes", 1, 0, bg_dup, 16384, 5},
    {"RAID1", 2, bg_raid1, bg_raid1, 4096, 0},
    {"RAID1 on three devices", 3, bg_raid1, bg_raid1, 4096, 4},
};

}  // namespace

TEST_CASE("btrfs check accepts a filesystem just made", "[model][mkfs]") {
    const Shape shape = GENERATE(from_range(std::begin(shapes), std::end(shapes)));
    const std::string mode = GENERATE("original", "lowmem");
    INFO(shape.name << ", " << mode);
    const test::TemporaryFolder folder;
    const test::Options options{.geometry = geometry_of(shape), .mount = false};
    test::run_on_fs(options, [&](FsInfo& fs) {
        test::dump_devices(fs, folder.path(), test::Content::Durable);
    });
    const auto report = test::btrfs_check(folder.path(), "a", mode);
    if (!report.available) {
        WARN("skipped: btrfs-progs is not installed");
        return;
    }
    INFO(report.output);
    CHECK(report.clean);
}

TEST_CASE("btrfs check rejects a damaged image", "[model][mkfs]") {
    const test::TemporaryFolder folder;
    test::run_on_fs({.mount = false}, [&](FsInfo& fs) {
        Device& device = *fs.fs_devices.all_devices[0];
        constexpr u64 chunk_root = 1 << 20;
        medium_store(device, chunk_root + test::small_geometry().system_chunk, {});  // the fs tree
        test::dump_devices(fs, folder.path(), test::Content::Durable);
    });
    const auto report = test::btrfs_check(folder.path(), "a", "original");
    INFO(report.output);
    CHECK_FALSE(report.clean);
}

TEST_CASE("A mount reads what mkfs wrote", "[model][mkfs]") {
    const Shape shape = GENERATE(from_range(std::begin(shapes), std::end(shapes)));
    INFO(shape.name);
    const Geometry geometry = geometry_of(shape);
    const auto result = test::run_on_fs({.geometry = geometry}, [&](FsInfo& fs) {
        CHECK(fs.generation == Transid(1));
        CHECK(fs.last_trans_committed.peek() == 1);
        CHECK(fs.fs_devices.devices.size() == shape.devices);
        CHECK(fs.data_profile == shape.data_profile);
        CHECK(fs.metadata_profile == shape.metadata_profile);
        CHECK(fs.fs_root->objectid == fs_tree_objectid);
        CHECK(fs.fs_root->highest_objectid == first_free_objectid);
        CHECK(fs.next_subvolid == first_free_objectid);
        CHECK(fs.block_groups.size() == 3);
        u64 used = 0;
        for (const auto& [start, bg] : fs.block_groups) {
            used += bg->used;
            u64 free = 0;
            for (const auto& [from, length] : bg->free_space)
                free += length;
            CHECK(bg->used + free == bg->length);
        }
        CHECK(used == fs.super_copy->bytes_used);
        const auto reloc = get_fs_root(fs, data_reloc_tree_objectid);
        CHECK((reloc && !(*reloc)->shareable()));
        CHECK(get_fs_root(fs, 256).error() == Errno::NoEnt);
    });
    INFO((result.violation ? result.violation->text : std::string()));
    CHECK(result.outcome == sim::Outcome::Completed);
    CHECK(result.messages.empty());
}

TEST_CASE("The bytes of a new filesystem depend on its geometry alone", "[model][mkfs]") {
    const auto digest_of = [](u64 seed) {
        u64 digest = 0;
        test::Options options;
        options.geometry.seed = seed;
        test::run_on_fs(options, [&](FsInfo& fs) { digest = state_digest(fs); });
        return digest;
    };
    CHECK(digest_of(1) == digest_of(1));
    CHECK(digest_of(1) != digest_of(2));
}

TEST_CASE("A geometry that cannot be made is refused", "[model][mkfs]") {
    Geometry geometry = test::small_geometry(1);
    CHECK(check_geometry(geometry).empty());
    SECTION("mirrors need two devices") {
        geometry.metadata_profile = bg_raid1;
        CHECK_FALSE(check_geometry(geometry).empty());
    }
    SECTION("chunks need room") {
        geometry.data_chunk = 64 << 20;
        CHECK_FALSE(check_geometry(geometry).empty());
    }
    SECTION("nodes are powers of two") {
        geometry.nodesize = 12288;
        CHECK_FALSE(check_geometry(geometry).empty());
    }
    SECTION("a node needs items") {
        geometry.items_per_node = 2;
        CHECK_FALSE(check_geometry(geometry).empty());
    }
    SECTION("and pointers") {
        geometry.pointers_per_node = 2;
        CHECK_FALSE(check_geometry(geometry).empty());
    }
}

TEST_CASE("A damaged copy of a tree block is noticed, and the other one read", "[model][disk_io]") {
    // The second copy serves; with one copy the mount fails. The csum tree's root is the damaged
    // block.
    const auto profile = GENERATE(u64{0}, bg_dup);
    test::Options options{.mount = false};
    options.geometry.metadata_profile = profile;
    const auto result = test::run_on_fs(options, [&](FsInfo& fs) {
        Device& device = *fs.fs_devices.all_devices[0];
        constexpr u64 csum_root_offset = sectorsize;  // second block of the METADATA chunk
        const u64 metadata_chunk =
            (1 << 20) + options.geometry.system_chunk * (profile == bg_dup ? 2 : 1);
        const u64 physical = metadata_chunk + csum_root_offset;
        unsigned char bytes[sectorsize];
        expand_sector(medium_durable(device, physical), bytes);
        CHECK(load<HeaderItem>(bytes).owner == csum_tree_objectid);
        bytes[sectorsize - 1] ^= 1;
        medium_store(device, physical, {0, SectorBytes::copy_of(bytes)});
        CHECK(open_ctree(fs).ok() == (profile == bg_dup));
    });
    INFO((result.violation ? result.violation->text : std::string()));
    CHECK(result.outcome == sim::Outcome::Completed);
    REQUIRE_FALSE(result.messages.empty());
    CHECK(result.messages[0].find("checksum verify failed on logical ") != std::string::npos);
}

}  // namespace mkfs_test
