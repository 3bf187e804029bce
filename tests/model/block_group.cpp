#include "model/block_group.h"

#include <catch2/catch.hpp>
#include <string>

#include "model/extent_tree.h"
#include "model/fs_info.h"
#include "model/vfs.h"
#include "sim/completion.h"
#include "tests/model/support/simulated_fs.h"
#include "tests/model/support/watched_fs.h"

namespace block_group_test {

using namespace model;

namespace {

BlockGroup& first_group(FsInfo& fs, u64 type) {
    return *space_info_for(fs, type).block_groups.front();
}

Result<ReservedExtent> reserve_data(FsInfo& fs, u64 bytes) {
    if (const auto reserved = reserve_data_bytes(fs, bytes); !reserved) return reserved.error();
    auto extent = reserve_extent(*fs.fs_root, bytes, bytes, sectorsize, true, true);
    if (extent) dec_block_group_reservations(fs, extent->start);
    return extent;
}

}  // namespace

TEST_CASE("a read-only group gives no space, and gives it again afterwards",
          "[model][block_group]") {
    u64 used_group = 0, other_group = 0, again = 0, counted = 0;
    test::run_on_fs(test::Options(), [&](FsInfo& fs) {
        BlockGroup& bg = first_group(fs, bg_data);
        test::must(inc_block_group_ro(bg, true), "inc_ro");
        counted = space_info_for(fs, bg_data).bytes_readonly;
        used_group = bg.start.get();
        other_group = reserve_data(fs, 4096)->start.get();
        dec_block_group_ro(bg);
        again = reserve_data(fs, 4096)->start.get();
    });
    CHECK(counted == 4 << 20);
    CHECK(other_group >= used_group + (4 << 20));  // a chunk was made for it
    CHECK(again == used_group);
}

TEST_CASE("read-only is a count", "[model][block_group]") {
    u32 twice = 0, once = 0;
    u64 readonly = 1;
    test::run_on_fs(test::Options(), [&](FsInfo& fs) {
        BlockGroup& bg = first_group(fs, bg_metadata);
        test::must(inc_block_group_ro(bg, false), "inc_ro");
        test::must(inc_block_group_ro(bg, false), "inc_ro");
        twice = bg.ro;
        dec_block_group_ro(bg);
        once = bg.ro;
        dec_block_group_ro(bg);
        readonly = space_info_for(fs, bg_metadata).bytes_readonly;
    });
    CHECK(twice == 2);
    CHECK(once == 1);
    CHECK(readonly == 0);
}

TEST_CASE("what a read-only group frees stays read-only until it is writable",
          "[model][block_group]") {
    u64 reserved_readonly = 0, freed_readonly = 0, writable = 1;
    test::run_on_fs(test::Options(), [&](FsInfo& fs) {
        const auto extent = reserve_data(fs, 8192);
        BlockGroup& bg = *lookup_block_group(fs, extent->start);
        SpaceInfo& info = *bg.space_info;
        test::must(inc_block_group_ro(bg, true), "inc_ro");
        reserved_readonly = info.bytes_readonly;
        free_reserved_extent(fs, extent->start, extent->num_bytes, true);
        freed_readonly = info.bytes_readonly;
        dec_block_group_ro(bg);
        writable = info.bytes_readonly;
    });
    CHECK(freed_readonly == reserved_readonly + 8192);
    CHECK(writable == 0);
}

TEST_CASE("setting a group read-only waits for a commit that writes block groups already",
          "[model][block_group]") {
    // The transaction that the flag was set in must be over when the group is read-only.
    u64 committed = 0;
    sim::Completion* may_go = nullptr;
    std::vector<std::function<void(FsInfo&)>> tasks;
    tasks.emplace_back([&](FsInfo& fs) {
        may_go = sim::make<sim::Completion>();
        const auto trans = start_transaction(*fs.fs_root, 0);
        (*trans)->transaction.flags.set_bit(trans_flag::dirty_bg_run);
        may_go->wait();
        test::must(commit_transaction(*trans), "commit");
    });
    tasks.emplace_back([&](FsInfo& fs) {
        test::must(inc_block_group_ro(first_group(fs, bg_data), true), "inc_ro");
        committed = fs.last_trans_committed.peek();
    });
    tasks.emplace_back([&](FsInfo&) { may_go->complete_all(); });
    const auto result = test::run_on_fs(test::Options(), tasks);
    CHECK(result.outcome == sim::Outcome::Completed);
    CHECK(committed == 2);
}

TEST_CASE("the drain of reservations waits for allocations without an ordered extent",
          "[model][block_group]") {
    bool dropped = false, waited = false;
    sim::Completion* may_go = nullptr;
    std::vector<std::function<void(FsInfo&)>> tasks;
    tasks.emplace_back([&](FsInfo& fs) {
        may_go = sim::make<sim::Completion>();
        static_cast<void>(reserve_data_bytes(fs, 4096));
        const auto extent = reserve_extent(*fs.fs_root, 4096, 4096, 4096, true, true);
        may_go->wait();
        dropped = true;
        dec_block_group_reservations(fs, extent->start);
    });
    tasks.emplace_back([&](FsInfo& fs) {
        BlockGroup& bg = first_group(fs, bg_data);
        test::must(inc_block_group_ro(bg, true), "inc_ro");
        wait_block_group_reservations(bg);
        waited = dropped;
    });
    tasks.emplace_back([&](FsInfo&) { may_go->complete_all(); });
    const auto result = test::run_on_fs(test::Options(), tasks);
    CHECK(result.outcome == sim::Outcome::Completed);
    CHECK(waited);
}

TEST_CASE("no new nocow writer enters a read-only group", "[model][block_group]") {
    bool before = false, after = true;
    test::run_on_fs(test::Options(), [&](FsInfo& fs) {
        BlockGroup& bg = first_group(fs, bg_data);
        before = inc_nocow_writers(fs, bg.start) == &bg;
        dec_nocow_writers(bg);
        wait_nocow_writers(bg);
        test::must(inc_block_group_ro(bg, true), "inc_ro");
        after = inc_nocow_writers(fs, bg.start) != nullptr;
    });
    CHECK(before);
    CHECK_FALSE(after);
}

TEST_CASE("data beyond one chunk makes another, until the device is full", "[model][block_group]") {
    u64 groups = 0, full_at = 0;
    Errno error{};
    test::Watched watched;
    watched.tasks = {[&](FsInfo& fs) {
        test::must(vfs::create(fs, "f"), "create");
        for (u64 offset = 0; offset < (u64{64} << 20); offset += 1 << 20) {
            const auto written = vfs::pwrite(fs, "f", offset, 1 << 20, 0x61);
            if (!written) {
                error = written.error();
                full_at = offset;
                break;
            }
            test::must(vfs::sync(fs), "sync");
        }
        groups = space_info_for(fs, bg_data).block_groups.size();
    }};
    const auto result = test::run_watched(watched);
    CHECK(test::signature_of(result) == "");
    CHECK(groups > 2);
    CHECK(error == Errno::NoSpc);
    CHECK(full_at > 8 << 20);
}

TEST_CASE("who wants a chunk that another is about to make waits until it is made",
          "[model][block_group]") {
    test::Watched watched;
    watched.geometry.metadata_chunk = u64{2} << 20;  // so little that another is always needed
    const auto make_chunk = [](FsInfo& fs) {
        const auto trans = join_transaction(*fs.tree_root);
        test::must(trans ? Result<void>{} : trans.error(), "join");
        static_cast<void>(chunk_alloc(**trans, get_alloc_profile(fs, bg_metadata), true).ok());
        test::must(end_transaction(*trans), "end");
    };
    watched.tasks = {make_chunk, make_chunk};
    const sim::SearchReport report = test::explore_watched(watched, 2);
    CHECK(report.end == sim::SearchEnd::Complete);  // nobody goes round for ever
    CHECK(test::signature_of(report) == "");
}

}  // namespace block_group_test
