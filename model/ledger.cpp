#include "model/ledger.h"

#include <algorithm>

#include "model/file.h"
#include "model/fs_info.h"

namespace model {
namespace {

u64 key_of(const Inode& inode) {
    return inode.root.objectid << 32 | inode.ino;
}

/// Whether a change that began after `old` was over has itself been over for an observer who began
/// at `since`.
template <class Entry> bool supersedes(const Entry& newer, const Entry& old, u64 since) {
    return newer.landed && newer.end <= since && old.end != 0 && newer.begin > old.end;
}

template <class Entry>
bool is_superseded(const Vector<Entry>& entries, const Entry& old, u64 since) {
    return std::any_of(entries.begin(), entries.end(),
                       [&](const Entry& newer) { return supersedes(newer, old, since); });
}

template <class Entry> void drop_superseded(Vector<Entry>& entries, u64 since) {
    Vector<Entry> kept;
    std::copy_if(entries.begin(), entries.end(), std::back_inserter(kept),
                 [&](const Entry& old) { return !is_superseded(entries, old, since); });
    entries = std::move(kept);
}

template <class Entry> void end_entries(Vector<Entry>& entries, u64 begin, u64 end, bool landed) {
    for (Entry& entry : entries) {
        if (entry.begin != begin || entry.end != 0) continue;
        entry.end = end;
        entry.landed = landed;
    }
}

/// What a sector held before the first change of it: zeros, since the file was made.
constexpr Ledger::Write never_written{.word = 0, .begin = 0, .end = 1, .landed = true};

}  // namespace

Ledger::File* Ledger::known(u64 key) {
    const auto found = files_.find(key);
    return found == files_.end() ? nullptr : &found->second;
}

const Ledger::File* Ledger::find(const Inode& inode) const {
    const auto found = files_.find(key_of(inode));
    return found == files_.end() ? nullptr : &found->second;
}

/// Changes of one file are ordered by its lock, those of others do not matter to each other.
void Ledger::changed(u64 key) const {
    if (orders_steps) sim::current().order(order_, sim::AccessKind::Insert, key);
}

u64 Ledger::begin_promise(const Inode& inode) {
    if (orders_steps) sim::current().order(order_, sim::AccessKind::Lookup, key_of(inode));
    return now();
}

u64 Ledger::begin_promise_all() {
    if (orders_steps) sim::current().order(order_, sim::AccessKind::Read);
    return now();
}

void Ledger::created(const Inode& inode, std::string_view path) {
    changed(key_of(inode));
    const u64 at = std::max<u64>(now(), never_written.end);
    File& file = files_[key_of(inode)];
    file.root = inode.root.objectid;
    file.ino = inode.ino;
    file.path = String(path);
    file.created = at;
    file.sizes.push_back({.size = 0, .begin = at, .end = at, .landed = true});
}

Ledger::Change Ledger::begin_write(const Inode& inode, u64 start, u64 end, u64 word) {
    File* const file = known(key_of(inode));
    if (file == nullptr) return {};
    const u64 begin = now();
    for (u64 sector = page_index(start); sector < page_index(end); ++sector) {
        auto& writes = file->sectors[sector];
        if (writes.empty()) writes.push_back(never_written);
        writes.push_back({.word = word, .begin = begin, .end = 0, .landed = false});
    }
    file->sizes.push_back(
        {.size = std::max(size_now(*file), end), .begin = begin, .end = 0, .landed = false});
    return {key_of(inode), begin};
}

Ledger::Change Ledger::begin_truncate(const Inode& inode, u64 size) {
    File* const file = known(key_of(inode));
    if (file == nullptr) return {};
    const u64 begin = now();
    for (auto at = file->sectors.lower_bound(page_index(size)); at != file->sectors.end(); ++at)
        at->second.push_back({.word = 0, .begin = begin, .end = 0, .landed = false});
    file->sizes.push_back({.size = size, .begin = begin, .end = 0, .landed = false});
    return {key_of(inode), begin};
}

Ledger::Change Ledger::begin_allocate(const Inode& inode, u64 end) {
    File* const file = known(key_of(inode));
    if (file == nullptr) return {};
    const u64 begin = now();
    file->sizes.push_back(
        {.size = std::max(size_now(*file), end), .begin = begin, .end = 0, .landed = false});
    return {key_of(inode), begin};
}

void Ledger::end(const Change& change, const Inode& inode, bool ok) {
    File* const file = known(change.file);
    if (file == nullptr) return;
    changed(change.file);
    const u64 at = now();
    for (Size& size : file->sizes)
        if (size.begin == change.begin) size.size = inode.i_size;
    for (auto& [sector, writes] : file->sectors)
        end_entries(writes, change.begin, at, ok);
    end_entries(file->sizes, change.begin, at, ok);
}

void Ledger::begin_unlink(const Inode& inode) {
    if (File* const file = known(key_of(inode))) file->unlink_begin = now();
}

void Ledger::end_unlink(const Inode& inode, bool ok) {
    File* const file = known(key_of(inode));
    if (file != nullptr && !ok) file->unlink_begin = 0;
}

void Ledger::forget_superseded(File& file, u64 since) const {
    if (running_reads_ > 0) return;
    for (auto& [sector, writes] : file.sectors)
        drop_superseded(writes, since);
    drop_superseded(file.sizes, since);
}

void Ledger::lost_write(const Inode& inode) {
    if (File* const file = known(key_of(inode))) file->lost_a_write = true;
}

void Ledger::promise_file(File& file, u64 begin) {
    if (file.lost_a_write) return;
    file.promised = std::max(file.promised, begin);
    forget_superseded(file, file.promised);
}

void Ledger::promise(const Inode& inode, u64 begin) {
    if (File* const file = known(key_of(inode))) promise_file(*file, begin);
}

void Ledger::promise_all(u64 begin) {
    for (auto& [key, file] : files_)
        promise_file(file, begin);
}

u64 Ledger::begin_read() {
    ++running_reads_;
    return now();
}

std::vector<u64> Ledger::possible_words(const File& file, u64 sector, u64 since) const {
    const auto found = file.sectors.find(sector);
    if (found == file.sectors.end()) return {never_written.word};
    std::vector<u64> words;
    for (const Write& write : found->second)
        if (!is_superseded(found->second, write, since)) words.push_back(write.word);
    return words;
}

std::vector<u64> Ledger::possible_sizes(const File& file, u64 since) const {
    std::vector<u64> sizes;
    for (const Size& size : file.sizes)
        if (!is_superseded(file.sizes, size, since)) sizes.push_back(size.size);
    return sizes;
}

}  // namespace model
