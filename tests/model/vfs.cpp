#include "model/vfs.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>
#include <string>
#include <vector>

#include "model/disk_io.h"
#include "model/file.h"
#include "model/file_item.h"
#include "model/fs_info.h"
#include "model/invariants.h"
#include "model/ledger.h"
#include "sim/completion.h"
#include "sim/rng.h"
#include "sim/strategies.h"
#include "tests/model/support/image.h"
#include "tests/model/support/simulated_fs.h"

namespace vfs_test {

using namespace model;

namespace {

constexpr u64 K = 1024;

void must(const Result<void>& result) {
    INFO((result ? "" : errno_name(result.error())));
    CHECK(result.ok());
}

enum class AtEnd { Checked, Damaged };

/// Runs `body` on a mounted filesystem; invariants are checked at every step and, where the body
/// did not damage a device, at the end.
sim::ExecutionResult run(const test::Options& options, const std::function<void(FsInfo&)>& body,
                         AtEnd at_end = AtEnd::Checked) {
    const auto result = test::run_on_fs(options, [&](FsInfo& fs) {
        watch_invariants(fs, sim::current());
        body(fs);
        fs.endio_write_workers.flush();
        if (at_end == AtEnd::Checked) check_end(fs);
    });
    INFO((result.violation ? result.violation->signature + ": " + result.violation->text : ""));
    CHECK(result.outcome == sim::Outcome::Completed);
    CHECK(result.unordered.empty());
    return result;
}

void reads(FsInfo& fs, const char* path, u64 offset, u64 length, u64 bytes, u8 pattern) {
    const auto read = vfs::pread(fs, path, offset, length, pattern);
    CHECK(read.ok());
    if (read) CHECK(*read == bytes);
}

/// The words of a file as they are read now.
std::vector<u8> content(FsInfo& fs, const char* path) {
    for (const auto& [key, inode] : fs.inodes) {
        if (fs.dcache[path] != inode) continue;
        const auto words = read_range(*inode, 0, ~u64{0});
        std::vector<u8> bytes;
        for (const u64 word : words ? *words : std::vector<u64>{})
            bytes.push_back(static_cast<u8>(word));
        return bytes;
    }
    return {};
}

std::vector<FileExtent> extents(FsInfo& fs, const char* path) {
    Inode& inode = *fs.dcache[path];
    std::vector<FileExtent> found;
    for (u64 offset = 0;;) {
        const auto extent = lookup_file_extent(inode.root, inode.ino, offset);
        if (!extent || !*extent) return found;
        found.push_back(**extent);
        offset = found.back().end();
    }
}

/// Overwrites what a device holds of the file's first sector, wherever its data chunk lies on the
/// device.
void damage(FsInfo& fs, const char* path, unsigned device) {
    const u64 disk = extents(fs, path).at(0).item.disk_bytenr;
    const ChunkMap& map = *find_chunk_map(fs, Bytenr(disk));
    const Stripe& stripe = map.stripes.at(device);
    Sector wrong;
    wrong.word = 0xBAD;
    medium_store(*stripe.dev, stripe.physical + disk - map.logical, wrong);
}

}  // namespace

TEST_CASE("A file reads back what was written, from the cache and from the device",
          "[model][vfs]") {
    run({}, [](FsInfo& fs) {
        must(vfs::create(fs, "f1"));
        must(vfs::pwrite(fs, "f1", 0, 16 * K, 0x61));
        must(vfs::pwrite(fs, "f1", 4 * K, 4 * K, 0x62));
        CHECK(content(fs, "f1") == std::vector<u8>{0x61, 0x62, 0x61, 0x61});
        must(vfs::fsync(fs, "f1"));
        must(vfs::drop_caches(fs));
        CHECK(content(fs, "f1") == std::vector<u8>{0x61, 0x62, 0x61, 0x61});
        reads(fs, "f1", 0, 64 * K, 16 * K, 0x61);
    });
}

TEST_CASE("Holes read as zeros", "[model][vfs]") {
    run({}, [](FsInfo& fs) {
        must(vfs::create(fs, "f1"));
        must(vfs::pwrite(fs, "f1", 8 * K, 4 * K, 0x61));
        must(vfs::sync(fs));
        must(vfs::drop_caches(fs));
        CHECK(content(fs, "f1") == std::vector<u8>{0, 0, 0x61});
    });
}

TEST_CASE("A read whose words nobody can have written is a violation", "[model][vfs]") {
    const auto result = test::run_on_fs({}, [](FsInfo& fs) {
        must(vfs::create(fs, "n1"));
        must(vfs::set_nocow(fs, "n1", true));  // no checksum notices it before the reader does
        must(vfs::pwrite(fs, "n1", 0, 4 * K, 0x61));
        must(vfs::sync(fs));
        must(vfs::drop_caches(fs));
        damage(fs, "n1", 0);
        static_cast<void>(vfs::pread(fs, "n1", 0, 4 * K, 1));
    });
    REQUIRE(result.violation);
    CHECK(result.violation->signature == "read-returns-what-was-written");
}

TEST_CASE("Data is allocated at writeback, and its metadata when the write is complete",
          "[model][vfs]") {
    run({}, [](FsInfo& fs) {
        must(vfs::create(fs, "f1"));
        must(vfs::pwrite(fs, "f1", 0, 8 * K, 0x61));
        CHECK(extents(fs, "f1").empty());
        const SpaceInfo& data = space_info_for(fs, bg_data);
        CHECK(data.bytes_may_use == 8 * K);
        must(vfs::writeback(fs, "f1"));
        CHECK(data.bytes_may_use == 0);
        CHECK(data.bytes_reserved == 8 * K);
        must(vfs::sync(fs));
        CHECK(data.bytes_reserved == 0);
        CHECK(data.bytes_used == 8 * K);
        CHECK(extents(fs, "f1").size() == 1);
    });
}

TEST_CASE("An overwrite goes elsewhere and frees the old extent; a NODATACOW file is overwritten "
          "in place",
          "[model][vfs]") {
    const bool nocow = GENERATE(false, true);
    run({}, [&](FsInfo& fs) {
        must(vfs::create(fs, "f1"));
        must(vfs::set_nocow(fs, "f1", nocow));
        must(vfs::pwrite(fs, "f1", 0, 8 * K, 0x61));
        must(vfs::sync(fs));
        const u64 first = extents(fs, "f1").at(0).item.disk_bytenr;
        must(vfs::pwrite(fs, "f1", 0, 8 * K, 0x62));
        must(vfs::sync(fs));
        CHECK((u64{extents(fs, "f1").at(0).item.disk_bytenr} == first) == nocow);
        CHECK(space_info_for(fs, bg_data).bytes_used == 8 * K);
        must(vfs::drop_caches(fs));
        CHECK(content(fs, "f1") == std::vector<u8>{0x62, 0x62});
    });
}

TEST_CASE("A file has checksums unless it is NODATASUM", "[model][vfs]") {
    const bool nocow = GENERATE(false, true);
    run({}, [&](FsInfo& fs) {
        must(vfs::create(fs, "f1"));
        must(vfs::set_nocow(fs, "f1", nocow));
        must(vfs::fallocate(fs, "f1", 0, 8 * K));
        const u64 disk = extents(fs, "f1").at(0).item.disk_bytenr;
        CHECK_FALSE(lookup_csums(fs, Bytenr(disk), 2)->at(1).has_value());
        must(vfs::pwrite(fs, "f1", 4 * K, 4 * K, 0x61));
        must(vfs::sync(fs));
        CHECK(u64{extents(fs, "f1").at(1).item.disk_bytenr} == disk);
        const auto sums = lookup_csums(fs, Bytenr(disk), 2);
        CHECK_FALSE(sums->at(0).has_value());
        CHECK(sums->at(1).has_value() == !nocow);
        must(vfs::unlink(fs, "f1"));
        must(vfs::sync(fs));
        CHECK_FALSE(lookup_csums(fs, Bytenr(disk), 2)->at(1).has_value());
    });
}

TEST_CASE("chattr +C has no effect on a file with data", "[model][vfs]") {
    run({}, [](FsInfo& fs) {
        must(vfs::create(fs, "f1"));
        must(vfs::pwrite(fs, "f1", 0, 4 * K, 0x61));
        must(vfs::set_nocow(fs, "f1", true));
        CHECK_FALSE(fs.dcache["f1"]->nodatacow());
    });
}

TEST_CASE("Truncation drops data, down and up", "[model][vfs]") {
    const bool written = GENERATE(false, true);
    run({}, [&](FsInfo& fs) {
        must(vfs::create(fs, "f1"));
        must(vfs::pwrite(fs, "f1", 0, 16 * K, 0x61));
        if (written) must(vfs::sync(fs));
        must(vfs::truncate(fs, "f1", 4 * K));
        CHECK(content(fs, "f1") == std::vector<u8>{0x61});
        must(vfs::truncate(fs, "f1", 12 * K));
        CHECK(content(fs, "f1") == std::vector<u8>{0x61, 0, 0});
        must(vfs::sync(fs));
        must(vfs::drop_caches(fs));
        CHECK(content(fs, "f1") == std::vector<u8>{0x61, 0, 0});
        CHECK(fs.dcache["f1"]->nbytes == 4 * K);
        CHECK(fs.dcache["f1"]->block_rsv.reserved == 0);
    });
}

TEST_CASE("Unlinking a file gives its space and its items back", "[model][vfs]") {
    const bool written = GENERATE(false, true);
    run({}, [&](FsInfo& fs) {
        must(vfs::create(fs, "f1"));
        must(vfs::pwrite(fs, "f1", 0, 8 * K, 0x61));
        if (written) must(vfs::sync(fs));
        must(vfs::unlink(fs, "f1"));
        CHECK(vfs::pread(fs, "f1", 0, 4 * K, -1).error() == Errno::NoEnt);
        must(vfs::sync(fs));
        CHECK(space_info_for(fs, bg_data).used(true) == 0);
        Path path;
        CHECK_FALSE(*search_slot(nullptr, *fs.fs_root, {257, inode_item_key, 0}, path, 0, false));
        path.release();
        CHECK_FALSE(*search_slot(nullptr, *fs.fs_root, {orphan_objectid, orphan_item_key, 257},
                                 path, 0, false));
    });
}

TEST_CASE("fallocate keeps what is there, and fills holes", "[model][vfs]") {
    run({}, [](FsInfo& fs) {
        must(vfs::create(fs, "f1"));
        must(vfs::pwrite(fs, "f1", 4 * K, 4 * K, 0x61));
        must(vfs::fallocate(fs, "f1", 0, 16 * K));
        CHECK(content(fs, "f1") == std::vector<u8>{0, 0x61, 0, 0});
        must(vfs::sync(fs));
        CHECK(extents(fs, "f1").size() == 3);
        CHECK(space_info_for(fs, bg_data).bytes_used == 16 * K);
        CHECK(space_info_for(fs, bg_data).bytes_may_use == 0);
    });
}

TEST_CASE("System calls refuse what the kernel refuses", "[model][vfs]") {
    run({}, [](FsInfo& fs) {
        must(vfs::create(fs, "f1"));
        must(vfs::create(fs, "f1"));
        CHECK(vfs::pwrite(fs, "f1", 1, 4 * K, 1).error() == Errno::Inval);
        CHECK(vfs::pwrite(fs, "nothing", 0, 4 * K, 1).error() == Errno::NoEnt);
        CHECK(vfs::create(fs, "f1/f2").error() == Errno::NotDir);
        CHECK(vfs::create(fs, "nothing/f2").error() == Errno::NoEnt);
        CHECK(vfs::unlink(fs, "nothing").error() == Errno::NoEnt);
        must(vfs::subvolume_create(fs, "sub"));
        CHECK(vfs::unlink(fs, "sub").error() == Errno::IsDir);
        CHECK(vfs::pwrite(fs, "sub", 0, 4 * K, 1).error() == Errno::IsDir);
        CHECK(vfs::snapshot(fs, "f1", "snap", false).error() == Errno::Inval);
        must(vfs::snapshot(fs, ".", "readonly", true));
        CHECK(vfs::pwrite(fs, "readonly/f1", 0, 4 * K, 1).error() == Errno::Rofs);
    });
}

TEST_CASE("A snapshot keeps what its source held", "[model][vfs]") {
    const bool nocow = GENERATE(false, true);
    run({}, [&](FsInfo& fs) {
        must(vfs::create(fs, "f1"));
        must(vfs::set_nocow(fs, "f1", nocow));
        must(vfs::pwrite(fs, "f1", 0, 8 * K, 0x61));
        must(vfs::snapshot(fs, ".", "snap", false));
        must(vfs::pwrite(fs, "f1", 0, 4 * K, 0x62));
        must(vfs::pwrite(fs, "snap/f1", 4 * K, 4 * K, 0x63));
        must(vfs::sync(fs));
        must(vfs::drop_caches(fs));
        CHECK(content(fs, "f1") == std::vector<u8>{0x62, 0x61});
        CHECK(content(fs, "snap/f1") == std::vector<u8>{0x61, 0x63});
    });
}

TEST_CASE("A file of a subvolume has a name space of its own", "[model][vfs]") {
    run({}, [](FsInfo& fs) {
        must(vfs::subvolume_create(fs, "sub"));
        must(vfs::create(fs, "f1"));
        must(vfs::create(fs, "sub/f1"));
        must(vfs::pwrite(fs, "sub/f1", 0, 4 * K, 0x61));
        must(vfs::sync(fs));
        CHECK(content(fs, "f1").empty());
        CHECK(content(fs, "sub/f1") == std::vector<u8>{0x61});
    });
}

// ---- damaged copies
// -------------------------------------------------------------------------------------------------------------------

namespace {

bool says(const sim::ExecutionResult& result, const std::string& text) {
    return std::any_of(
        result.messages.begin(), result.messages.end(),
        [&](const std::string& line) { return line.find(text) != std::string::npos; });
}

}  // namespace

TEST_CASE("A wrong copy is noticed by its checksum", "[model][vfs]") {
    const auto result = run(
        {},
        [](FsInfo& fs) {
            must(vfs::create(fs, "f1"));
            must(vfs::pwrite(fs, "f1", 0, 8 * K, 0x61));
            must(vfs::sync(fs));
            must(vfs::drop_caches(fs));
            damage(fs, "f1", 0);
            CHECK(vfs::pread(fs, "f1", 0, 8 * K, -1).error() == Errno::IO);
            CHECK(vfs::pread(fs, "f1", 4 * K, 4 * K, 0x61).ok());
        },
        AtEnd::Damaged);
    CHECK(says(result, "csum failed root 5 ino 257 off 0 csum 0x"));
    CHECK(says(result, "mirror 1"));
}

TEST_CASE("Another mirror stands in for a wrong copy", "[model][vfs]") {
    test::Options options{.geometry = test::small_geometry(2)};
    options.geometry.data_profile = options.geometry.metadata_profile = bg_raid1;
    const unsigned wrong = GENERATE(0U, 1U);
    run(
        options,
        [&](FsInfo& fs) {
            must(vfs::create(fs, "f1"));
            must(vfs::pwrite(fs, "f1", 0, 8 * K, 0x61));
            must(vfs::sync(fs));
            must(vfs::drop_caches(fs));
            damage(fs, "f1", wrong);
            CHECK(content(fs, "f1") == std::vector<u8>{0x61, 0x61});
        },
        AtEnd::Damaged);
}

// ---- the ladder of a writer
// -----------------------------------------------------------------------------------------------------------

namespace {

class WriterProgram final : public sim::Program {
  public:
    void prepare() override {
        geometry_ = test::small_geometry();
        fs_ = sim::make<FsInfo>(KernelVersion{}, geometry_);
        mkfs(*fs_, geometry_);
        if (!open_ctree(*fs_) || !vfs::create(*fs_, "f1")) sim::violation("preparation", "failed");
    }
    void start() override {
        sim::current().spawn("writer", [fs = fs_] {
            must(vfs::pwrite(*fs, "f1", 0, 4 * K, 0x61));
            must(vfs::writeback(*fs, "f1"));
        });
    }
    u64 state_hash() override { return state_digest(*fs_); }

