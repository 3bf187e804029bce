// When all tasks have ended, every file holds what its writers put there: in the page cache, and on
// the devices where the cache says that there is nothing left to write.
#include <algorithm>

#include "model/fs_info.h"
#include "model/invariant_state.h"
#include "model/ledger.h"
#include "model/probes.h"
#include "model/tree_check.h"

namespace model {
namespace {

const Evaluation files_read_back{"files-read-back"};

/// Where the data of one file lies, by offset in the file. Preallocated extents read as zeros: they
/// are left out, as holes are.
using FileMap = std::map<u64, FileExtentItem>;

FileMap map_of(const FsInfo& fs, const Inode& inode) {
    FileMap extents;
    walk_tree(fs, *inode.root.node, [&](const VisitedBlock& block) {
        if (block.bytes == nullptr || block.level > 0) return WalkStep::Descend;
        for (u32 slot = 0; slot < block.header().nritems; ++slot) {
            const Key key = block.key(slot);
            if (key.objectid != inode.ino || key.type != extent_data_key) continue;
            const auto item = load<FileExtentItem>(block.item_data(slot));
            if (item.type == file_extent_reg && item.disk_bytenr != 0)
                extents.emplace(key.offset, item);
        }
        return WalkStep::Skip;
    });
    return extents;
}

/// The word at an offset of the file, as each copy on the devices has it.
std::vector<u64> words_on_devices(const FsInfo& fs, const FileMap& extents, u64 offset) {
    const auto after = extents.upper_bound(offset);
    if (after == extents.begin()) return {0};
    const auto& [start, item] = *std::prev(after);
    if (offset >= start + item.num_bytes) return {0};
    const u64 logical = item.disk_bytenr + item.offset + (offset - start);
    const auto chunk = fs.mapping_tree.upper_bound(logical);
    if (chunk == fs.mapping_tree.begin()) return {};
    const ChunkMap& map = *std::prev(chunk)->second;
    std::vector<u64> words;
    for (const Stripe& stripe : map.stripes)
        if (stripe.dev->write_errors == 0)
            words.push_back(
                medium_read(*stripe.dev, stripe.physical + (logical - map.logical)).word);
    return words;
}

void check_file_sector(const FsInfo& fs, const Ledger::File& file, const Inode& inode,
                       const FileMap& extents, u64 sector) {
    const auto possible = fs.ledger->possible_words(file, sector, ~u64{0});
    const auto require = [&](u64 word, const char* where) {
        if (std::ranges::find(possible, word) != possible.end()) return;
        sim::violation("files-read-back", std::string(file.path) + ": offset " +
                                              std::to_string(sector * sectorsize) +
                                              " holds the word " + std::to_string(word) + where +
                                              ", which no writer left there");
    };
    const auto page = inode.pages.find(sector);
    const bool cached = page != inode.pages.end() && page->second->uptodate;
    if (cached) require(page->second->word, " in the page cache");
    if (inode.dirty_pages.contains(sector) || inode.writeback_pages.contains(sector)) return;
    for (const u64 word : words_on_devices(fs, extents, sector * sectorsize)) {
        require(word, " on a device");
        if (cached && word != page->second->word)
            sim::violation("files-read-back",
                           std::string(file.path) + ": offset " +
                               std::to_string(sector * sectorsize) +
                               " is clean in the page cache, but a device holds something else");
    }
}

}  // namespace

void check_files(FsInfo& fs) {
    if (fs.ledger == nullptr) return;
    files_read_back.count();
    for (const auto& [key, file] : fs.ledger->files()) {
        const auto found = fs.inodes.find(key);
        if (file.lost_a_write || file.unlink_begin != 0 || found == fs.inodes.end()) continue;
        const Inode& inode = *found->second;
        if (inode.mapping_error != 0 || inode.evicting) continue;
        const FileMap extents = map_of(fs, inode);
        for (const auto& [sector, writes] : file.sectors)
            if (sector * sectorsize < inode.i_size)
                check_file_sector(fs, file, inode, extents, sector);
    }
}

}  // namespace model
