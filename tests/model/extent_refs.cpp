#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <vector>

#include "model/ctree.h"
#include "model/extent_backref.h"
#include "model/extent_tree.h"
#include "model/fs_info.h"
#include "model/vfs.h"
#include "sim/rng.h"
#include "tests/model/support/simulated_fs.h"
#include "tests/model/support/watched_fs.h"

namespace extent_refs_test {

using namespace model;

namespace {

RefKey data_key(u64 root, u64 ino, u64 offset) {
    return {.type = extent_data_ref_key, .root = root, .objectid = ino, .offset = offset};
}
RefKey shared_key(u64 parent) {
    return {.type = shared_data_ref_key, .parent = parent};
}

DataRef to_ref(Bytenr at, const RefKey& key) {
    return {.bytenr = at,
            .num_bytes = 4096,
            .parent = key.parent,
            .root = key.root,
            .objectid = key.parent != 0 ? 257 : key.objectid,
            .offset = key.offset};
}

/// What the extent tree says of one extent.
struct ExtentState {
    bool exists = false;
    u64 refs = 0;
    u32 item_size = 0;
    std::vector<InlineRef> inline_refs;
    std::map<Key, u32> keyed;  // with their counts
};

u32 keyed_count(const Path& path, u8 type) {
    return type == extent_data_ref_key ? read_item<ExtentDataRef>(path).count
                                       : read_item<SharedDataRef>(path).count;
}

ExtentState read_extent(FsInfo& fs, Bytenr at) {
    ExtentState state;
    Path path;
    const auto found =
        search_slot(nullptr, *fs.extent_root, {at.get(), extent_item_key, 4096}, path, 0, false);
    if (!found || !*found) return state;
    state.exists = true;
    state.refs = read_item<ExtentItem>(path).refs;
    state.item_size = path.nodes[0]->item_size(path.slots[0]);
    const std::span<const unsigned char> item(path.nodes[0]->item_data(path.slots[0]),
                                              state.item_size);
    for (u32 offset = sizeof(ExtentItem); offset < item.size();
         offset += state.inline_refs.back().size)
        state.inline_refs.push_back(parse_inline_ref(item, offset));
    while (*next_item(*fs.extent_root, path) && path.key().objectid == at.get() &&
           path.key().type < block_group_item_key)
        state.keyed[path.key()] = keyed_count(path, path.key().type);
    return state;
}

bool in_kernel_order(const InlineRef& a, const InlineRef& b) {
    if (a.key.type != b.key.type) return a.key.type < b.key.type;
    return inline_ref_sequence(a.key) > inline_ref_sequence(b.key);
}

u64 sum_of_counts(const ExtentState& state) {
    u64 sum = 0;
    for (const InlineRef& ref : state.inline_refs)
        sum += ref.count;
    for (const auto& [key, count] : state.keyed)
        sum += count;
    return sum;
}

std::vector<RefKey> random_keys(sim::Rng& rng, std::size_t count) {
    std::vector<RefKey> keys;
    while (keys.size() < count) {
        const RefKey key = rng.below(3) == 0 ? shared_key(4096 * (1 + rng.below(1000)))
                                             : data_key(256 + rng.below(4), 300 + rng.below(4),
                                                        4096 * rng.below(8));
        if (std::find(keys.begin(), keys.end(), key) == keys.end()) keys.push_back(key);
    }
    return keys;
}

/// Allocates a data extent, and applies ADDs and DROPs one by one, each run at once.
void with_extent(const std::function<void(FsInfo&, TransHandle&, Bytenr)>& body) {
    const auto result = test::run_on_fs(test::Options(), [&](FsInfo& fs) {
        const auto trans = join_transaction(*fs.fs_root);
        static_cast<void>(reserve_data_bytes(fs, 4096));
        const auto extent = reserve_extent(*fs.fs_root, 4096, 4096, 4096, true, true);
        dec_block_group_reservations(fs, extent->start);
        static_cast<void>(alloc_reserved_file_extent(**trans, 5, 257, 0, *extent));
        test::must(run_delayed_refs(**trans, 0), "run");
        body(fs, **trans, extent->start);
    });
    CHECK(result.outcome == sim::Outcome::Completed);
    CHECK(result.messages.empty());
}

void apply(TransHandle& trans, Bytenr at, const RefKey& key, RefAction action) {
    static_cast<void>(add_delayed_data_ref(trans, to_ref(at, key), action));
    test::must(run_delayed_refs(trans, 0), "run");
}

}  // namespace

TEST_CASE("sizes and sequence of inline references", "[model][extent_tree]") {
    CHECK(inline_ref_size(tree_block_ref_key) == 9);
    CHECK(inline_ref_size(shared_block_ref_key) == 9);
    CHECK(inline_ref_size(extent_data_ref_key) == 29);
    CHECK(inline_ref_size(shared_data_ref_key) == 13);
    CHECK(max_extent_item_size(4096) == 224);
    CHECK(inline_ref_sequence(data_key(5, 257, 0)) == extent_data_ref_hash(5, 257, 0));
}

TEST_CASE(
    "property: inline references stand in the kernel's order, and overflow into items of their own",
    "[model][extent_tree]") {
    for (u64 seed = 1; seed <= 5; ++seed) {
        sim::Rng rng(seed);
        const auto keys = random_keys(rng, 12);
        ExtentState full, emptied;
        with_extent([&](FsInfo& fs, TransHandle& trans, Bytenr at) {
            for (const RefKey& key : keys)
                for (u64 n = 1 + rng.below(2); n > 0; --n)
                    apply(trans, at, key, RefAction::Add);
            full = read_extent(fs, at);
            std::vector<std::pair<RefKey, u32>> all;
            for (const InlineRef& ref : full.inline_refs)
                all.emplace_back(ref.key, ref.count);
            for (const RefKey& key : keys) {
                const bool is_inline =
                    std::any_of(full.inline_refs.begin(), full.inline_refs.end(),
                                [&](const InlineRef& r) { return r.key == key; });
                if (!is_inline) all.emplace_back(key, full.keyed.at(keyed_ref_key(at, key)));
            }
            while (!all.empty()) {
                const std::size_t victim = rng.below(all.size());
                for (u32 n = all[victim].second; n > 0; --n)
                    apply(trans, at, all[victim].first, RefAction::Drop);
                all.erase(all.begin() + static_cast<std::ptrdiff_t>(victim));
            }
            emptied = read_extent(fs, at);
        });
        INFO("seed " << seed);
        CHECK(full.exists);
        CHECK(std::is_sorted(full.inline_refs.begin(), full.inline_refs.end(), in_kernel_order));
        CHECK(full.item_size < max_extent_item_size(4096));
        CHECK_FALSE(full.keyed.empty());
        CHECK(full.inline_refs.size() + full.keyed.size() == keys.size() + 1);
        CHECK(full.refs == sum_of_counts(full));
        CHECK_FALSE(emptied.exists);
    }
}

TEST_CASE("once a reference is an item of its own, new ones are too", "[model][extent_tree]") {
    ExtentState spilled, later;
    with_extent([&](FsInfo& fs, TransHandle& trans, Bytenr at) {
        for (u64 ino = 300; ino < 308; ++ino)
            apply(trans, at, data_key(5, ino, 0), RefAction::Add);
        spilled = read_extent(fs, at);
        const RefKey first = spilled.inline_refs.front().key;
        apply(trans, at, first, RefAction::Drop);
        apply(trans, at, first, RefAction::Add);
        later = read_extent(fs, at);
    });
    CHECK(spilled.keyed.size() == 3);
    CHECK(later.keyed.size() == 4);
    CHECK(later.inline_refs.size() + 1 == spilled.inline_refs.size());
}

TEST_CASE("a drop of what nobody references is an abort with the kernel's words",
          "[model][extent_tree]") {
    bool failed = false;
    const auto result = test::run_on_fs(test::Options(), [&](FsInfo& fs) {
        const auto trans = join_transaction(*fs.fs_root);
        const TreeRef ref{
            .bytenr = Bytenr(fs.fs_root->node->start), .parent = 0, .root = 300, .level = 0};
        static_cast<void>(add_delayed_tree_ref(**trans, ref, RefAction::Drop));
        failed = !run_delayed_refs(**trans, 0);
    });
    CHECK(failed);
    REQUIRE(result.messages.size() >= 4);
    CHECK(result.messages[0].find("unable to find ref byte nr ") != std::string::npos);
    CHECK(result.messages[0].find(" parent 0 root 300  owner 0 offset 0") != std::string::npos);
    CHECK(result.messages[1] == "BTRFS: Transaction aborted (error -2)");
    CHECK(result.messages[2].find("in __btrfs_free_extent: errno=-2 No such entry") !=
          std::string::npos);
    CHECK(result.messages.back().find("in btrfs_run_delayed_refs: errno=-2 No such entry") !=
          std::string::npos);
}

}  // namespace extent_refs_test
