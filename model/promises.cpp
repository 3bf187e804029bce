// What must survive a crash: what sync and fsync had returned for, and what a snapshot or subvolume
// ioctl had.
#include "model/promises.h"

#include <algorithm>

#include "model/fs_info.h"
#include "model/invariant_state.h"
#include "model/ledger.h"
#include "model/vfs.h"
#include "sim/hash.h"

namespace model {
namespace {

/// The file was there when what covers it began, and nobody removes it.
bool is_promised(const Ledger::File& file) {
    return file.promised != 0 && file.created <= file.promised && file.unlink_begin == 0 &&
           !file.lost_a_write;
}

Promises::File promise_of(const Ledger& ledger, const Ledger::File& file) {
    Promises::File promised{.path = std::string(std::string_view(file.path)),
                            .sizes = ledger.possible_sizes(file, file.promised),
                            .sectors = {}};
    for (const auto& [sector, writes] : file.sectors)
        promised.sectors[sector] = ledger.possible_words(file, sector, file.promised);
    return promised;
}

u64 hash_list(u64 seed, const std::vector<u64>& list) {
    u64 hash = sim::hash_mix(seed, list.size());
    for (const u64 value : list)
        hash = sim::hash_mix(hash, value);
    return hash;
}

bool contains(const std::vector<u64>& list, u64 value) {
    return std::ranges::find(list, value) != list.end();
}

std::string shown(const std::vector<u64>& list) {
    std::string text;
    for (const u64 value : list)
        text += (text.empty() ? "" : " or ") + std::to_string(value);
    return text;
}

void broken(const std::string& path, const std::string& text) {
    sim::violation("promises-kept", path + " " + text);
}

std::string errno_word(Errno error) {
    return "-E" + std::string(errno_name(error));
}

/// The inode that the last lookup of the path left in the cache.
const Inode* looked_up(const FsInfo& fs, const std::string& path) {
    const auto found = fs.dcache.find(String(path));
    return found == fs.dcache.end() ? nullptr : found->second;
}

void check_promised_word(const Promises::File& file, const Inode& inode, u64 sector,
                         const std::vector<u64>& words) {
    const auto page = inode.pages.find(sector);
    const u64 word = page == inode.pages.end() ? 0 : page->second->word;
    if (contains(words, word)) return;
    broken(file.path, "holds the word " + std::to_string(word) + " at " +
                          std::to_string(sector * sectorsize) + ", promised was " + shown(words));
}

void check_file(FsInfo& fs, const Promises::File& file) {
    const auto opened = vfs::pread(fs, file.path, 0, sectorsize, -1);
    if (!opened) return broken(file.path, "cannot be read: " + errno_word(opened.error()));
    const Inode* const inode = looked_up(fs, file.path);
    if (inode == nullptr) return broken(file.path, "was read, but is not in the cache");
    if (!contains(file.sizes, inode->i_size))
        broken(file.path, "has " + std::to_string(inode->i_size) + " bytes, promised were " +
                              shown(file.sizes));
    for (const auto& [sector, words] : file.sectors) {
        if (sector * sectorsize >= inode->i_size) continue;
        const auto read = vfs::pread(fs, file.path, sector * sectorsize, sectorsize, -1);
        if (!read) return broken(file.path, "cannot be read: " + errno_word(read.error()));
        check_promised_word(file, *inode, sector, words);
    }
}

/// A directory cannot be read as a file, and says so.
void check_subvolume(FsInfo& fs, const std::string& path) {
    const auto opened = vfs::pread(fs, path, 0, sectorsize, -1);
    const Errno error = opened ? Errno{} : opened.error();
    if (error != Errno::IsDir) broken(path, "is no subvolume: " + errno_word(error));
}

}  // namespace

u64 Promises::hash() const {
    u64 hash = generation;
    for (const File& file : files) {
        hash = hash_list(sim::hash_mix(hash, sim::hash_text(file.path)), file.sizes);
        for (const auto& [sector, words] : file.sectors)
            hash = hash_list(sim::hash_mix(hash, sector), words);
    }
    for (const std::string& path : subvolumes)
        hash = sim::hash_mix(hash, sim::hash_text(path));
    return hash;
}

Promises promises_of(const FsInfo& fs) {
    Promises promises;
    promises.generation = newest_durable_super(fs);
    if (fs.ledger == nullptr) return promises;
    for (const auto& [key, file] : fs.ledger->files())
        if (is_promised(file)) promises.files.push_back(promise_of(*fs.ledger, file));
    for (const String& path : fs.ledger->subvolumes())
        promises.subvolumes.emplace_back(std::string_view(path));
    return promises;
}

void check_promises(FsInfo& fs, const Promises& promises) {
    const u64 generation = fs.last_trans_committed.peek();
    if (generation < promises.generation)
        sim::violation("last-super-block-wins", "transaction " + std::to_string(generation) +
                                                    " is mounted, but the super block of " +
                                                    std::to_string(promises.generation) +
                                                    " was durable");
    for (const Promises::File& file : promises.files)
        check_file(fs, file);
    for (const std::string& path : promises.subvolumes)
        check_subvolume(fs, path);
}

}  // namespace model
