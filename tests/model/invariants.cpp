#include "model/invariants.h"

#include <catch2/catch.hpp>
#include <set>

#include "model/bio.h"
#include "model/disk_io.h"
#include "model/file_item.h"
#include "model/invariant_state.h"
#include "model/ledger.h"
#include "model/relocation.h"
#include "model/reserve_ticket.h"
#include "model/vfs.h"
#include "tests/model/support/watched_fs.h"

namespace invariants_test {

using namespace model;

namespace {

/// A file with one extent that has checksums, and one that is written in place; all of it
/// committed.
void make_files(FsInfo& fs) {
    test::must(vfs::create(fs, "data"), "create");
    test::must(vfs::pwrite(fs, "data", 0, 8192, 0x61), "pwrite");
    test::must(vfs::create(fs, "nocow"), "create");
    test::must(vfs::set_nocow(fs, "nocow", true), "chattr");
    test::must(vfs::pwrite(fs, "nocow", 0, 4096, 0x62), "pwrite");
    test::must(vfs::sync(fs), "sync");
}

/// The signature of what the task did; empty if nobody noticed.
std::string noticed(test::FsTask task) {
    test::Watched watched;
    watched.prepare = make_files;
    watched.tasks.push_back(std::move(task));
    return test::signature_of(test::run_watched(watched));
}

BlockGroup& group_of(FsInfo& fs, u64 type) {
    for (const auto& [start, bg] : fs.block_groups)
        if ((bg->flags & type) != 0) return *bg;
    std::abort();
}

/// The committed extent of the file "data", and of "nocow".
const InvariantState::Range& range_of(FsInfo& fs, bool in_place) {
    for (const auto& range : fs.invariants->ranges)
        if (!range.metadata && range.in_place == in_place) return range;
    std::abort();
}

Stripe place_of(FsInfo& fs, u64 logical) {
    const ChunkMap& map = *std::prev(fs.mapping_tree.upper_bound(logical))->second;
    return {map.stripes[0].dev, map.stripes[0].physical + (logical - map.logical)};
}

/// Changes the item of a tree in a transaction, and commits.
template <class Item, class Change> void change_item(Root& root, const Key& key, Change&& change) {
    const auto trans = start_transaction(root, 1);
    {
        Path path;
        const auto found = search_slot(*trans, root, key, path, 0, true);
        if (!found || !*found) return sim::violation("test/item", to_string(key));
        auto item = read_item<Item>(path);
        change(item);
        write_item(path, item);
    }
    test::must(commit_transaction(*trans), "commit");
}

}  // namespace

TEST_CASE("A filesystem that nobody broke is found sound", "[model][invariants]") {
    CHECK(noticed([](FsInfo& fs) {
              test::must(vfs::pwrite(fs, "data", 4096, 8192, 0x63), "pwrite");
              test::must(vfs::pwrite(fs, "nocow", 0, 4096, 0x64), "pwrite");
              test::must(vfs::sync(fs), "sync");
              test::must(vfs::unlink(fs, "data"), "unlink");
              test::must(vfs::snapshot(fs, ".", "snap", true), "snapshot");
              test::must(vfs::sync(fs), "sync");
          }) == "");
}

TEST_CASE("Every invariant has a name of its own and a sentence", "[model][invariants]") {
    std::set<std::string> names;
    for (const Invariant& invariant : invariants()) {
        CHECK(names.insert(invariant.name).second);
        CHECK(std::string(invariant.sentence).back() == '.');
    }
}

TEST_CASE("Counters of block groups and space infos are watched", "[model][invariants]") {
    CHECK(noticed([](FsInfo& fs) {
              BlockGroup& bg = group_of(fs, bg_data);
              const sim::SpinGuard guard(bg.lock);
              bg.obj.write();
              bg.used = bg.length + 1;
          }) == "block-group-counters");
    CHECK(noticed([](FsInfo& fs) {
              BlockGroup& bg = group_of(fs, bg_data);
              const sim::SpinGuard guard(bg.lock);
              bg.obj.write();
              bg.reserved += sectorsize;
          }) == "space-info-sums");
    CHECK(noticed([](FsInfo& fs) {
              SpaceInfo& info = *group_of(fs, bg_metadata).space_info;
              const sim::SpinGuard guard(info.lock);
              info.obj.write();
              info.bytes_may_use -= info.bytes_may_use + 1;
          }) == "space-info-limits");
    CHECK(noticed([](FsInfo& fs) {
              SpaceInfo& info = *group_of(fs, bg_metadata).space_info;
              const sim::SpinGuard guard(info.lock);
              info.obj.write();
              ++info.reclaim_size;
          }) == "space-info-tickets");
    CHECK(noticed([](FsInfo& fs) {
              SpaceInfo& info = *group_of(fs, bg_metadata).space_info;
              auto& ticket =
                  *sim::make<ReserveTicket>(fs.nodesize, Flush::All);  // outlives the task
              const sim::SpinGuard guard(info.lock);
              queue_ticket(info, ticket);
              info.flush = false;
          }) == "space-info-tickets");
    CHECK(noticed([](FsInfo& fs) {
              const sim::SpinGuard guard(fs.trans_block_rsv.lock);
              fs.trans_block_rsv.obj.write();
              fs.trans_block_rsv.full = true;
              fs.trans_block_rsv.size = fs.trans_block_rsv.reserved + 1;
          }) == "block-rsv");
}

TEST_CASE("Counts of queued references are watched", "[model][invariants]") {
    const auto with_head = [](FsInfo& fs, auto&& change) {
        const auto trans = join_transaction(*fs.tree_root);
        test::must(add_delayed_extent_op(**trans, Bytenr(fs.tree_root->node->start), 0, 0), "add");
        DelayedRefRoot& refs = (*trans)->transaction.delayed_refs;
        const sim::SpinGuard guard(refs.lock);
        change(refs, *refs.heads.begin()->second);
    };
    CHECK(noticed([&](FsInfo& fs) {
              with_head(fs, [](DelayedRefRoot&, DelayedRefHead& head) {
                  const sim::SpinGuard guard(head.lock);
                  head.obj.write();
                  ++head.ref_mod;
              });
          }) == "ref-head-counts");
    CHECK(noticed([&](FsInfo& fs) {
              with_head(fs, [](DelayedRefRoot& refs, DelayedRefHead&) {
                  refs.obj.write();
                  --refs.num_heads_ready;
              });
          }) == "ref-root-counts");
}

TEST_CASE("A transaction's state only goes forward", "[model][invariants]") {
    CHECK(noticed([](FsInfo& fs) {
              const auto trans = join_transaction(*fs.tree_root);
              Transaction& transaction = (*trans)->transaction;
              for (const TransState state : {TransState::CommitStart, TransState::Running}) {
                  const sim::SpinGuard guard(fs.trans_lock);
                  transaction.state_obj.write();
                  transaction.state = state;
              }
              sim::current().yield();
          }) == "transaction-state");
}

TEST_CASE("No more scrubs pause than run", "[model][invariants]") {
    CHECK(noticed([](FsInfo& fs) { fs.scrub.paused.inc(); }) == "scrub-counters");
}

TEST_CASE("A tree block that says another address is noticed", "[model][invariants]") {
    CHECK(noticed([](FsInfo& fs) {
              ExtentBuffer& eb = *fs.fs_root->node;
              tree_lock(eb);
              eb.content.write();
              eb.header().bytenr += fs.nodesize;
              tree_unlock(eb);
          }) == "tree-block-sane");
    CHECK(noticed([](FsInfo& fs) {
              ExtentBuffer& eb = *fs.fs_root->node;
              tree_lock(eb);
              eb.content.write();
              eb.header().nritems = fs.nodesize;
              tree_unlock(eb);
          }) == "tree-block-sane");
}

TEST_CASE("A tree block that must not change, or not there, is noticed", "[model][invariants]") {
    CHECK(noticed([](FsInfo& fs) {
              static_cast<void>(join_transaction(*fs.tree_root).ok());
              ExtentBuffer& committed = *fs.fs_root->node;  // of the transaction before
              tree_lock(committed);
              mark_buffer_dirty(committed);
          }) == "dirty-transid");

    /// The leaf of the inode item of "data", copied for the running transaction and locked.
    const auto with_leaf = [](FsInfo& fs, auto&& change) {
        const auto trans = join_transaction(*fs.fs_root);
        Path path;
        const Key key{first_free_objectid + 1, inode_item_key, 0};
        test::must(search_slot(*trans, *fs.fs_root, key, path, 0, true).ok() ? Result<void>{}
                                                                             : Errno::IO,
                   "search");
        change(path);
    };
    CHECK(noticed([&](FsInfo& fs) {
              with_leaf(fs, [](Path& path) {
                  path.nodes[0]->writeback.set();
                  mark_buffer_dirty(*path.nodes[0]);
              });
          }) == "write-under-writeback");
    CHECK(noticed([&](FsInfo& fs) {
              with_leaf(fs, [](Path& path) {
                  set_item_key_safe(path, {first_free_objectid + 100, inode_item_key, 0});
              });
          }) == "key-order");
}

TEST_CASE("References of the committed extent tree are counted", "[model][invariants]") {
    CHECK(noticed([](FsInfo& fs) {
              const auto& range = range_of(fs, false);
              change_item<ExtentItem>(*fs.extent_root, {range.start, extent_item_key, range.length},
                                      [](ExtentItem& i) { ++i.refs; });
          }) == "extent-refs");
}

TEST_CASE("Block group items hold what extents take", "[model][invariants]") {
    CHECK(noticed([](FsInfo& fs) {
              // The group's item is written from memory when the group is dirty, so it is one that
              // nothing changes.
              BlockGroup& bg = group_of(fs, bg_data);
              change_item<BlockGroupItem>(*fs.extent_root,
                                          {bg.start.get(), block_group_item_key, bg.length},
                                          [](BlockGroupItem& i) { i.used += sectorsize; });
          }) == "block-group-used");
}

TEST_CASE("Device items hold what device extents take", "[model][invariants]") {
    CHECK(noticed([](FsInfo& fs) {
              change_item<DevItem>(*fs.chunk_root, {dev_items_objectid, dev_item_key, 1},
                                   [](DevItem& i) { i.bytes_used += sectorsize; });
          }) == "device-extents");
}

TEST_CASE("The super block counts bytes and devices", "[model][invariants]") {
    CHECK(noticed([](FsInfo& fs) {
              fs.super_obj.write();
              fs.super_copy->num_devices = 2;
              test::must(vfs::pwrite(fs, "data", 0, 4096, 0x63), "pwrite");
              test::must(vfs::sync(fs), "sync");
          }) == "super-matches-trees");
}

TEST_CASE("Committed data without a checksum, or with a wrong one, is noticed",
          "[model][invariants]") {
    CHECK(noticed([](FsInfo& fs) {
              const auto trans = start_transaction(*fs.csum_root, 1);
              test::must(del_csums(**trans, Bytenr(range_of(fs, false).start), sectorsize),
                         "del_csums");
              test::must(commit_transaction(*trans), "commit");
          }) == "csums-present");
    CHECK(noticed([](FsInfo& fs) {
              const u64 start = range_of(fs, false).start;
              medium_store(*place_of(fs, start).dev, place_of(fs, start).physical,
                           {.word = 7, .bytes = nullptr});
              fs.invariants->verified = 0;
              test::must(vfs::pwrite(fs, "nocow", 0, 4096, 0x63), "pwrite");
              test::must(vfs::sync(fs), "sync");
          }) == "data-matches-checksum");
}

TEST_CASE("What btrfs check is blind to is noticed", "[model][invariants]") {
    const auto change_extent = [](FsInfo& fs, u64 bytenr, auto&& change) {
        // The item of a block that the transaction itself does not copy.
        change_item<ExtentItem>(*fs.extent_root, {bytenr, metadata_item_key, 0}, change);
    };
    CHECK(noticed([&](FsInfo& fs) {
              change_extent(fs, fs.fs_root->commit_root->start.get(),
                            [](ExtentItem& i) { i.flags |= block_flag_full_backref; });
          }) == "full-backref-is-needed");
    CHECK(noticed([](FsInfo& fs) {
              ExtentBuffer& eb = *fs.fs_root->node;
              test::must(vfs::pwrite(fs, "data", 0, 4096, 0x63), "pwrite");
              test::must(vfs::writeback(fs, "data"), "writeback");
              wait_ordered_roots(fs, Bytenr(0), ~u64{0});
              ExtentBuffer& fresh = *fs.fs_root->node;
              CHECK(&fresh != &eb);
              tree_lock(fresh);
              fresh.content.write();
              fresh.header().chunk_tree_uuid[0] ^= 1;
              tree_unlock(fresh);
              test::must(vfs::sync(fs), "sync");
          }) == "headers-complete");
    CHECK(noticed([](FsInfo& fs) {
              change_item<RootItem>(*fs.tree_root, {uuid_tree_objectid, root_item_key, 0},
                                    [](RootItem& i) { ++i.generation_v2; });
          }) == "headers-complete");
    CHECK(noticed([](FsInfo& fs) {
              const auto trans = start_transaction(*fs.csum_root, 1);
              const u32 sum = 7;
              test::must(csum_file_blocks(**trans, group_of(fs, bg_data).end() - sectorsize,
                                          std::span(&sum, 1)),
                         "csum");
              test::must(commit_transaction(*trans), "commit");
          }) == "csums-have-data");
    CHECK(noticed([](FsInfo& fs) {
              const u64 ino = first_free_objectid + 1;  // "data"
              change_item<FileExtentItem>(*fs.fs_root, {ino, extent_data_key, 0},
                                          [](FileExtentItem& i) { i.generation = 1; });
          }) == "file-extent-generation");
}

TEST_CASE("Inline references out of order are noticed", "[model][invariants]") {
    CHECK(noticed([](FsInfo& fs) {
              // Both trees come to own their leaf, so the extent of "data" has a reference of each.
              const u64 start = range_of(fs, false).start;
              test::must(vfs::snapshot(fs, ".", "snap", false), "snapshot");
              test::must(vfs::pwrite(fs, "nocow", 4096, 4096, 0x63), "pwrite");
              test::must(vfs::sync(fs), "sync");
              const auto trans = start_transaction(*fs.extent_root, 1);
              {
                  Path path;
                  const auto found = search_slot(*trans, *fs.extent_root,
                                                 {start, extent_item_key, 8192}, path, 0, true);
                  if (!found || !*found) return sim::violation("test/item", "no extent item");
                  constexpr std::size_t ref = 1 + sizeof(ExtentDataRef);
                  unsigned char* const first =
                      path.nodes[0]->item_data(path.slots[0]) + sizeof(ExtentItem);
                  if (path.nodes[0]->item_size(path.slots[0]) != sizeof(ExtentItem) + 2 * ref)
                      return sim::violation("test/item", "not two references");
                  std::swap_ranges(first, first + ref, first + ref);
                  mark_buffer_dirty(*path.nodes[0]);
              }
              test::must(commit_transaction(*trans), "commit");
          }) == "backrefs-in-order");
}

TEST_CASE("A super block that reaches a block that was never written is noticed",
          "[model][invariants]") {
    CHECK(noticed([](FsInfo& fs) {
              for (const auto& range : fs.invariants->ranges)
                  if (range.metadata)
                      medium_store(*place_of(fs, range.start).dev,
                                   place_of(fs, range.start).physical, {});
              fs.invariants->verified = 0;
              test::must(vfs::pwrite(fs, "data", 0, 4096, 0x63), "pwrite");
              test::must(vfs::sync(fs), "sync");
          }) == "committed-tree-intact");
}

TEST_CASE("A device that lacks the newest super block is noticed", "[model][invariants]") {
    test::Watched watched{.geometry = test::small_geometry(2), .prepare = make_files};
    watched.tasks.push_back([](FsInfo& fs) {
        medium_store(*fs.fs_devices.devices[1], super_info_offset, {});
        check_commit_completed(fs);
    });
    CHECK(test::signature_of(test::run_watched(watched)) == "super-on-every-device");
}

TEST_CASE("An older super block after a newer one is noticed", "[model][invariants]") {
    CHECK(noticed([](FsInfo& fs) {
              Device& device = *fs.fs_devices.devices[0];
              Vector<Sector> old(1, medium_durable(device, super_info_offset));
              test::must(vfs::pwrite(fs, "data", 0, 4096, 0x63), "pwrite");
              test::must(vfs::sync(fs), "sync");
              static_cast<void>(device_io_wait(device, MapOp::Write, super_info_offset, old).ok());
          }) == "super-order");
}

TEST_CASE("Nothing that the last super block reaches is overwritten", "[model][invariants]") {
    const auto overwrite = [](FsInfo& fs, u64 logical) {
        const Stripe place = place_of(fs, logical);
        Vector<Sector> sectors(1);
        sectors[0].word = 7;
        static_cast<void>(device_io_wait(*place.dev, MapOp::Write, place.physical, sectors).ok());
    };
    CHECK(noticed([&](FsInfo& fs) { overwrite(fs, range_of(fs, false).start); }) ==
          "committed-block-overwritten");
    CHECK(noticed([&](FsInfo& fs) { overwrite(fs, fs.tree_root->commit_root->start.get()); }) ==
          "committed-block-overwritten");
    CHECK(noticed([&](FsInfo& fs) { overwrite(fs, range_of(fs, true).start); }) ==
          "files-read-back");  // allowed in place; but no file wrote it
}

TEST_CASE("A write to a device that is not part of the filesystem is noticed",
          "[model][invariants]") {
    test::Watched watched{.geometry = test::geometry_with_spare(), .prepare = make_files};
    watched.tasks.push_back([](FsInfo& fs) {
        Vector<Sector> sectors(1);
        static_cast<void>(
            device_io_wait(*find_device_by_name(fs, "c"), MapOp::Write, 2 << 20, sectors).ok());
    });
    CHECK(test::signature_of(test::run_watched(watched)) == "write-to-removed-device");
}

TEST_CASE("Space that is taken is not handed out", "[model][invariants]") {
    CHECK(noticed([](FsInfo& fs) {
              check_allocation(fs, Bytenr(range_of(fs, false).start), sectorsize);
          }) == "allocation-is-free");
    CHECK(noticed([](FsInfo& fs) {
              BlockGroup& bg = group_of(fs, bg_data);
              test::must(inc_block_group_ro(bg, false), "ro");
              check_allocation(fs, bg.end() - sectorsize, sectorsize);
          }) == "allocation-is-free");
    CHECK(noticed([](FsInfo& fs) {
              const auto trans = join_transaction(*fs.tree_root);
              BlockGroup& bg = group_of(fs, bg_data);
              (*trans)->transaction.pinned_extents.emplace(bg.end().get() - sectorsize, sectorsize);
              check_allocation(fs, bg.end() - sectorsize, sectorsize);
          }) == "allocation-is-free");
    CHECK(noticed([](FsInfo& fs) {
              check_allocation(fs, group_of(fs, bg_data).end() - sectorsize, sectorsize);
          }) == "");
}

TEST_CASE("Space that the last super block reaches is not unpinned", "[model][invariants]") {
    CHECK(noticed([](FsInfo& fs) {
              check_unpin(fs, Bytenr(range_of(fs, false).start), sectorsize);
          }) == "unpin-unreachable");
    CHECK(noticed([](FsInfo& fs) {
              check_unpin(fs, group_of(fs, bg_data).end() - sectorsize, sectorsize);
          }) == "");
}

TEST_CASE("A block group that still holds something is not removed", "[model][invariants]") {
    CHECK(noticed([](FsInfo& fs) {
              const auto trans = start_transaction(*fs.extent_root, 1);
              static_cast<void>(remove_chunk(**trans, group_of(fs, bg_data).start).ok());
          }) == "removed-group-empty");
}

TEST_CASE("A write that a zone refuses is noticed", "[model][invariants]") {
    const auto signature = [](bool at_write_pointer) {
        const u64 zone_size = u64{1} << 20;
        test::Watched watched;
        watched.geometry.devices = {{"a", 16 * zone_size}};
        watched.geometry.zone_size = watched.geometry.data_chunk = watched.geometry.metadata_chunk =
            watched.geometry.system_chunk = zone_size;
        watched.tasks.push_back([=](FsInfo& fs) {
            Device& device = *fs.fs_devices.devices[0];
            const u64 zone = place_of(fs, group_of(fs, bg_data).start.get()).physical;
            Vector<Sector> sectors(1);
            static_cast<void>(device_io_wait(device, MapOp::Write,
                                             zone + (at_write_pointer ? 0 : sectorsize), sectors)
                                  .ok());
        });
        return test::signature_of(test::run_watched(watched));
    };
    CHECK(signature(false) == "zone-write-pointer");
    CHECK(signature(true) == "");
}

TEST_CASE("What is left behind at the end is noticed", "[model][invariants]") {
    CHECK(noticed([](FsInfo& fs) {
              test::must(inc_block_group_ro(group_of(fs, bg_data), false), "ro");
          }) == "readonly-restored");
    CHECK(noticed([](FsInfo& fs) { inc_nocow_writers(fs, group_of(fs, bg_data).start); }) ==
          "nothing-left-behind");
    CHECK(noticed([](FsInfo& fs) { static_cast<void>(join_transaction(*fs.tree_root).ok()); }) ==
          "nothing-left-behind");
    CHECK(noticed([](FsInfo& fs) {
              BlockGroup& bg = group_of(fs, bg_data);
              const sim::SpinGuard guard(bg.tree_lock);
              bg.free_space_obj.write();
              bg.free_space.begin()->second -= sectorsize;
          }) == "free-space-exact");
}

TEST_CASE("A transaction that is aborted while the devices work is noticed",
          "[model][invariants]") {
    CHECK(noticed([](FsInfo& fs) {
              const auto trans = join_transaction(*fs.tree_root);
              abort_transaction(**trans, Errno::NoEnt, "test");
              static_cast<void>(end_transaction(*trans).ok());
          }) == "no-abort");
}

TEST_CASE("A file that does not hold what was written is noticed", "[model][invariants]") {
    const auto inode_of = [](FsInfo& fs, const char* path) {
        for (const auto& [key, file] : fs.ledger->files())
            if (file.path == path) return fs.inodes.at(key);
        std::abort();
    };
    CHECK(noticed([&](FsInfo& fs) { inode_of(fs, "data")->pages.at(0)->word = 7; }) ==
          "files-read-back");
    CHECK(noticed([](FsInfo& fs) {
              const Stripe place = place_of(fs, range_of(fs, true).start);
              medium_store(*place.dev, place.physical, {.word = 7, .bytes = nullptr});
          }) == "files-read-back");
    CHECK(noticed([](FsInfo& fs) {
              test::must(vfs::pwrite(fs, "data", 0, 4096, 0x65), "pwrite");
          }) == "");
}

TEST_CASE("Extents that overlap are noticed", "[model][invariants]") {
    TreeImage image;
    image.extents.push_back(
        {.start = 4096, .length = 8192, .refs = 0, .generation = 1, .flags = extent_flag_data});
    image.extents.push_back(
        {.start = 8192, .length = 4096, .refs = 0, .generation = 1, .flags = extent_flag_data});
    CHECK(check_references(image, {}).invariant == std::string("extents-disjoint"));
}

TEST_CASE("References that are queued count as references", "[model][invariants]") {
    TreeImage image;
    image.extents.push_back({.start = 4096,
                             .length = 4096,
                             .refs = 1,
                             .generation = 1,
                             .flags = extent_flag_data,
                             .listed = 1});
    image.references = {{4096, 4096, true}, {4096, 4096, true}, {65536, 4096, false}};
    CHECK(check_references(image, {{4096, 1}, {65536, 1}}).invariant == nullptr);
    CHECK(check_references(image, {{4096, 1}}).invariant == std::string("extent-refs"));
    CHECK(check_references(image, {{65536, 1}}).invariant == std::string("extent-refs"));
    image.extents[0].listed = 2;
    CHECK(check_references(image, {{4096, 1}, {65536, 1}}).invariant == std::string("extent-refs"));
}

TEST_CASE(
    "The state at the end of a replace is compared sector by sector, writes in flight included",
    "[model][invariants]") {
    test::Watched watched{.geometry = test::geometry_with_spare(), .prepare = make_files};
    // What the source will hold, and what the target will.
    const auto compare = [&](const test::FsTask& before) {
        watched.tasks = {[&before](FsInfo& fs) {
            Device& src = *find_device_by_name(fs, "a");
            Device& tgt = *find_device_by_name(fs, "c");
            for (const auto& [physical, sector] : src.disk.durable)
                medium_store(tgt, physical, sector);
            before(fs);
            check_replace_finished(fs, src, tgt);
        }};
        return test::signature_of(test::run_watched(watched));
    };
    static Sector newer{.word = 9, .bytes = nullptr};
    const auto in_flight = [](FsInfo& fs, const char* device) {
        const u64 physical = place_of(fs, range_of(fs, true).start).physical;
        find_device_by_name(fs, device)->in_flight.push_back({physical, 1, &newer});
    };
    const auto land = [](FsInfo& fs) {
        for (Device* const device : fs.fs_devices.all_devices) {
            device->in_flight.clear();
            device->mapped.clear();
        }
    };
    CHECK(compare([](FsInfo&) {}) == "");
    CHECK(compare([&](FsInfo& fs) { in_flight(fs, "a"); }) == "replace-target-equals-source");
    watched.tasks = {[&](FsInfo& fs) {
        Device& src = *find_device_by_name(fs, "a");
        Device& tgt = *find_device_by_name(fs, "c");
        for (const auto& [physical, sector] : src.disk.durable)
            medium_store(tgt, physical, sector);
        in_flight(fs, "a");
        in_flight(fs, "c");
        check_replace_finished(fs, src, tgt);
        tgt.mapped = tgt.in_flight;  // handed to the source alone, so far
        tgt.in_flight.clear();
        check_replace_finished(fs, src, tgt);
        land(fs);
    }};
    CHECK(test::signature_of(test::run_watched(watched)) == "");
}

}  // namespace invariants_test
