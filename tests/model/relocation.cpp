#include "model/relocation.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "model/disk_io.h"
#include "model/fixes.h"
#include "model/vfs.h"
#include "tests/model/support/watched_fs.h"

namespace relocation_test {

using namespace model;

namespace {

/// Files of a tree of several levels, one of them nocow, and a snapshot that shares most of it.
void files_and_snapshot(FsInfo& fs) {
    for (const char* const name : {"f1", "f2", "f3", "f4"})
        test::must(vfs::create(fs, name), "create");
    test::must(vfs::set_nocow(fs, "f2", true), "chattr");
    test::must(vfs::pwrite(fs, "f1", 0, 16384, 0x61), "pwrite");
    test::must(vfs::pwrite(fs, "f2", 0, 8192, 0x62), "pwrite");
    test::must(vfs::fallocate(fs, "f3", 0, 8192), "falloc");
    test::must(vfs::sync(fs), "sync");
    test::must(vfs::snapshot(fs, ".", "snap", true), "snapshot");
    test::must(vfs::pwrite(fs, "f1", 4096, 4096, 0x63), "pwrite");
    test::must(vfs::sync(fs), "sync");
}

void expect_files(FsInfo& fs) {
    test::must(vfs::drop_caches(fs), "drop_caches");
    CHECK(vfs::pread(fs, "f1", 0, 4096, 0x61).ok());
    CHECK(vfs::pread(fs, "f1", 4096, 4096, 0x63).ok());
    CHECK(vfs::pread(fs, "f2", 0, 8192, 0x62).ok());
    CHECK(vfs::pread(fs, "snap/f1", 0, 16384, 0x61).ok());
    CHECK(vfs::pread(fs, "snap/f2", 0, 8192, 0x62).ok());
}

test::Watched watched_on(const std::string& kernel, u32 items_per_node) {
    test::Watched watched{.kernel = kernel, .prepare = files_and_snapshot};
    watched.geometry.items_per_node = items_per_node;
    return watched;
}

std::vector<u64> chunks_of(const FsInfo& fs, u64 type) {
    std::vector<u64> found;
    for (const auto& [logical, map] : fs.mapping_tree)
        if ((map->type & type) != 0) found.push_back(logical);
    return found;
}

void collect_blocks(const FsInfo& fs, Bytenr bytenr, std::set<u64>& blocks) {
    blocks.insert(bytenr.get());
    const auto bytes = peek_tree_block(fs, bytenr);
    const auto header = load<HeaderItem>(bytes.data());
    for (u32 slot = 0; header.level > 0 && slot < header.nritems; ++slot)
        collect_blocks(
            fs,
            Bytenr(
                load<KeyPtr>(bytes.data() + sizeof(HeaderItem) + slot * sizeof(KeyPtr)).blockptr),
            blocks);
}

/// Blocks that the tree and its snapshot have together.
std::size_t blocks_of_both(FsInfo& fs) {
    std::set<u64> blocks;
    for (const auto& [id, root] : fs.fs_roots)
        if (root->shareable()) collect_blocks(fs, root->node->start, blocks);
    return blocks.size();
}

void balance(FsInfo& fs) {
    static_cast<void>(balance_start(fs, true, true).ok());
}

bool says(const sim::ExecutionResult& result, const std::string& text) {
    return std::ranges::any_of(
        result.messages, [&](const std::string& m) { return m.find(text) != std::string::npos; });
}

std::string failure_of(const sim::ExecutionResult& result) {
    return result.violation ? result.violation->text : std::string();
}

}  // namespace

TEST_CASE("A balance moves everything to new chunks, and files read as before",
          "[model][relocation]") {
    const auto kernel = GENERATE("4.7", "4.19", "5.0", "5.3", "5.5", "6.1", "6.12");
    const u32 items = GENERATE(0, 5);
    test::Watched watched = watched_on(kernel, items);
    watched.tasks.push_back([](FsInfo& fs) {
        const auto before = chunks_of(fs, bg_data | bg_metadata);
        test::must(balance_start(fs, true, true), "balance");
        for (const u64 logical : chunks_of(fs, bg_data | bg_metadata))
            CHECK(std::ranges::find(before, logical) == before.end());
        for (const auto& [start, bg] : fs.block_groups)
            CHECK(std::ranges::find(before, start) == before.end());
        expect_files(fs);
        test::must(vfs::sync(fs), "sync");
    });
    const auto result = test::run_watched(watched);
    INFO(failure_of(result));
    CHECK(test::signature_of(result) == "");
    CHECK(says(result, "balance: start -d -m"));
    CHECK(says(result, "relocating block group"));
    CHECK(says(result, "balance: ended with status: 0"));
    CHECK(says(result, "stage: update data pointers") ==
          (KernelVersion::parse(kernel, {}, {}).value().at_least(5, 4)));
}

TEST_CASE("What trees shared before a balance they share after it", "[model][relocation]") {
    const auto kernel = GENERATE("4.19", "6.1");
    test::Watched watched = watched_on(kernel, 4);
    watched.tasks.push_back([](FsInfo& fs) {
        CHECK(vfs::pread(fs, "snap/f1", 0, 4096, 0x61).ok());
        const std::size_t before = blocks_of_both(fs);
        test::must(balance_start(fs, true, true), "balance");
        CHECK(blocks_of_both(fs) == before);
    });
    CHECK(test::signature_of(test::run_watched(watched)) == "");
}

TEST_CASE("A relocated mirror has both its copies", "[model][relocation]") {
    const auto profile = GENERATE(bg_dup, bg_raid1);
    test::Watched watched = watched_on("6.1", 4);
    watched.geometry = test::small_geometry(profile == bg_raid1 ? 2 : 1);
    watched.geometry.items_per_node = 4;
    watched.geometry.data_profile = watched.geometry.metadata_profile = profile;
    watched.tasks.push_back([](FsInfo& fs) {
        test::must(balance_start(fs, true, true), "balance");
        expect_files(fs);
    });
    const auto result = test::run_watched(watched);
    INFO(failure_of(result));
    CHECK(test::signature_of(result) == "");
}

TEST_CASE("A balance beside writers and snapshots loses nothing", "[model][relocation]") {
    const std::string kernel = GENERATE("4.19", "5.3", "6.1");
    test::Watched watched = watched_on(kernel, 8);
    if (kernel == "5.3") watched.with = {"1fac4a54374f", "6282675e6708"};
    watched.tasks = {balance,
                     [](FsInfo& fs) {
                         test::must(vfs::pwrite(fs, "f1", 0, 8192, 0x64), "pwrite");
                         test::must(vfs::writeback(fs, "f1"), "writeback");
                         test::must(vfs::pwrite(fs, "f2", 0, 4096, 0x65), "pwrite");
                         test::must(vfs::pwrite(fs, "f3", 4096, 4096, 0x66), "pwrite");
                         test::must(vfs::fsync(fs, "f3"), "fsync");
                         test::must(vfs::snapshot(fs, ".", "late", false), "snapshot");
                         test::must(vfs::unlink(fs, "f4"), "unlink");
                         test::must(vfs::pwrite(fs, "late/f1", 0, 4096, 0x67), "pwrite");
                     },
                     [](FsInfo& fs) {
                         CHECK(vfs::pread(fs, "snap/f1", 0, 16384, 0x61).ok());
                         test::must(vfs::sync(fs), "sync");
                     }};
    const auto report = test::hunt_watched(watched, 12, 3);
    INFO((report.failures.empty() ? std::string() : failure_of(report.failures[0].result)));
    CHECK(test::signature_of(report) == "");
}

// ---- control
// -------------------------------------------------------------------------------------

TEST_CASE("Exclusive operations exclude each other", "[model][relocation]") {
    test::Watched watched{.geometry = test::geometry_with_spare(), .prepare = files_and_snapshot};
    watched.tasks.push_back([](FsInfo& fs) {
        fs.dev_replace.exclusive_operation.store(exclop::dev_replace);
        CHECK(balance_start(fs, true, true).error() == Errno::InProgress);
        CHECK(resize_device(fs, "a", u64{32} << 20).error() == Errno::InProgress);
        fs.dev_replace.exclusive_operation.store(exclop::none);
        CHECK(balance_pause(fs).error() == Errno::NotConn);
        CHECK(balance_resume(fs).error() == Errno::NotConn);
        CHECK(balance_cancel(fs).error() == Errno::NotConn);
    });
    CHECK(test::signature_of(test::run_watched(watched)) == "");
}

namespace {

/// Random executions: none may fail, and one must come to what the tasks look for.
void hunt_until(const test::Watched& watched, const bool& seen) {
    for (std::uint64_t seed = 1; seed <= 60 && !seen; ++seed) {
        const auto report = test::hunt_watched(watched, 1, seed);
        INFO((report.failures.empty() ? std::string() : failure_of(report.failures[0].result)));
        REQUIRE(test::signature_of(report) == "");
    }
    CHECK(seen);
}

}  // namespace

TEST_CASE("A paused balance keeps the exclusive operation, and goes on when it is told to",
          "[model][relocation]") {
    test::Watched watched = watched_on(GENERATE("5.3", "6.1"), 0);
    bool paused = false;
    watched.tasks = {balance, [&paused](FsInfo& fs) {
                         if (!balance_pause(fs) || fs.balance.ctl == nullptr) return;
                         paused = true;
                         const bool has_state = fs.has(fix::balance_paused_state);
                         CHECK(fs.dev_replace.exclusive_operation.load() ==
                               (has_state ? exclop::balance_paused : exclop::balance));
                         CHECK(resize_device(fs, "a", u64{32} << 20).error() == Errno::InProgress);
                         CHECK(balance_start(fs, true, false).error() == Errno::InProgress);
                         test::must(balance_resume(fs), "resume");
                         CHECK(fs.balance.ctl == nullptr);
                     }};
    hunt_until(watched, paused);
}

TEST_CASE("A cancelled balance leaves nothing behind", "[model][relocation]") {
    test::Watched watched = watched_on(GENERATE("4.19", "6.1"), 0);
    bool canceled = false;
    watched.tasks = {balance, [&canceled](FsInfo& fs) {
                         if (!balance_cancel(fs)) return;
                         canceled = true;
                         CHECK(fs.balance.ctl == nullptr);
                         expect_files(fs);
                     }};
    hunt_until(watched, canceled);
}

// ---- the size of a device
// ------------------------------------------------------------------------

TEST_CASE("A device that shrinks is emptied beyond its new size", "[model][relocation]") {
    test::Watched watched = watched_on(GENERATE("4.19", "5.3", "6.1"), 4);
    watched.geometry.data_chunk = u64{1} << 20;
    watched.tasks.push_back([](FsInfo& fs) {
        Device& device = *find_device_by_name(fs, "a");
        const u64 size = device.total_bytes;
        // A chunk at the end, with data that has to move.
        test::must(vfs::create(fs, "large"), "create");
        test::must(vfs::pwrite(fs, "large", 0, u64{1} << 20, 0x68), "pwrite");
        test::must(vfs::sync(fs), "sync");
        const auto last = *device.alloc_state.rbegin();
        test::must(balance_start(fs, false, true), "balance");
        test::must(vfs::commit(fs), "commit");
        const u64 smaller = last.first + last.second;
        test::must(resize_device(fs, "a", smaller), "shrink");
        CHECK(device.total_bytes == smaller);
        for (const auto& [physical, length] : device.alloc_state)
            CHECK(physical + length <= smaller);
        expect_files(fs);
        CHECK(vfs::pread(fs, "large", 0, 4096, 0x68).ok());
        CHECK(resize_device(fs, "a", size * 2).error() == Errno::FBig);
        test::must(resize_device(fs, "a", size), "grow");
        CHECK(device.total_bytes == size);
    });
    const auto result = test::run_watched(watched);
    INFO(failure_of(result));
    CHECK(test::signature_of(result) == "");
    CHECK(says(result, "resize device /dev/a (devid 1) from"));
}

TEST_CASE("A device that cannot be emptied keeps its size", "[model][relocation]") {
    test::Watched watched = watched_on("6.1", 0);
    watched.tasks.push_back([](FsInfo& fs) {
        Device& device = *find_device_by_name(fs, "a");
        const u64 size = device.total_bytes;
        CHECK(resize_device(fs, "a", u64{6} << 20).error() == Errno::NoSpc);
        CHECK(device.total_bytes == size);
        expect_files(fs);
    });
    const auto result = test::run_watched(watched);
    INFO(failure_of(result));
    CHECK(test::signature_of(result) == "");
}

}  // namespace relocation_test