  private:
    Geometry geometry_;
    FsInfo* fs_ = nullptr;
};

}  // namespace

TEST_CASE("The scopes of a write nest as in the reports of the kernel's developers",
          "[model][vfs]") {
    sim::ExecutionOptions options;
    options.narrate = true;
    sim::Execution execution([] { return std::make_unique<WriterProgram>(); }, options);
    REQUIRE(execution.preparation_error().empty());
    const auto usual = sim::make_default();
    usual->next_execution();
    const auto& result = execution.run(*usual);
    REQUIRE(result.outcome == sim::Outcome::Completed);

    std::string scopes;
    u32 last_task = ~0U;
    for (const auto& narration : result.trace.narration()) {
        using Kind = sim::Narration::Kind;
        if (narration.kind != Kind::Enter && narration.kind != Kind::Leave) continue;
        if (narration.task != last_task) scopes += "\n";
        last_task = narration.task;
        scopes += narration.kind == Kind::Enter ? "(" + narration.text : ")";
    }
    CHECK_THAT(scopes, Catch::Contains("(btrfs_writepages(extent_writepages(extent_write_cache_"
                                       "pages(__extent_writepage(writepage_delalloc("
                                       "run_delalloc_range(cow_file_range(btrfs_reserve_extent"));
    CHECK_THAT(scopes, Catch::Contains(")(btrfs_add_ordered_extent)"));
    CHECK_THAT(scopes, Catch::Contains("(flush_epd_write_bio"));
    CHECK_THAT(scopes, Catch::Contains("(end_bio_extent_writepage"));
    CHECK_THAT(scopes, Catch::Contains("(btrfs_finish_ordered_io"));
    CHECK(scopes.find("(btrfs_add_ordered_extent") < scopes.find("(flush_epd_write_bio"));
    CHECK(scopes.find("(flush_epd_write_bio") < scopes.find("(btrfs_finish_ordered_io"));
}

// ---- many tasks
// -----------------------------------------------------------------------------------------------------------------------

namespace {

/// Tasks that do random things to a few files, under random schedules.
class RandomProgram final : public sim::Program {
  public:
    struct Shape {
        u32 items_per_node = 0;
        unsigned tasks = 3, operations = 6;
    };
    explicit RandomProgram(const Shape& shape) : shape_(shape) {}
    u64 seed = 0;
    FsInfo& fs() { return *fs_; }

