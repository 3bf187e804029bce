#include "model/disk_io.h"

#include <catch2/catch.hpp>

#include "model/vfs.h"
#include "tests/model/support/image.h"
#include "tests/model/support/simulated_fs.h"

namespace disk_io_test {

using namespace model;

namespace {

std::string what(const sim::ExecutionResult& result) {
    std::string text = result.violation ? result.violation->text + "\n" : "";
    for (const auto& line : result.messages)
        text += line + "\n";
    for (const auto& line : result.unordered)
        text += "unordered: " + line + "\n";
    return text;
}

void write_some_files(FsInfo& fs) {
    for (const char* const name : {"f1", "f2", "f3"}) {
        CHECK(vfs::create(fs, name).ok());
        CHECK(vfs::pwrite(fs, name, 0, 8 * sectorsize, 0x61).ok());
    }
    CHECK(vfs::sync(fs).ok());
    CHECK(vfs::pwrite(fs, "f2", sectorsize, 2 * sectorsize, 0x62).ok());
    CHECK(vfs::unlink(fs, "f3").ok());
    CHECK(vfs::sync(fs).ok());
}

/// Another machine that has nothing but what the devices hold for good.
FsInfo& after_power_loss(const FsInfo& lost) {
    FsInfo& fs = *sim::make<FsInfo>(same_kernel(lost.kernel), *lost.geometry);
    for (std::size_t i = 0; i < lost.fs_devices.all_devices.size(); ++i)
        for (const auto& [physical, sector] : lost.fs_devices.all_devices[i]->disk.durable)
            medium_store(*fs.fs_devices.all_devices[i], physical, sector);
    return fs;
}

}  // namespace

TEST_CASE("btrfs check accepts what commits leave, caches lost", "[model][disk_io]") {
    struct Shape {
        unsigned devices;
        u64 profile;
        u32 items_per_node;
    };
    const auto shape = GENERATE(Shape{1, 0, 0}, Shape{1, bg_dup, 4}, Shape{2, bg_raid1, 4});
    test::Options options{.geometry = test::small_geometry(shape.devices)};
    options.geometry.data_profile = options.geometry.metadata_profile = shape.profile;
    options.geometry.items_per_node = shape.items_per_node;
    const test::TemporaryFolder folder;
    const auto result = test::run_on_fs(options, [&](FsInfo& fs) {
        write_some_files(fs);
        test::dump_devices(fs, folder.path(), test::Content::Durable);
    });
    INFO(what(result));
    CHECK(result.outcome == sim::Outcome::Completed);
    CHECK(result.unordered.empty());
    for (const char* const mode : {"original", "lowmem"}) {
        const auto report = test::btrfs_check(folder.path(), "a", mode);
        if (!report.available) WARN("skipped: btrfs-progs is not installed");
        INFO(report.output);
        CHECK((report.clean || !report.available));
    }
}

TEST_CASE("A mount after a power loss finds the last commit", "[model][disk_io]") {
    test::Options options{.geometry = test::small_geometry(2)};
    options.geometry.metadata_profile = bg_raid1;
    options.geometry.items_per_node = 4;
    const auto result = test::run_on_fs(options, [](FsInfo& fs) {
        write_some_files(fs);
        const u64 committed = fs.last_trans_committed.peek();
        CHECK(vfs::create(fs, "after").ok());

        FsInfo& found = after_power_loss(fs);
        CHECK(open_ctree(found).ok());
        CHECK(found.generation == Transid(committed));
        CHECK(vfs::pread(found, "f1", 0, 8 * sectorsize, 0x61).ok());
        CHECK(vfs::pread(found, "f2", sectorsize, 2 * sectorsize, 0x62).ok());
        CHECK_FALSE(vfs::pread(found, "f3", 0, sectorsize, -1).ok());
        CHECK_FALSE(vfs::pread(found, "after", 0, sectorsize, -1).ok());
    });
    INFO(what(result));
    CHECK(result.outcome == sim::Outcome::Completed);
}

TEST_CASE("A block is written once however often the flusher comes by", "[model][disk_io]") {
    // Written in the background, a block is copied before it changes again in the same transaction,
    // so nothing is written in place.
    const auto result = test::run_on_fs({}, [](FsInfo& fs) {
        CHECK(vfs::create(fs, "f1").ok());
        const u64 before = fs.fs_devices.devices[0]->disk.writes;
        btree_writepages(fs);
        ExtentBuffer& root = root_node(*fs.fs_root);
        CHECK(root.header_flag(header_flag_written));
        const Bytenr written = root.start;
        wait_on_extent_buffer_writeback(root);
        free_extent_buffer(&root);
        const u64 after = fs.fs_devices.devices[0]->disk.writes;
        CHECK(after > before);
        btree_writepages(fs);
        CHECK(fs.fs_devices.devices[0]->disk.writes == after);
        CHECK(vfs::create(fs, "f2").ok());
        CHECK(fs.fs_root->node->start != written);
    });
    INFO(what(result));
    CHECK(result.outcome == sim::Outcome::Completed);
}

TEST_CASE("A super block that cannot be written ends the filesystem's writing",
          "[model][disk_io]") {
    const auto result = test::run_on_fs({}, [](FsInfo& fs) {
        CHECK(vfs::create(fs, "f1").ok());
        fs.fs_devices.devices[0]->dev_state.set_bit(dev_state::missing);
        CHECK_FALSE(vfs::sync(fs).ok());
        CHECK(fs.readonly);
        CHECK(fs.last_trans_committed.peek() == 1);
    });
    INFO(what(result));
    CHECK(what(result).find("Error while writing out transaction") != std::string::npos);
}

}  // namespace disk_io_test
