#include <catch2/catch.hpp>

#include "model/file_item.h"
#include "model/vfs.h"
#include "tests/model/support/watched_fs.h"

namespace csums_test {

using namespace model;

namespace {

/// Sector `index` of three at the end of the data block group, where nothing is.
Bytenr sector_of(FsInfo& fs, u64 index) {
    for (const auto& [start, bg] : fs.block_groups)
        if ((bg->flags & bg_data) != 0) return bg->end() - (3 - index) * sectorsize;
    return {};
}

bool any_sum(FsInfo& fs) {
    const auto sums = lookup_csums(fs, sector_of(fs, 0), 3, false);
    return sums &&
           std::any_of(sums->begin(), sums->end(), [](auto& sum) { return sum.has_value(); });
}

/// Deletes some of the three; whoever finds that nothing is left commits.
void remove_sums(FsInfo& fs, std::initializer_list<u64> sectors) {
    const auto trans = start_transaction(*fs.csum_root, 1);
    for (const u64 sector : sectors)
        test::must(del_csums(**trans, sector_of(fs, sector), sectorsize), "del_csums");
    test::must(end_transaction(*trans), "end");
    if (!any_sum(fs)) test::must(vfs::sync(fs), "sync");
}

}  // namespace

TEST_CASE("Deletions of checksums beside each other leave none behind", "[model][csums]") {
    // One item covers all three. While one task takes out the middle, the other must not miss the
    // rest.
    test::Watched watched;
    watched.prepare = [](FsInfo& fs) {
        const auto trans = start_transaction(*fs.csum_root, 1);
        const u32 sums[] = {1, 2, 3};
        test::must(csum_file_blocks(**trans, sector_of(fs, 0), sums), "csum_file_blocks");
        test::must(end_transaction(*trans), "end");
    };
    watched.tasks.push_back([](FsInfo& fs) { remove_sums(fs, {1}); });
    watched.tasks.push_back([](FsInfo& fs) { remove_sums(fs, {2, 0}); });
    const auto report = test::explore_watched(watched, 2);
    INFO((report.failures.empty() ? "" : report.failures[0].result.violation->text));
    CHECK(test::signature_of(report) == "");
    CHECK(report.executions > 10);
}

}  // namespace csums_test