    void prepare() override {
        geometry_ = test::small_geometry();
        geometry_.items_per_node = shape_.items_per_node;
        fs_ = sim::make<FsInfo>(KernelVersion{}, geometry_);
        done_ = sim::make<sim::Completion>();
        mkfs(*fs_, geometry_);
        expect("mount", open_ctree(*fs_));
        fs_->ledger = sim::make<Ledger>();
        for (const char* path : {"f1", "f2", "n1"})
            expect("create", vfs::create(*fs_, path));
        expect("chattr", vfs::set_nocow(*fs_, "n1", true));
        for (const char* path : {"f1", "n1"})
            expect("pwrite", vfs::pwrite(*fs_, path, 0, 16 * K, 0x41));
        expect("sync", vfs::sync(*fs_));
    }
    void start() override {
        watch_invariants(*fs_, sim::current());
        for (unsigned task = 0; task < shape_.tasks; ++task)
            sim::current().spawn("worker", [this, task] { work(task); });
        sim::current().spawn("last", [this] { finish(); });
    }
    void check_end() override { model::check_end(*fs_); }
    u64 state_hash() override { return state_digest(*fs_); }

  private:
    static constexpr const char* paths[] = {"f1", "f2", "n1", "f3"};

    void expect(const char* what, const Result<void>& result) {
        const bool allowed =
            result || result.error() == Errno::NoEnt || result.error() == Errno::Exist;
        if (!allowed)
            sim::violation("operation", std::string(what) + ": " + errno_name(result.error()));
    }
    void read(const std::string& path) {
        const auto result = vfs::pread(*fs_, path, 0, 64 * K, 1);
        expect("pread", result ? Result<void>{} : result.error());
    }
    void work(unsigned task) {
        sim::Rng rng(seed * 131 + task);
        for (unsigned i = 0; i < shape_.operations; ++i) {
            const char* const path = paths[rng.below(4)];
            const u64 offset = rng.below(6) * sectorsize, length = (1 + rng.below(3)) * sectorsize;
            const u8 pattern = static_cast<u8>(1 + rng.below(250));
            switch (rng.below(14)) {
            case 0:
                expect("fsync", vfs::fsync(*fs_, path));
                break;
            case 1:
                expect("writeback", vfs::writeback(*fs_, path));
                break;
            case 2:
                expect("truncate", vfs::truncate(*fs_, path, offset));
                break;
            case 3:
                expect("fallocate", vfs::fallocate(*fs_, path, offset, length));
                break;
            case 4:
                read(path);
                break;
            case 5:
                expect("create", vfs::create(*fs_, path));
                break;
            case 6:
                expect("unlink", vfs::unlink(*fs_, path));
                break;
            case 7:
                expect("sync", vfs::sync(*fs_));
                break;
            case 8:
                expect("drop_caches", vfs::drop_caches(*fs_));
                break;
            case 9:
                expect("commit", vfs::commit(*fs_));
                break;
            case 10:
                expect("snapshot",
                       vfs::snapshot(*fs_, ".", "s" + std::to_string(task) + std::to_string(i),
                                     false));
                break;
            default:
                expect("pwrite", vfs::pwrite(*fs_, path, offset, length, pattern));
                break;
            }
        }
        done_->complete();
    }
    /// When all are done: everything is written, forgotten and read again.
    void finish() {
        for (unsigned task = 0; task < shape_.tasks; ++task)
            done_->wait();
        expect("sync", vfs::sync(*fs_));
        expect("drop_caches", vfs::drop_caches(*fs_));
        for (const char* path : paths)
            read(path);
        fs_->endio_write_workers.flush();
        expect("sync", vfs::sync(*fs_));
    }

