#include "model/file_item.h"

#include <catch2/catch.hpp>
#include <map>

#include "model/file.h"
#include "model/fs_info.h"
#include "sim/rng.h"
#include "tests/model/support/simulated_fs.h"

namespace file_item_test {

using namespace model;

namespace {

test::Options shape(u32 items_per_node) {
    test::Options options;
    options.geometry.items_per_node = items_per_node;
    return options;
}

/// A transaction on the top-level tree, and a file's inode that is not in it.
struct Items {
    explicit Items(FsInfo& owner) : fs(owner), inode(owner, *owner.fs_root, 300) {
        trans = *start_transaction(inode.root, 50);
    }
    void end() { CHECK(end_transaction(trans)); }

    void insert(u64 page, u64 pages, u64 disk_page, u8 type = file_extent_reg) {
        CHECK(insert_reserved_file_extent(*trans, inode, page_offset(page), page_offset(pages),
                                          Bytenr(disk_start + page_offset(disk_page)), type));
    }
    u64 drop(u64 page, u64 pages) {
        const auto dropped = drop_extents(*trans, inode.root, inode.ino, page_offset(page),
                                          page_offset(page + pages));
        CHECK(dropped);
        return dropped ? page_index(*dropped) : 0;
    }
    /// File page -> disk page, negative while preallocated.
    std::map<u64, long> pages() {
        std::map<u64, long> found;
        for (u64 offset = 0;;) {
            const auto extent = lookup_file_extent(inode.root, inode.ino, offset);
            CHECK(extent);
            if (!extent || !*extent) return found;
            const FileExtent& item = **extent;
            CHECK(item.file_offset >= offset);
            const long sign = item.item.type == file_extent_prealloc ? -1 : 1;
            for (u64 at = item.file_offset; at < item.end(); at += sectorsize)
                found[page_index(at)] =
                    sign * static_cast<long>(page_index(item.item.disk_bytenr - disk_start +
                                                        item.item.offset + at - item.file_offset));
            offset = item.end();
        }
    }

