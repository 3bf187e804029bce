#include "model/zoned.h"

#include <catch2/catch.hpp>

#include "model/fs_info.h"
#include "model/vfs.h"
#include "tests/model/support/watched_fs.h"

namespace zoned_test {

using namespace model;
using test::must;
using test::Watched;

namespace {

constexpr u64 kib = 1024;

Geometry zoned_geometry(u64 zone_size = u64{1} << 20, u32 max_active_zones = 0) {
    Geometry geometry;
    geometry.devices = {{"a", u64{16} << 20}};
    geometry.zone_size = zone_size;
    geometry.data_chunk = geometry.metadata_chunk = geometry.system_chunk = zone_size;
    geometry.max_active_zones = max_active_zones;
    return geometry;
}

BlockGroup& group_of(FsInfo& fs, u64 type) {
    for (const auto& [start, bg] : fs.block_groups)
        if ((bg->flags & type) != 0) return *bg;
    std::abort();
}

std::string name(unsigned i) {
    return "f" + std::to_string(i);
}

void make_files(FsInfo& fs, unsigned count) {
    for (unsigned i = 0; i < count; ++i)
        must(vfs::create(fs, name(i)), "touch");
}

void remove_files(FsInfo& fs, unsigned first, unsigned end) {
    for (unsigned i = first; i < end; ++i)
        must(vfs::unlink(fs, name(i)), "rm");
}

/// One file, rewritten and synced again and again.
void rewrite(FsInfo& fs, unsigned times, u64 bytes) {
    must(vfs::create(fs, "f"), "touch");
    for (unsigned i = 0; i < times; ++i) {
        must(vfs::pwrite(fs, "f", 0, bytes, static_cast<u8>(i + 1)), "pwrite");
        must(vfs::sync(fs), "sync");
    }
}

std::string run(const Geometry& geometry, const std::string& kernel, test::FsTask task) {
    return test::signature_of(
        test::run_watched({.geometry = geometry, .kernel = kernel, .tasks = {std::move(task)}}));
}

}  // namespace

TEST_CASE("Space in a zone is given out in order, and lost when it is freed", "[model][zoned]") {
    CHECK(run(zoned_geometry(), "6.1", [](FsInfo& fs) {
              BlockGroup& data = group_of(fs, bg_data);
              CHECK(data.zoned->alloc_offset == 0);
              CHECK_FALSE(data.zoned->is_active);
              rewrite(fs, 3, 8 * kib);
              CHECK(data.zoned->alloc_offset == 24 * kib);
              CHECK(data.used == 8 * kib);
              CHECK(data.zoned->zone_unusable == 16 * kib);
              CHECK(data.space_info->bytes_zone_unusable == 16 * kib);
              CHECK(data.zoned->is_active);
          }) == "");
}

TEST_CASE("A group that is read-only has nothing unusable of its own", "[model][zoned]") {
    CHECK(run(zoned_geometry(), "6.1", [](FsInfo& fs) {
              rewrite(fs, 3, 8 * kib);
              BlockGroup& data = group_of(fs, bg_data);
              must(inc_block_group_ro(data, false), "ro");
              CHECK(data.zoned->zone_unusable == 0);
              CHECK(data.space_info->bytes_zone_unusable == 0);
              dec_block_group_ro(data);
              CHECK(data.zoned->zone_unusable == 16 * kib);
          }) == "");
}

TEST_CASE("What is written is where the drive put it", "[model][zoned]") {
    CHECK(run(zoned_geometry(), "6.1", [](FsInfo& fs) {
              for (const char* file : {"f", "g"}) {
                  must(vfs::create(fs, file), "touch");
                  must(vfs::pwrite(fs, file, 0, 8 * kib, file[0] == 'f' ? 1 : 2), "pwrite");
              }
              must(vfs::writeback(fs, "g"), "writeback");
              must(vfs::writeback(fs, "f"), "writeback");
              must(vfs::sync(fs), "sync");
              must(vfs::drop_caches(fs), "drop_caches");
              CHECK(vfs::pread(fs, "f", 0, 8 * kib, 1).ok());
              CHECK(vfs::pread(fs, "g", 0, 8 * kib, 2).ok());
          }) == "");
}

TEST_CASE("Two appends end where they come first", "[model][zoned]") {
    const Watched watched{.geometry = zoned_geometry(),
                          .prepare =
                              [](FsInfo& fs) {
                                  make_files(fs, 2);
                                  must(vfs::sync(fs), "sync");
                              },
                          .tasks = {[](FsInfo& fs) {
                                        must(vfs::pwrite(fs, name(0), 0, 4 * kib, 1), "pwrite");
                                        must(vfs::writeback(fs, name(0)), "writeback");
                                    },
                                    [](FsInfo& fs) {
                                        must(vfs::pwrite(fs, name(1), 0, 4 * kib, 2), "pwrite");
                                        must(vfs::fsync(fs, name(1)), "fsync");
                                    }}};
    CHECK(test::signature_of(test::hunt_watched(watched, 200)) == "");
}

TEST_CASE("A zoned filesystem refuses to write in place", "[model][zoned]") {
    CHECK(run(zoned_geometry(), "6.1", [](FsInfo& fs) {
              must(vfs::create(fs, "f"), "touch");
              CHECK(vfs::fallocate(fs, "f", 0, 4 * kib).error() == Errno::OpNotSupp);
              CHECK(vfs::set_nocow(fs, "f", true).error() == Errno::Perm);
          }) == "");
}

TEST_CASE("Full zones are finished, and the next ones opened", "[model][zoned]") {
    const auto kernel = GENERATE(as<std::string>(), "6.1", "6.8");
    const u32 max_active = GENERATE(0, 4);
    CHECK(run(zoned_geometry(256 * kib, max_active), kernel, [](FsInfo& fs) {
              rewrite(fs, 40, 16 * kib);
              unsigned full = 0, active = 0;
              for (const auto& [start, bg] : fs.block_groups) {
                  full += bg->zoned->is_full() ? 1 : 0;
                  active += bg->zoned->is_active ? 1 : 0;
              }
              CHECK(full >= 4);
              CHECK(active <= 4);
          }) == "");
}

TEST_CASE("A data zone is finished early when another must be opened", "[model][zoned]") {
    CHECK(run(zoned_geometry(256 * kib, 4), "6.8", [](FsInfo& fs) {
              rewrite(fs, 1, 4 * kib);
              BlockGroup& data = group_of(fs, bg_data);
              CHECK(data.zoned->is_active);
              CHECK(zone_finish_one_bg(fs));
              CHECK_FALSE(data.zoned->is_active);
              CHECK(data.zoned->is_full());
              must(vfs::pwrite(fs, "f", 0, 4 * kib, 9), "pwrite");
              must(vfs::sync(fs), "sync");
          }) == "");
}

TEST_CASE("Blocks that are freed unwritten do not stop a zone", "[model][zoned]") {
    const auto churn = [](FsInfo& fs) {
        make_files(fs, 30);
        must(vfs::sync(fs), "sync");
        remove_files(fs, 0, 28);
        make_files(fs, 20);
        remove_files(fs, 0, 20);
        static_cast<void>(vfs::sync(fs).ok());
    };
    SECTION("with any way to write them") {
        const auto kernel = GENERATE(as<std::string>(), "5.12", "6.1", "6.7", "6.8", "6.9", "6.12");
        CHECK(run(zoned_geometry(), kernel, churn) == "");
    }
    SECTION("but do when they are just clean: the commit cannot write what lies behind") {
        const auto result = test::run_watched({.geometry = zoned_geometry(),
                                               .kernel = "6.1",
                                               .without = {"d3575156f662"},
                                               .tasks = {churn}});
        CHECK(test::signature_of(result) == "commit-completes");
        CHECK(std::ranges::any_of(result.messages, [](const std::string& message) {
            return message.find("errno=-11 unknown (Error while writing out transaction)") !=
                   std::string::npos;
        }));
    }
}

namespace {

/// A root with two leaves, copied in the running transaction, beside a writer of tree blocks.
Watched copied_beside_writer(const std::string& kernel, std::vector<std::string> with) {
    return {.geometry = zoned_geometry(),
            .kernel = kernel,
            .with = std::move(with),
            .prepare =
                [](FsInfo& fs) {
                    make_files(fs, 12);
                    must(vfs::sync(fs), "sync");
                    must(vfs::set_nocow(fs, name(0), false), "chattr");
                },
            .tasks = {[](FsInfo& fs) { must(vfs::writeback_metadata(fs), "writeback"); },
                      [](FsInfo& fs) { must(vfs::set_nocow(fs, name(0), false), "chattr"); }}};
}

}  // namespace

TEST_CASE("6.8 zeroes a block whose header is still needed", "[model][zoned]") {
    const auto [kernel, with, signature] =
        GENERATE(table<std::string, std::vector<std::string>, std::string>(
            {{"6.1", {}, ""},
             {"6.8", {}, "freed-block-level"},
             {"6.8", {"zoned-keep-header"}, ""},
             {"6.8", {"68879386180c"}, ""},
             {"6.9", {}, ""}}));
    sim::ExploreOptions options;
    options.max_deviations = 2;
    options.reduction = sim::Reduction::Dpor;
    const auto report =
        sim::explore(test::watched_program(copied_beside_writer(kernel, with)), options);
    CHECK(test::signature_of(report) == signature);
}

TEST_CASE("A replace copies zones in their order", "[model][zoned][dev_replace]") {
    Geometry geometry = zoned_geometry();
    geometry.devices.push_back({"c", geometry.devices[0].size, true});
    const auto work = [](FsInfo& fs) {
        rewrite(fs, 3, 8 * kib);
        must(vfs::replace_start(fs, "a", "c"), "replace");
        CHECK(std::string_view(fs.fs_devices.devices[0]->name) == "c");
        must(vfs::pwrite(fs, "f", 0, 8 * kib, 7), "pwrite");
        must(vfs::sync(fs), "sync");
        must(vfs::drop_caches(fs), "drop_caches");
        CHECK(vfs::pread(fs, "f", 0, 8 * kib, 7).ok());
    };
    const auto kernel = GENERATE(as<std::string>(), "5.12", "6.1", "6.8");
    CHECK(run(geometry, kernel, work) == "");
}

TEST_CASE("After a mount a zone goes on where it was written to", "[model][zoned]") {
    CHECK(run(zoned_geometry(), "6.1", [](FsInfo& fs) {
              rewrite(fs, 3, 8 * kib);
              BlockGroup& data = group_of(fs, bg_data);
              BlockGroup& metadata = group_of(fs, bg_metadata);
              const u64 data_offset = data.zoned->alloc_offset;
              const u64 metadata_offset = metadata.zoned->alloc_offset;
              for (BlockGroup* const bg : {&data, &metadata}) {
                  bg->zoned->alloc_offset = bg->zoned->zone_unusable = 0;
                  bg->zoned->meta_write_pointer = 0;
                  load_zone_info(*bg);
              }
              CHECK(data.zoned->alloc_offset == data_offset);
              CHECK(data.zoned->zone_unusable == data_offset - data.used);
              CHECK(metadata.zoned->alloc_offset == metadata_offset);
              CHECK(metadata.zoned->meta_write_pointer == metadata.start.get() + metadata_offset);
          }) == "");
}

}  // namespace zoned_test