    const Shape shape_;
    Geometry geometry_;
    FsInfo* fs_ = nullptr;
    sim::Completion* done_ = nullptr;
};

std::unique_ptr<sim::Strategy> strategy_for(u64 seed) {
    if (seed % 3 == 0) return sim::make_random(seed);
    if (seed % 3 == 1) return sim::make_pos(seed);
    return sim::make_pct({.seed = seed, .depth = 4, .tasks = 12, .steps = 4000});
}

/// The image that the last execution left on the device is one that btrfs-progs accepts.
void check_image(FsInfo& fs) {
    const test::TemporaryFolder folder;
    test::dump_devices(fs, folder.path(), test::Content::Durable);
    for (const char* mode : {"original", "lowmem"}) {
        const auto report = test::btrfs_check(folder.path(), "a", mode);
        if (!report.available) return;
        INFO(mode << ": " << report.output);
        CHECK(report.clean);
    }
}

/// Runs the seeds, and judges the image of every `image_every`-th.
void run_random(const RandomProgram::Shape& shape, u64 seeds, u64 image_every,
                sim::Grain grain = sim::Grain::Coarse) {
    sim::ExecutionOptions options;
    options.grain = grain;
    options.max_steps = 400'000;
    sim::Execution execution([&] { return std::make_unique<RandomProgram>(shape); }, options);
    REQUIRE(execution.preparation_error().empty());
    auto& program = static_cast<RandomProgram&>(execution.program());
    for (u64 seed = 0; seed < seeds; ++seed) {
        program.seed = seed;
        const auto strategy = strategy_for(seed);
        strategy->next_execution();
        const auto& result = execution.run(*strategy);
        INFO("seed " << seed
                     << (result.violation
                             ? ": " + result.violation->signature + ": " + result.violation->text
                             : ""));
        REQUIRE(result.outcome == sim::Outcome::Completed);
        REQUIRE(result.unordered.empty());
        if (seed % image_every == 0) check_image(program.fs());
    }
}

}  // namespace

TEST_CASE("Files hold what their writers put there, whatever runs beside them", "[model][vfs]") {
    run_random({}, 300, 60);
    run_random({.items_per_node = 5, .tasks = 4}, 60, 20);
    run_random({.items_per_node = 4, .tasks = 2, .operations = 8}, 10, 5, sim::Grain::Fine);
}

TEST_CASE("Files hold what their writers put there, in thousands of executions",
          "[model][vfs][slow]") {
    run_random({}, 10000, 500);
}

}  // namespace vfs_test