    static constexpr u64 disk_start = 64 << 20;
    FsInfo& fs;
    Inode inode;
    TransHandle* trans;
};

void run(u32 items_per_node, const std::function<void(Items&)>& body) {
    const auto result = test::run_on_fs(shape(items_per_node), [&](FsInfo& fs) {
        Items items(fs);
        body(items);
    });
    INFO((result.violation ? result.violation->text : ""));
    CHECK(result.outcome == sim::Outcome::Completed);
}

using Pages = std::map<u64, long>;

}  // namespace

TEST_CASE("Dropping the middle of an extent leaves both sides", "[model][file]") {
    run(0, [](Items& items) {
        items.insert(0, 6, 10);
        CHECK(items.drop(2, 2) == 2);
        CHECK(items.pages() == Pages{{0, 10}, {1, 11}, {4, 14}, {5, 15}});
    });
}

TEST_CASE("Dropping trims an extent at either end, and removes what it covers", "[model][file]") {
    run(0, [](Items& items) {
        items.insert(0, 3, 10);
        items.insert(3, 2, 20);
        items.insert(5, 3, 30);
        CHECK(items.drop(1, 6) == 6);
        CHECK(items.pages() == Pages{{0, 10}, {7, 32}});
        CHECK(items.drop(100, 5) == 0);
    });
}

TEST_CASE("Inserting an extent replaces what was in its range and counts the difference",
          "[model][file]") {
    run(0, [](Items& items) {
        items.insert(0, 4, 10);
        items.insert(2, 4, 20);
        CHECK(items.pages() == Pages{{0, 10}, {1, 11}, {2, 20}, {3, 21}, {4, 22}, {5, 23}});
        CHECK(items.inode.nbytes == page_offset(6));
    });
}

TEST_CASE("A written part of a preallocated extent becomes regular, and merges with its neighbours",
          "[model][file]") {
    run(0, [](Items& items) {
        items.insert(0, 4, 10, file_extent_prealloc);
        CHECK(mark_extent_written(*items.trans, items.inode, page_offset(1), page_offset(2)));
        CHECK(items.pages() == Pages{{0, -10}, {1, 11}, {2, -12}, {3, -13}});
        CHECK(mark_extent_written(*items.trans, items.inode, page_offset(2), page_offset(3)));
        CHECK(items.pages() == Pages{{0, -10}, {1, 11}, {2, 12}, {3, -13}});
        const auto merged = lookup_file_extent(items.inode.root, items.inode.ino, page_offset(1));
        CHECK(u64{(*merged)->item.num_bytes} == page_offset(2));
        CHECK(mark_extent_written(*items.trans, items.inode, 0, page_offset(1)));
        CHECK(mark_extent_written(*items.trans, items.inode, page_offset(3), page_offset(4)));
        const auto whole = lookup_file_extent(items.inode.root, items.inode.ino, 0);
        CHECK(u64{(*whole)->item.num_bytes} == page_offset(4));
    });
}

TEST_CASE("Random insertions and drops agree with a map of pages", "[model][file]") {
    const u32 items_per_node = GENERATE(0, 3, 5);
    run(items_per_node, [](Items& items) {
        sim::Rng rng(7);
        Pages expected;
        u64 next_disk = 1;
        for (int i = 0; i < 120; ++i) {
            const u64 page = rng.below(40), count = 1 + rng.below(8);
            const bool inserts = rng.below(3) != 0;
            if (inserts)
                items.insert(page, count, next_disk);
            else
                items.drop(page, count);
            for (u64 at = page; at < page + count; ++at) {
                if (inserts)
                    expected[at] = static_cast<long>(next_disk++);
                else
                    expected.erase(at);
            }
            CHECK(items.pages() == expected);
        }
        CHECK(items.inode.nbytes % sectorsize == 0);
    });
}

namespace {

using Sums = std::map<u64, u32>;  // by page of the disk

Sums sums_of(FsInfo& fs, u64 pages) {
    const auto found = lookup_csums(fs, Bytenr(Items::disk_start), pages);
    CHECK(found);
    Sums sums;
    for (u64 page = 0; page < pages; ++page)
        if ((*found)[page]) sums[page] = *(*found)[page];
    return sums;
}

}  // namespace

TEST_CASE("Checksums of adjacent extents share an item", "[model][file]") {
    run(0, [](Items& items) {
        const std::vector<u32> first{1, 2}, second{3};
        CHECK(csum_file_blocks(*items.trans, Bytenr(Items::disk_start), first));
        CHECK(csum_file_blocks(*items.trans, Bytenr(Items::disk_start + 2 * sectorsize), second));
        CHECK(sums_of(items.fs, 4) == Sums{{0, 1}, {1, 2}, {2, 3}});
        Path path;
        CHECK(*search_slot(nullptr, *items.fs.csum_root,
                           {extent_csum_objectid, extent_csum_key, Items::disk_start}, path, 0,
                           false));
        CHECK(path.nodes[0]->item_size(path.slots[0]) == 3 * sizeof(u32));
    });
}

TEST_CASE("Random insertions and deletions of checksums agree with a map", "[model][file]") {
    const u32 items_per_node = GENERATE(0, 3, 5);
    run(items_per_node, [](Items& items) {
        sim::Rng rng(11);
        Sums expected;
        u32 next = 1;
        for (int i = 0; i < 150; ++i) {
            const u64 page = rng.below(60), count = 1 + rng.below(6);
            const Bytenr start(Items::disk_start + page_offset(page));
            CHECK(del_csums(*items.trans, start, page_offset(count)));
            for (u64 at = page; at < page + count; ++at)
                expected.erase(at);
            if (rng.below(3) == 0) {
                CHECK(sums_of(items.fs, 70) == expected);
                continue;
            }
            std::vector<u32> sums(count);
            for (u64 at = 0; at < count; ++at)
                expected[page + at] = sums[at] = next++;
            CHECK(csum_file_blocks(*items.trans, start, sums));
            CHECK(sums_of(items.fs, 70) == expected);
        }
    });
}

TEST_CASE("A sector's checksum is that of its word 512 times", "[model][file]") {
    CHECK(csum_data_word(0) == 0x98F94189);
}

}  // namespace file_item_test
