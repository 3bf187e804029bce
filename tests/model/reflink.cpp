#include "model/reflink.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <optional>

#include "model/disk_io.h"
#include "model/file_item.h"
#include "model/fixes.h"
#include "model/vfs.h"
#include "tests/model/support/watched_fs.h"

namespace reflink_test {

using namespace model;

namespace {

constexpr u64 sector = sectorsize;

/// f1 and f2 hold the same in extents of their own, but for the last of four sectors; s1 holds
/// them.
void two_files(FsInfo& fs) {
    for (const char* const name : {"f1", "f2"}) {
        test::must(vfs::create(fs, name), "create");
        test::must(vfs::pwrite(fs, name, 0, 3 * sector, 0x61), "pwrite");
    }
    test::must(vfs::pwrite(fs, "f1", 3 * sector, sector, 0x62), "pwrite");
    test::must(vfs::pwrite(fs, "f2", 3 * sector, sector, 0x63), "pwrite");
    test::must(vfs::sync(fs), "sync");
    test::must(vfs::snapshot(fs, ".", "s1", true), "snapshot");
    test::must(vfs::sync(fs), "sync");
}

constexpr u64 ino_f1 = 257, ino_f2 = 258;

Root& snapshot_root(FsInfo& fs) {
    return **get_fs_root(fs, 256);
}

/// Where on the disk the file holds this offset; 0: in a hole.
u64 place_of(Root& root, u64 ino, u64 offset) {
    const auto extent = lookup_file_extent(root, ino, offset);
    REQUIRE(extent.ok());
    if (!*extent || (*extent)->file_offset > offset) return 0;
    return (*extent)->item.disk_bytenr + (*extent)->item.offset + (offset - (*extent)->file_offset);
}

test::Watched watched_on(const std::string& kernel, std::vector<test::FsTask> tasks) {
    return {.kernel = kernel, .prepare = two_files, .tasks = std::move(tasks)};
}

void runs(const std::string& kernel, const test::FsTask& task) {
    CHECK(test::signature_of(test::run_watched(watched_on(kernel, {task}))) == "");
}

bool says(const sim::ExecutionResult& result, const std::string& text) {
    return std::ranges::any_of(
        result.messages, [&](const std::string& m) { return m.find(text) != std::string::npos; });
}

}  // namespace

TEST_CASE("What holds the same becomes one extent, also in a read-only subvolume",
          "[model][reflink]") {
    runs(GENERATE("4.19", "6.1"), [](FsInfo& fs) {
        Root& snapshot = snapshot_root(fs);
        CHECK(place_of(snapshot, ino_f1, 0) != place_of(snapshot, ino_f2, 0));
        test::must(vfs::dedupe(fs, "s1/f1", 0, "s1/f2", 0, 3 * sector), "dedupe");
        for (u64 at = 0; at < 3 * sector; at += sector)
            CHECK(place_of(snapshot, ino_f1, at) == place_of(snapshot, ino_f2, at));
        CHECK(place_of(snapshot, ino_f2, 3 * sector) == place_of(*fs.fs_root, ino_f2, 3 * sector));
        CHECK(place_of(*fs.fs_root, ino_f1, 0) != place_of(*fs.fs_root, ino_f2, 0));
        test::must(vfs::sync(fs), "sync");
        test::must(vfs::drop_caches(fs), "drop_caches");
        CHECK(vfs::pread(fs, "s1/f2", 0, 3 * sector, 0x61).ok());
        CHECK(vfs::pread(fs, "s1/f2", 3 * sector, sector, 0x63).ok());
    });
}

TEST_CASE("A part of an extent is shared where it is wanted", "[model][reflink]") {
    runs("6.1", [](FsInfo& fs) {
        test::must(vfs::dedupe(fs, "f1", sector, "f2", 0, 2 * sector), "dedupe");
        CHECK(place_of(*fs.fs_root, ino_f2, 0) == place_of(*fs.fs_root, ino_f1, sector));
        CHECK(place_of(*fs.fs_root, ino_f2, sector) == place_of(*fs.fs_root, ino_f1, 2 * sector));
        CHECK(place_of(*fs.fs_root, ino_f2, 2 * sector) !=
              place_of(*fs.fs_root, ino_f1, 2 * sector));
        test::must(vfs::dedupe(fs, "f2", 2 * sector, "f2", 0, sector), "within a file");
        CHECK(place_of(*fs.fs_root, ino_f2, 0) == place_of(*fs.fs_root, ino_f2, 2 * sector));
        test::must(vfs::sync(fs), "sync");
    });
}

TEST_CASE("Zeros become the hole that they are compared with", "[model][reflink]") {
    runs("6.1", [](FsInfo& fs) {
        test::must(vfs::create(fs, "sparse"), "create");
        test::must(vfs::pwrite(fs, "sparse", sector, sector, 0x61), "pwrite");
        test::must(vfs::create(fs, "zeros"), "create");
        test::must(vfs::pwrite(fs, "zeros", 0, 2 * sector, 0), "pwrite");
        test::must(vfs::dedupe(fs, "sparse", 0, "zeros", 0, sector), "dedupe");
        CHECK(place_of(*fs.fs_root, 260, 0) == 0);
        CHECK(place_of(*fs.fs_root, 260, sector) != 0);
        CHECK(vfs::pread(fs, "zeros", 0, 2 * sector, 0).ok());
    });
}

TEST_CASE("Files that differ stay as they are, and ranges must fit", "[model][reflink]") {
    runs("6.1", [](FsInfo& fs) {
        const u64 before = place_of(*fs.fs_root, ino_f2, 0);
        CHECK(vfs::dedupe(fs, "f1", 0, "f2", 0, 4 * sector).error() == Errno::BadE);
        CHECK(place_of(*fs.fs_root, ino_f2, 0) == before);
        CHECK(vfs::dedupe(fs, "f1", 0, "f2", 2 * sector, 4 * sector).error() == Errno::Inval);
        CHECK(vfs::dedupe(fs, "f1", 0, "f1", sector, 2 * sector).error() == Errno::Inval);
        CHECK(vfs::dedupe(fs, "f1", 0, ".", 0, sector).error() == Errno::IsDir);
        test::must(vfs::create(fs, "nocow"), "create");
        test::must(vfs::set_nocow(fs, "nocow", true), "chattr");
        test::must(vfs::pwrite(fs, "nocow", 0, sector, 0x61), "pwrite");
        CHECK(vfs::dedupe(fs, "f1", 0, "nocow", 0, sector).error() == Errno::Inval);
    });
}

TEST_CASE("Two deduplications in opposite directions do not wait for each other",
          "[model][reflink]") {
    const auto report = test::explore_watched(
        watched_on(
            "6.1",
            {[](FsInfo& fs) { test::must(vfs::dedupe(fs, "f1", 0, "f2", 0, sector), "1"); },
             [](FsInfo& fs) { test::must(vfs::dedupe(fs, "f2", 0, "f1", 0, sector), "2"); }}),
        1);
    CHECK(report.end == sim::SearchEnd::Complete);
    CHECK(test::signature_of(report) == "");
}

TEST_CASE("From 5.2 on a root is sent or deduplicated", "[model][reflink]") {
    const std::string kernel = GENERATE("5.1", "5.2", "6.1");
    const bool excluded = kernel != "5.1";
    std::optional<Errno> dedupe, send;
    auto watched =
        watched_on(kernel, {[&](FsInfo& fs) {
                       Root& snapshot = snapshot_root(fs);
                       test::must(begin_send_of(snapshot), "begin_send_of");
                       const auto refused = vfs::dedupe(fs, "s1/f1", 0, "s1/f2", 0, sector);
                       if (!refused) dedupe = refused.error();
                       end_send_of(snapshot);
                       test::must(begin_dedupe_of(snapshot), "begin_dedupe_of");
                       const auto also_refused = vfs::send(fs, "s1", "", vfs::dev_null);
                       if (!also_refused) send = also_refused.error();
                       test::must(begin_dedupe_of(snapshot), "two deduplications");
                       end_dedupe_of(snapshot);
                       end_dedupe_of(snapshot);
                       test::must(vfs::send(fs, "s1", "", vfs::dev_null), "send");
                       test::must(vfs::dedupe(fs, "s1/f1", 0, "s1/f2", 0, sector), "dedupe");
                   }});
    const auto result = test::run_watched(watched);
    CHECK(test::signature_of(result) == "");
    CHECK(dedupe == (excluded ? std::optional(Errno::Again) : std::nullopt));
    CHECK(send == dedupe);
    CHECK(says(result, "cannot deduplicate to root 256 while send operations are using it "
                       "(1 in progress)") == excluded);
    CHECK(says(result, "cannot use root 256 for send while deduplications on it are in progress "
                       "(1 in progress)") == excluded);
}

}  // namespace reflink_test
