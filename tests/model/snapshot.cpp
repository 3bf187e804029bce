#include <catch2/catch.hpp>

#include "model/disk_io.h"
#include "model/fs_info.h"
#include "model/transaction.h"
#include "model/vfs.h"
#include "tests/model/support/image.h"
#include "tests/model/support/simulated_fs.h"
#include "tests/model/support/watched_fs.h"

namespace snapshot_test {

using namespace model;

TEST_CASE("a snapshot is a copy of the root node, made inside the commit", "[model][snapshot]") {
    RootItem source{}, snap{};
    Key key{};
    u64 committed = 0;
    bool shares_child = false;
    test::Watched watched;
    watched.geometry.items_per_node = 4;  // two levels
    watched.tasks = {[&](FsInfo& fs) {
        test::must(vfs::subvolume_create(fs, "sv"), "subvolume");
        for (const char* const name : {"sv/a", "sv/b", "sv/c"})
            test::must(vfs::create(fs, name), "create");
        test::must(vfs::snapshot(fs, "sv", "snap", true), "snapshot");
        Root& copy = **get_fs_root(fs, 257);
        Root& original = **get_fs_root(fs, 256);
        committed = fs.last_trans_committed.peek();
        source = original.root_item;
        snap = copy.root_item;
        key = copy.root_key;
        shares_child =
            copy.node->level() > 0 && copy.node->blockptr(0) == original.node->blockptr(0);
    }};
    const auto result = test::run_watched(watched);
    REQUIRE(test::signature_of(result) == "");
    CHECK(source.last_snapshot == committed);
    CHECK(snap.last_snapshot == committed);
    CHECK(snap.generation == committed);
    CHECK(key.offset == committed);
    CHECK((snap.flags & root_subvol_rdonly) != 0);
    CHECK(snap.bytenr != source.bytenr);
    CHECK(shares_child);
}

TEST_CASE("a name that is taken fails the snapshot and not the transaction", "[model][snapshot]") {
    Errno error{};
    test::Watched watched;
    watched.tasks = {[&](FsInfo& fs) {
        test::must(vfs::subvolume_create(fs, "sv"), "subvolume");
        test::must(vfs::create(fs, "taken"), "create");
        error = vfs::snapshot(fs, "sv", "taken", false).error();
        test::must(vfs::create(fs, "later"), "create");
        test::must(vfs::sync(fs), "sync");
    }};
    const auto result = test::run_watched(watched);
    CHECK(test::signature_of(result) == "");
    CHECK(error == Errno::Exist);
}

TEST_CASE("snapshots beside commits and writers keep every promise", "[model][snapshot]") {
    test::Watched watched;
    watched.prepare = [](FsInfo& fs) {
        test::must(vfs::subvolume_create(fs, "sv"), "subvolume");
        test::must(vfs::create(fs, "sv/f"), "create");
        test::must(vfs::pwrite(fs, "sv/f", 0, 8192, 0x61), "pwrite");
    };
    watched.tasks = {
        [](FsInfo& fs) { test::must(vfs::snapshot(fs, "sv", "snap", true), "snapshot"); },
        [](FsInfo& fs) { test::must(vfs::pwrite(fs, "sv/f", 0, 4096, 0x62), "pwrite"); },
        [](FsInfo& fs) { test::must(vfs::commit(fs), "commit"); },
    };
    const auto report = test::hunt_watched(watched, 60);
    CHECK(test::signature_of(report) == "");
    CHECK(report.unordered.empty());
}

TEST_CASE("btrfs check accepts subvolumes, snapshots and what was shared by them",
          "[model][snapshot]") {
    const test::TemporaryFolder folder;
    const auto result = test::run_on_fs(test::Options(), [&](FsInfo& fs) {
        test::must(vfs::subvolume_create(fs, "sv"), "subvolume");
        for (const char* const name : {"sv/a", "sv/b", "sv/c"}) {
            test::must(vfs::create(fs, name), "create");
            test::must(vfs::pwrite(fs, name, 0, 8192, 0x61), "pwrite");
        }
        for (const char* const name : {"s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8",
                                       "s9"}) {  // enough for references to spill
            test::must(vfs::snapshot(fs, "sv", name, false), "snapshot");
            test::must(vfs::pwrite(fs, "sv/a", 0, 4096, 0x62), "pwrite");
            test::must(vfs::pwrite(fs, std::string(name) + "/b", 4096, 4096, 0x63), "pwrite");
        }
        test::must(vfs::unlink(fs, "s3/c"), "unlink");
        test::must(vfs::sync(fs), "sync");
        test::dump_devices(fs, folder.path(), test::Content::Durable);
    });
    REQUIRE(result.outcome == sim::Outcome::Completed);
    for (const char* const mode : {"original", "lowmem"}) {
        const auto report = test::btrfs_check(folder.path(), "a", mode);
        if (!report.available) return;
        INFO(report.output);
        CHECK(report.clean);
    }
}

}  // namespace snapshot_test
