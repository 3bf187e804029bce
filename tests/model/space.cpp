#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <string>
#include <vector>

#include "model/delayed_ref_throttle.h"
#include "model/disk_io.h"
#include "model/fixes.h"
#include "model/fs_info.h"
#include "model/reserve_ticket.h"
#include "model/transaction_internal.h"
#include "model/vfs.h"
#include "tests/model/support/simulated_fs.h"
#include "tests/model/support/watched_fs.h"

namespace space_test {

using namespace model;

// What kernels before 5.0, 5.4 and 5.14 did about space: fs/btrfs/extent-tree.c of 4.19.

namespace {

constexpr u64 K = 1024;

test::Options on(const std::string& kernel) {
    test::Options options;
    options.kernel = kernel;
    options.narrate = true;
    return options;
}

sim::ExecutionResult run(const std::string& kernel, const std::function<void(FsInfo&)>& body) {
    const auto result = test::run_on_fs(on(kernel), body);
    INFO((result.violation ? result.violation->signature + ": " + result.violation->text : ""));
    CHECK(result.outcome == sim::Outcome::Completed);
    return result;
}

void file_with_extents(FsInfo& fs, const char* path, u64 extents) {
    test::must(vfs::create(fs, path), "create");
    for (u64 i = 0; i < extents; ++i)
        test::must(vfs::fallocate(fs, path, 8 * K * i, 4 * K), "fallocate");
    test::must(vfs::sync(fs), "sync");
}

/// Leaves the global reserve so many bytes.
void drain_global_rsv(FsInfo& fs, u64 left) {
    BlockRsv& rsv = fs.global_block_rsv;
    test::must(block_rsv_use_bytes(rsv, rsv.reserved - left), "block_rsv_use_bytes");
}

/// How often a task entered the inner scope inside the outer one.
unsigned count_inside(const sim::ExecutionResult& result, const std::string& outer,
                      const std::string& inner) {
    using Kind = sim::Narration::Kind;
    std::map<std::uint32_t, unsigned> depths;
    unsigned found = 0;
    for (const sim::Narration& line : result.trace.narration()) {
        unsigned& depth = depths[line.task];
        if (line.kind == Kind::Enter) {
            if (depth > 0 && line.text == inner) ++found;
            if (depth > 0 || line.text == outer) ++depth;
        } else if (line.kind == Kind::Leave && depth > 0) {
            --depth;
        }
    }
    return found;
}

unsigned count_scope(const sim::ExecutionResult& result, const std::string& name) {
    const auto lines = result.trace.narration();
    return static_cast<unsigned>(
        std::count_if(lines.begin(), lines.end(), [&](const sim::Narration& line) {
            return line.kind == sim::Narration::Kind::Enter && line.text == name;
        }));
}

/// What the flusher does about a ticket of so many bytes where nothing is free.
void commit_for_ticket(FsInfo& fs, u64 bytes) {
    SpaceInfo& info = space_info_for(fs, bg_metadata);
    ReserveTicket ticket(bytes, Flush::All);
    const u64 taken = info.total_bytes - info.used(true);
    {
        const sim::SpinGuard guard(info.lock);
        info.obj.write();
        info.bytes_may_use += taken;
        info.flush = true;
        queue_ticket(info, ticket);
    }
    flush_space(fs, info, bytes, FlushState::CommitTrans);
    const sim::SpinGuard guard(info.lock);
    info.obj.write();
    if (!ticket.is_settled()) fail_ticket(info, ticket, Errno::NoSpc);
    info.bytes_may_use -= taken + (ticket.bytes == 0 ? bytes : 0);
    info.flush = false;
}

u64 blocks_below(FsInfo& fs, const ExtentBuffer& eb) {
    u64 blocks = 1;
    if (eb.level() == 0) return blocks;
    for (unsigned slot = 0; slot < eb.nritems(); ++slot) {
        const auto child = read_tree_block(fs, eb.blockptr(slot), {});
        REQUIRE(child);
        blocks += blocks_below(fs, **child);
        free_extent_buffer(*child);
    }
    return blocks;
}

bool has_note(const sim::ExecutionResult& result, const std::string& text) {
    const auto lines = result.trace.narration();
    return std::any_of(lines.begin(), lines.end(), [&](const sim::Narration& line) {
        return line.text.find(text) != std::string::npos;
    });
}

}  // namespace

TEST_CASE("Queued references want room of their own from 5.0 on", "[model][space]") {
    const auto [kernel, wants] =
        GENERATE(table<std::string, bool>({{"4.19", false}, {"5.0", true}}));
    run(kernel, [wants = wants](FsInfo& fs) {
        test::must(vfs::create(fs, "f"), "create");
        CHECK((fs.delayed_refs_rsv.size > 0) == wants);
        BlockRsv* const charged = root_block_rsv(fs, *fs.extent_root);
        CHECK(charged == (wants ? &fs.delayed_refs_rsv : &fs.global_block_rsv));
        CHECK(root_block_rsv(fs, *fs.csum_root) == charged);
        CHECK(root_block_rsv(fs, *fs.dev_root) == &fs.global_block_rsv);
    });
}

TEST_CASE("Until 5.4 the global reserve gets only what is free", "[model][space]") {
    const auto [kernel, whole] =
        GENERATE(table<std::string, bool>({{"5.3", false}, {"5.4", true}}));
    run(kernel, [whole = whole](FsInfo& fs) {
        BlockRsv& rsv = fs.global_block_rsv;
        SpaceInfo& info = space_info_for(fs, bg_metadata);
        const u64 size = rsv.size, free = 3 * u64{fs.nodesize};
        block_rsv_release(fs, rsv, ~u64{0});
        const u64 taken = info.total_bytes - info.used(true) - free;
        info.bytes_may_use += taken;
        update_global_block_rsv(fs);
        CHECK(rsv.size == size);
        CHECK(rsv.reserved == (whole ? size : free));
        CHECK(rsv.full == whole);
        info.bytes_may_use -= taken;
        update_global_block_rsv(fs);
        CHECK(rsv.reserved == size);
    });
}

TEST_CASE("Until 5.11 a commit renews the global reserve", "[model][space]") {
    const auto [kernel, renews] =
        GENERATE(table<std::string, bool>({{"5.10", true}, {"5.11", false}}));
    run(kernel, [renews = renews](FsInfo& fs) {
        test::must(vfs::create(fs, "f"), "create");
        BlockRsv& rsv = fs.global_block_rsv;
        drain_global_rsv(fs, rsv.size / 2);
        const u64 drained = rsv.size - rsv.reserved;
        test::must(vfs::sync(fs), "sync");
        CHECK((rsv.reserved == rsv.size) == renews);
        // What was drained is nobody's.
        SpaceInfo& info = space_info_for(fs, bg_metadata);
        info.bytes_may_use -= drained;
        update_global_block_rsv(fs);
    });
}

TEST_CASE("From 6.2 on a block that nothing was reserved for is had if it is there",
          "[model][space]") {
    const auto [kernel, has] = GENERATE(table<std::string, bool>({{"6.1", false}, {"6.2", true}}));
    run(kernel, [has = has](FsInfo& fs) {
        const auto trans = join_transaction(*fs.fs_root);
        REQUIRE(trans);
        BlockRsv& global = fs.global_block_rsv;
        SpaceInfo& info = space_info_for(fs, bg_metadata);
        // All that is left is promised to others.
        block_rsv_release(fs, global, ~u64{0});
        global.size = 0;
        const u64 promised = 8 * info.total_bytes;
        info.bytes_may_use += promised;
        const auto block = use_block_rsv(**trans, *fs.dev_root, fs.nodesize);
        CHECK(block.ok() == has);
        if (!block) CHECK(block.error() == Errno::NoSpc);
        info.bytes_may_use -= promised;
        if (block) unuse_block_rsv(fs, **block, fs.nodesize);
        test::must(end_transaction(*trans), "end_transaction");
        update_global_block_rsv(fs);
    });
}

// The tree of roots has no root item: what it took when it was mounted is not counted.
TEST_CASE("The trees that the global reserve stands for know what they take", "[model][space]") {
    run("6.1", [](FsInfo& fs) {
        const auto not_counted = [&fs](const Root& root) {
            return blocks_below(fs, *root.node) - root_used(root) / fs.nodesize;
        };
        const u64 of_roots = not_counted(*fs.tree_root);
        file_with_extents(fs, "f", 12);
        test::must(vfs::unlink(fs, "f"), "unlink");
        file_with_extents(fs, "g", 3);
        CHECK(not_counted(*fs.extent_root) == 0);
        CHECK(not_counted(*fs.csum_root) == 0);
        CHECK(not_counted(*fs.tree_root) == of_roots);
    });
}

TEST_CASE(
    "Until 5.4 nothing is promised beyond the chunks where twice the global reserve does not fit",
    "[model][space]") {
    const auto [kernel, refused] =
        GENERATE(table<std::string, bool>({{"5.3", true}, {"5.4", false}}));
    run(kernel, [refused = refused](FsInfo& fs) {
        SpaceInfo& info = space_info_for(fs, bg_metadata);
        CHECK(can_overcommit(fs, info, fs.nodesize, Flush::All));
        const u64 used = info.total_bytes - 2 * fs.global_block_rsv.size - info.used(false);
        info.bytes_used += used;
        CHECK(can_overcommit(fs, info, fs.nodesize, Flush::All) != refused);
        info.bytes_used -= used;
    });
}

TEST_CASE("4.19 guesses from the queue whether the global reserve is enough", "[model][space]") {
    run("4.19", [](FsInfo& fs) {
        const auto trans = start_transaction(*fs.fs_root, 0);
        Transaction& transaction = (*trans)->transaction;
        const u64 needed = 2 * calc_insert_metadata_size(fs, 1);
        drain_global_rsv(fs, needed + 1);
        CHECK_FALSE(check_space_for_delayed_refs(fs, transaction));
        drain_global_rsv(fs, needed);
        CHECK(check_space_for_delayed_refs(fs, transaction));
        update_global_block_rsv(fs);

        SECTION("checksums to delete count in leaves") {
            transaction.delayed_refs.pending_csums = 4 * K;
            drain_global_rsv(fs, needed + fs.nodesize);
        }
        SECTION("block groups to write count in items") {
            transaction.dirty_bgs.push_back(
                lookup_block_group(fs, Bytenr(fs.fs_root->node->start)));
            drain_global_rsv(fs, needed + calc_insert_metadata_size(fs, 1));
        }
        SECTION("without room for a chunk it is twice as much") {
            fs.global_block_rsv.space_info->full = true;
            drain_global_rsv(fs, 2 * needed);
        }
        CHECK(check_space_for_delayed_refs(fs, transaction));
        update_global_block_rsv(fs);
        CHECK_FALSE(check_space_for_delayed_refs(fs, transaction));
        transaction.delayed_refs.pending_csums = 0;
        transaction.dirty_bgs.clear();
        fs.global_block_rsv.space_info->full = false;
        static_cast<void>(end_transaction(*trans));
    });
}

TEST_CASE("An eviction runs references itself while space is tight, until 5.0", "[model][space]") {
    const auto [kernel, runs] =
        GENERATE(table<std::string, bool>({{"4.19", true}, {"5.0", false}}));
    const auto result = run(kernel, [](FsInfo& fs) {
        file_with_extents(fs, "f", 4);
        test::must(vfs::open(fs, "f"), "open");
        test::must(vfs::unlink(fs, "f"), "unlink");
        test::must(vfs::sync(fs), "sync");
        drain_global_rsv(fs, calc_insert_metadata_size(fs, 1));
        test::must(vfs::close(fs, "f"), "close");
        test::must(vfs::sync(fs), "sync");
        CHECK(space_info_for(fs, bg_data).used(true) == 0);
    });
    const std::string truncation = "btrfs_truncate_inode_items";
    CHECK((count_inside(result, truncation, "btrfs_run_delayed_refs") > 0) == runs);
    CHECK((count_inside(result, truncation, "btrfs_async_run_delayed_refs") > 0) == runs);
    CHECK((count_scope(result, "delayed_ref_async_start") > 0) == runs);
}

TEST_CASE("An eviction that has room runs no reference", "[model][space]") {
    const auto result = run("4.19", [](FsInfo& fs) {
        file_with_extents(fs, "f", 4);
        test::must(vfs::unlink(fs, "f"), "unlink");
    });
    CHECK(count_inside(result, "btrfs_evict_inode", "btrfs_run_delayed_refs") == 0);
    CHECK(count_scope(result, "delayed_ref_async_start") == 0);
}

TEST_CASE("Much that was deleted makes a truncation run references", "[model][space]") {
    auto options = on("4.19");
    options.geometry.devices[0].size = u64{80} << 20;
    options.geometry.data_chunk = u64{48} << 20;
    const u64 extent = GENERATE(u64{7} << 20, u64{9} << 20);  // of four
    const auto result = test::run_on_fs(options, [extent](FsInfo& fs) {
        test::must(vfs::create(fs, "f"), "create");
        for (u64 i = 0; i < 4; ++i)
            test::must(vfs::fallocate(fs, "f", 2 * extent * i, extent), "fallocate");
        test::must(vfs::sync(fs), "sync");
        test::must(vfs::unlink(fs, "f"), "unlink");
    });
    CHECK(result.outcome == sim::Outcome::Completed);
    const bool much = 4 * extent > u64{32} << 20;
    CHECK((count_inside(result, "btrfs_truncate_inode_items", "btrfs_run_delayed_refs") > 0) ==
          much);
}

TEST_CASE("Until 5.0 the end of a handle blocks a tight transaction, and the kthread commits it",
          "[model][space]") {
    const auto [kernel, blocks] =
        GENERATE(table<std::string, bool>({{"4.19", true}, {"5.0", false}}));
    const auto result = run(kernel, [blocks = blocks](FsInfo& fs) {
        const auto first = start_transaction(*fs.fs_root, 1);
        const u64 transid = (*first)->transid.get();
        const u64 comes_back = calc_insert_metadata_size(fs, 1);
        drain_global_rsv(fs, fs.global_block_rsv.size / 2 - comes_back - fs.nodesize);
        static_cast<void>(end_transaction(*first));
        const auto second = start_transaction(*fs.fs_root, 1);  // waits for the commit
        CHECK((*second)->transid.get() == transid + (blocks ? 1 : 0));
        static_cast<void>(end_transaction(*second));
    });
    CHECK(has_note(result, "is BLOCKED") == blocks);
    CHECK((count_scope(result, "transaction_kthread") == 1) == blocks);
}

TEST_CASE("A blocked transaction still takes in those who join", "[model][space]") {
    run("4.19", [](FsInfo& fs) {
        const auto held = join_transaction(*fs.fs_root);
        Transaction& transaction = (*held)->transaction;
        transaction.state = TransState::Blocked;
        CHECK(is_transaction_blocked(transaction));
        static_cast<void>(end_transaction(*held));
        const auto joined = join_transaction(*fs.fs_root);
        CHECK(&(*joined)->transaction == &transaction);
        static_cast<void>(end_transaction(*joined));
        const auto attached = attach_transaction(*fs.fs_root);
        CHECK(attached.ok());
        if (attached) test::must(commit_transaction(*attached), "commit");
    });
}

TEST_CASE("Until 5.14 nobody commits for space that a commit does not seem to free",
          "[model][space]") {
    const auto [kernel, guesses] =
        GENERATE(table<std::string, bool>({{"4.19", true}, {"5.13", true}, {"5.14", false}}));
    const auto result = run(kernel, [](FsInfo& fs) {
        test::must(vfs::create(fs, "f"), "create");
        commit_for_ticket(fs, u64{1} << 30);
    });
    CHECK((count_scope(result, "btrfs_commit_transaction") == 0) == guesses);
    const auto enough = run(kernel, [](FsInfo& fs) {
        test::must(vfs::create(fs, "f"), "create");
        commit_for_ticket(fs, fs.nodesize);
    });
    CHECK(count_scope(enough, "btrfs_commit_transaction") == 1);
}

TEST_CASE("An eviction without room commits until 5.4, and flushes later", "[model][space]") {
    const auto [kernel, flushes] =
        // On 4.19 the end of a handle wakes the kthread, whose commit may come first.
        GENERATE(table<std::string, bool>({{"5.0", false}, {"5.3", false}, {"5.4", true}}));
    const auto result = run(kernel, [](FsInfo& fs) {
        file_with_extents(fs, "f", 2);
        test::must(vfs::open(fs, "f"), "open");
        test::must(vfs::unlink(fs, "f"), "unlink");
        // No room, neither for the reserve nor for what the references may want.
        SpaceInfo& info = space_info_for(fs, bg_metadata);
        info.full = true;
        const u64 unallocated = fs.free_chunk_space.load();
        fs.free_chunk_space.store(0);
        drain_global_rsv(fs, fs.nodesize);
        const u64 taken = info.total_bytes - info.used(true);
        info.bytes_may_use += taken;
        test::must(vfs::close(fs, "f"), "close");
        info.bytes_may_use -= taken;
        fs.free_chunk_space.store(unallocated);
    });
    INFO(kernel);
    const unsigned commits = count_inside(result, "btrfs_evict_inode", "btrfs_commit_transaction");
    const unsigned in_flush = count_inside(result, "flush_space", "btrfs_commit_transaction");
    CHECK((commits > in_flush) == !flushes);
    CHECK((count_scope(result, "flush_space") > 0));
}

TEST_CASE("A file that is open outlives its name, and its last close evicts it", "[model][vfs]") {
    const std::string kernel = GENERATE("4.19", "6.1");
    const auto result = run(kernel, [](FsInfo& fs) {
        CHECK(vfs::open(fs, "f").error() == Errno::NoEnt);
        CHECK(vfs::close(fs, "f").error() == Errno::BadF);
        file_with_extents(fs, "f", 1);
        test::must(vfs::open(fs, "f"), "open");
        test::must(vfs::open(fs, "f"), "open again");
        test::must(vfs::unlink(fs, "f"), "unlink");
        test::must(vfs::sync(fs), "sync");
        CHECK(space_info_for(fs, bg_data).used(true) == 4 * K);
        test::must(vfs::create(fs, "f"), "create another");
        test::must(vfs::close(fs, "f"), "close");
        test::must(vfs::sync(fs), "sync");
        CHECK(space_info_for(fs, bg_data).used(true) == 4 * K);
        test::must(vfs::close(fs, "f"), "last close");
        test::must(vfs::sync(fs), "sync");
        CHECK(space_info_for(fs, bg_data).used(true) == 0);
        CHECK(vfs::close(fs, "f").error() == Errno::BadF);
    });
    CHECK(count_inside(result, "__fput", "btrfs_evict_inode") == 1);
    CHECK(count_inside(result, "btrfs_unlink", "btrfs_evict_inode") == 0);
}

}  // namespace space_test
