#include "model/delayed_ref.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "model/extent_tree.h"
#include "model/fs_info.h"
#include "model/vfs.h"
#include "tests/model/support/simulated_fs.h"
#include "tests/model/support/watched_fs.h"

namespace delayed_ref_test {

using namespace model;

namespace {

constexpr Bytenr somewhere(u64{1} << 24);

DataRef data_ref(Objectid root, u64 ino, u64 offset = 0, Bytenr at = somewhere) {
    return {.bytenr = at, .num_bytes = 4096, .root = root, .objectid = ino, .offset = offset};
}
TreeRef tree_ref(Objectid root, Level level) {
    return {.bytenr = somewhere, .root = root, .level = level};
}

/// Runs `body` inside a transaction that nobody commits.
void in_transaction(const std::function<void(FsInfo&, TransHandle&)>& body) {
    const auto result = test::run_on_fs(test::Options(), [&](FsInfo& fs) {
        const auto trans = join_transaction(*fs.fs_root);
        body(fs, **trans);
    });
    CHECK(result.outcome == sim::Outcome::Completed);
    CHECK(result.messages.empty());
}

DelayedRefHead* head_at(TransHandle& trans, Bytenr at) {
    return find_ref_head(trans.transaction.delayed_refs, at.get());
}

/// A data extent of one file that is in the committed extent tree.
Bytenr committed_extent(FsInfo& fs) {
    test::must(vfs::create(fs, "f"), "create");
    test::must(vfs::pwrite(fs, "f", 0, 4096, 0x61), "pwrite");
    test::must(vfs::sync(fs), "sync");
    for (const BlockGroup* const bg : space_info_for(fs, bg_data).block_groups)
        if (bg->used > 0) return bg->start;  // the allocator takes the lowest address
    return {};
}

}  // namespace

TEST_CASE("equal references add up and opposite ones cancel", "[model][delayed_ref]") {
    struct Seen {
        std::size_t nodes;
        u32 count;
        RefAction action;
        int head_mod;
    };
    std::vector<Seen> seen;
    in_transaction([&](FsInfo&, TransHandle& trans) {
        const auto add = [&](RefAction action) {
            static_cast<void>(add_delayed_data_ref(trans, data_ref(5, 257), action));
            const DelayedRefHead& head = *head_at(trans, somewhere);
            const bool any = !head.nodes.empty();
            seen.push_back({head.nodes.size(), any ? head.nodes[0].ref_mod : 0,
                            any ? head.nodes[0].action : RefAction::UpdateHead, head.ref_mod});
        };
        for (const auto action :
             {RefAction::Add, RefAction::Add, RefAction::Drop, RefAction::Drop, RefAction::Drop})
            add(action);
    });
    REQUIRE(seen.size() == 5);
    CHECK((seen[0].count == 1 && seen[0].head_mod == 1));
    CHECK((seen[1].nodes == 1 && seen[1].count == 2 && seen[1].head_mod == 2));
    CHECK((seen[2].count == 1 && seen[2].action == RefAction::Add));
    CHECK((seen[3].nodes == 0 && seen[3].head_mod == 0));
    CHECK((seen[4].count == 1 && seen[4].action == RefAction::Drop && seen[4].head_mod == -1));
}

TEST_CASE("references of another root, file, offset or parent stay apart", "[model][delayed_ref]") {
    std::size_t nodes = 0;
    u64 entries = 0;
    in_transaction([&](FsInfo&, TransHandle& trans) {
        for (const DataRef& ref :
             {data_ref(5, 257), data_ref(5, 258), data_ref(256, 257), data_ref(5, 257, 4096)})
            static_cast<void>(add_delayed_data_ref(trans, ref, RefAction::Add));
        DataRef shared = data_ref(5, 257);
        shared.parent = 4096;
        static_cast<void>(add_delayed_data_ref(trans, shared, RefAction::Drop));
        nodes = head_at(trans, somewhere)->nodes.size();
        entries = trans.transaction.delayed_refs.num_entries.peek();
    });
    CHECK(nodes == 5);
    CHECK(entries == 6);  // the head counts too
}

TEST_CASE("the level of a tree block is no part of its reference's identity",
          "[model][delayed_ref]") {
    bool empty = false;
    in_transaction([&](FsInfo&, TransHandle& trans) {
        static_cast<void>(add_delayed_tree_ref(trans, tree_ref(5, 1), RefAction::Add));
        static_cast<void>(add_delayed_tree_ref(trans, tree_ref(5, 0), RefAction::Drop));
        empty = head_at(trans, somewhere)->nodes.empty();
    });
    CHECK(empty);
}

TEST_CASE("an ADD queued after a DROP of the same extent runs before it", "[model][delayed_ref]") {
    // The other way round the extent would lose its last reference, and the ADD would find no item.
    ExtentInfo info;
    bool ran = false;
    in_transaction([&](FsInfo& fs, TransHandle& outer) {
        static_cast<void>(end_transaction(&outer));
        const Bytenr at = committed_extent(fs);
        const auto trans = join_transaction(*fs.fs_root);
        static_cast<void>(add_delayed_data_ref(**trans, data_ref(5, 257, 0, at), RefAction::Drop));
        static_cast<void>(add_delayed_data_ref(**trans, data_ref(5, 300, 0, at), RefAction::Add));
        ran = run_delayed_refs(**trans, 0).ok() && head_at(**trans, at) == nullptr;
        info = *lookup_extent_info(*trans, fs, at, 4096, false);
    });
    CHECK(ran);
    CHECK(info.refs == 1);
}

TEST_CASE("a lookup sees what is queued as well as the item", "[model][delayed_ref]") {
    u64 before = 0, after = 0;
    in_transaction([&](FsInfo& fs, TransHandle& outer) {
        static_cast<void>(end_transaction(&outer));
        const Bytenr at = committed_extent(fs);
        const auto trans = join_transaction(*fs.fs_root);
        before = lookup_extent_info(*trans, fs, at, 4096, false)->refs;
        static_cast<void>(add_delayed_data_ref(**trans, data_ref(5, 300, 0, at), RefAction::Add));
        after = lookup_extent_info(*trans, fs, at, 4096, false)->refs;
    });
    CHECK(before == 1);
    CHECK(after == 2);
}

namespace {

struct FreedBlock {
    bool head_gone = false;
    u64 reserved = 0, pinned = 0;
};

FreedBlock free_new_block(bool written) {
    FreedBlock result;
    in_transaction([&](FsInfo& fs, TransHandle& trans) {
        const auto eb = alloc_tree_block(trans, *fs.extent_root, 0, extent_tree_objectid, 0,
                                         lock_classes::NestNormal);
        if (written) (*eb)->header().flags |= header_flag_written;
        clean_tree_block(**eb);
        static_cast<void>(free_tree_block(trans, extent_tree_objectid, **eb, 0, true));
        const BlockGroup& bg = *lookup_block_group(fs, (*eb)->start);
        result = {head_at(trans, (*eb)->start) == nullptr, bg.reserved, bg.pinned};
        tree_unlock(**eb);
        free_extent_buffer_stale(*eb);
    });
    return result;
}

}  // namespace

TEST_CASE("a block freed in the transaction that made it is free space at once",
          "[model][delayed_ref]") {
    const FreedBlock freed = free_new_block(false);
    CHECK(freed.head_gone);
    CHECK(freed.reserved == 0);
    CHECK(freed.pinned == 0);
}

TEST_CASE("a block that was written already is pinned instead", "[model][delayed_ref]") {
    const FreedBlock freed = free_new_block(true);
    CHECK(freed.head_gone);
    CHECK(freed.reserved == 0);
    CHECK(freed.pinned == 4096);
}

TEST_CASE("an extent added and dropped before its head runs is pinned, and never had an item",
          "[model][delayed_ref]") {
    u64 pinned = 0, used = 1;
    in_transaction([&](FsInfo& fs, TransHandle& trans) {
        static_cast<void>(reserve_data_bytes(fs, 4096));
        const auto extent = reserve_extent(*fs.fs_root, 4096, 4096, 4096, true, true);
        dec_block_group_reservations(fs, extent->start);
        static_cast<void>(alloc_reserved_file_extent(trans, 5, 257, 0, *extent));
        static_cast<void>(free_data_extent(trans, data_ref(5, 257, 0, extent->start)));
        static_cast<void>(run_delayed_refs(trans, 0));
        const BlockGroup& bg = *lookup_block_group(fs, extent->start);
        pinned = bg.pinned;
        used = bg.used;
    });
    CHECK(pinned == 4096);
    CHECK(used == 0);
}

TEST_CASE("heads run in ascending order from a cursor that wraps", "[model][delayed_ref]") {
    std::vector<std::string> order;
    test::Options options;
    options.narrate = true;
    const auto result = test::run_on_fs(options, [](FsInfo& fs) {
        test::must(vfs::create(fs, "f"), "create");
        test::must(vfs::create(fs, "g"), "create");
        test::must(vfs::commit(fs), "commit");
    });
    u64 last = 0;
    unsigned descents = 0, heads = 0, passes = 0;
    for (const auto& line : result.trace.narration()) {
        if (line.text == "btrfs_run_delayed_refs") ++passes;
        if (line.text.rfind("head ", 0) != 0) continue;
        const u64 bytenr = std::stoull(line.text.substr(5));
        if (bytenr < last) ++descents;
        last = bytenr;
        ++heads;
    }
    CHECK(heads >= 4);
    CHECK(descents <= passes);
}

}  // namespace delayed_ref_test
