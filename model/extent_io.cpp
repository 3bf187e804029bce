#include <algorithm>
#include <optional>
#include <vector>

#include "model/bio.h"
#include "model/file.h"
#include "model/file_item.h"
#include "model/fs_info.h"
#include "model/ledger.h"
#include "sim/trace.h"

// Writeback of file pages: the write half of fs/btrfs/extent_io.c, v6.1, under the names that 4.6
// gave its functions.
//
// What the kernel does page after page under page locks is done for a whole range in one section
// here where nobody can come between: locking the pages of a delalloc range (ascending, so no two
// tasks can block each other), and setting writeback on them. The pages of a range stay locked
// until they are under writeback; the kernel unlocks all but the first in between, and finds them
// again. So each ordered extent is written by one bio.

namespace model {
namespace {

// ---- the bio being built
// ------------------------------------------------------------------------------------------------------------

void erase_range(Set<u64>& indices, u64 first, u64 last) {
    indices.erase(indices.lower_bound(first), indices.lower_bound(last));
}

/// What end_io needs to know of a bio's pages.
struct WriteRange {
    Inode* inode;
    u64 start, end;
};

/// A part of the range that lies in one ordered extent.
struct Piece {
    u64 start, end;
    Bytenr disk;
    std::vector<u64> words;
};

/// struct extent_page_data (btrfs_bio_ctrl later): the bio that waits for more pages.
struct ExtentPageData {
    Bio* bio = nullptr;
};

/// mapping_lock held.
void mapping_set_error(Inode& inode, int error) {
    inode.mapping_error = error;
    if (inode.fs.ledger != nullptr) inode.fs.ledger->lost_write(inode);
}

/// The extent is where the drive put it. Mirrors btrfs_record_physical_zoned().
void record_append(Inode& inode, u64 start, Bytenr written) {
    const sim::SpinGuard guard{inode.ordered_tree_lock};
    OrderedExtent* const ordered = find_ordered_locked(inode, start, sectorsize);
    SIM_ASSERT(ordered != nullptr && ordered->file_offset == start);
    ordered->obj.write();
    ordered->written = written;
}

/// Mirrors end_extent_writepage() and end_page_writeback() for all pages of the bio.
void end_bio_extent_writepage(Bio& bio) {
    const sim::Scope scope("end_bio_extent_writepage");
    WriteRange* const range = static_cast<WriteRange*>(bio.context);
    const auto [inode, start, end] = *range;
    sim::destroy(range);
    if (bio.append && bio.error == 0) record_append(*inode, start, bio.written);
    mark_ordered_io_finished(*inode, start, end - start, bio.error == 0);
    const sim::SpinGuard guard{inode->mapping_lock};
    inode->mapping_obj.write(start);
    if (bio.error != 0) mapping_set_error(*inode, bio.error);
    erase_range(inode->writeback_pages, page_index(start), page_index(end));
    inode->page_wait.wake_up_all();
}

void flush_epd_write_bio(ExtentPageData& epd) {
    if (epd.bio == nullptr) return;
    const sim::Scope scope("flush_epd_write_bio");
    sim::note(
        [&] { return "submits the bio against disk " + std::to_string(epd.bio->logical.get()); });
    Bio& bio = *epd.bio;
    epd.bio = nullptr;
    submit_bio(bio);
}

/// A bio covers one ordered extent at most: a piece of another one sends it off. Mirrors
/// submit_extent_page().
void submit_extent_page(Inode& inode, ExtentPageData& epd, const Piece& piece) {
    flush_epd_write_bio(epd);
    Bio& bio = make_bio(inode.fs, MapOp::Write, piece.disk, static_cast<u32>(piece.words.size()));
    for (std::size_t i = 0; i < piece.words.size(); ++i)
        bio.sectors[i].word = piece.words[i];
    bio.append = inode.fs.zoned != nullptr;
    bio.end_io = end_bio_extent_writepage;
    bio.context = sim::make<WriteRange>(WriteRange{&inode, piece.start, piece.end});
    epd.bio = &bio;
}

// ---- locking pages
// --------------------------------------------------------------------------------------------------------------------

enum class Attempt { None, Locked, Busy };

/// The next dirty page in [first, last): locked, or somebody else has it.
Attempt try_lock_dirty_page(Inode& inode, u64 first, u64 last, u64& index) {
    const sim::SpinGuard guard{inode.mapping_lock};
    inode.mapping_obj.write(first);
    const auto at = inode.dirty_pages.lower_bound(first);
    if (at == inode.dirty_pages.end() || *at >= last) return Attempt::None;
    index = *at;
    return inode.locked_pages.insert(index).second ? Attempt::Locked : Attempt::Busy;
}

/// @return false when no page of the range is dirty. Sends off the pending bio before it sleeps, as
/// the kernel does.
bool lock_next_dirty_page(Inode& inode, u64 first, u64 last, ExtentPageData& epd, u64& index) {
    Attempt attempt = try_lock_dirty_page(inode, first, last, index);
    if (attempt == Attempt::Busy) {
        flush_epd_write_bio(epd);
        inode.page_wait.wait_event([&] {
            attempt = try_lock_dirty_page(inode, first, last, index);
            return attempt != Attempt::Busy;
        });
    }
    return attempt == Attempt::Locked;
}

/// First page after the run of DELALLOC pages that begins at `index`.
u64 delalloc_run_end(const Inode& inode, u64 index) {
    u64 end = index;
    for (auto at = inode.delalloc.find(index); at != inode.delalloc.end() && at->first == end; ++at)
        ++end;
    return end;
}

/// The page `index` is locked; locks the other pages of its delalloc range, then the range. @return
/// the pages' end, by `last`
Attempt try_lock_delalloc(Inode& inode, u64 index, u64& last, bool& range_is_locked) {
    const sim::SpinGuard guard{inode.mapping_lock};
    inode.mapping_obj.write(index);
    const sim::SpinGuard tree_guard{inode.io_tree_lock};
    inode.io_tree_obj.read(index);
    last = delalloc_run_end(inode, index);
    range_is_locked = false;
    if (last == index) return Attempt::None;
    if (any_page_in(inode.locked_pages, index + 1, last)) return Attempt::Busy;
    range_is_locked = !try_lock_extent_locked(inode, page_offset(index), page_offset(last));
    if (range_is_locked) return Attempt::Busy;
    for (u64 page = index + 1; page < last; ++page)
        inode.locked_pages.insert(page);
    return Attempt::Locked;
}

/// @return end of the locked range; `index` itself when the page has no delalloc. Mirrors
/// find_lock_delalloc_range().
u64 find_lock_delalloc_range(Inode& inode, u64 index) {
    u64 last = index;
    bool range_is_locked = false;
    for (;;) {
        if (try_lock_delalloc(inode, index, last, range_is_locked) != Attempt::Busy) return last;
        sim::WaitQueue& queue = range_is_locked ? inode.range_wait : inode.page_wait;
        bool done = false;
        queue.wait_event([&] {
            const bool waited_for_range = range_is_locked;
            done = try_lock_delalloc(inode, index, last, range_is_locked) != Attempt::Busy;
            return done || waited_for_range != range_is_locked;
        });
        if (done) return last;
    }
}

// ---- one range
// ------------------------------------------------------------------------------------------------------------------------

/// Dirty -> writeback for the pages of [first, last), and their checksums. Unlocks them. @return by
/// ordered extent
std::vector<Piece> set_range_writeback(Inode& inode, u64 first, u64 last) {
    const bool needs_csums = !inode.nodatasum();
    const sim::SpinGuard guard{inode.mapping_lock};
    inode.mapping_obj.write(first);
    const sim::SpinGuard tree_guard{inode.ordered_tree_lock};
    std::vector<Piece> pieces;
    for (u64 index = first; index < last; ++index) {
        const u64 offset = page_offset(index);
        OrderedExtent* const ordered = find_ordered_locked(inode, offset, sectorsize);
        SIM_ASSERT(ordered != nullptr);
        Page& page = *inode.pages.at(index);
        page.obj.read();
        const u64 place = offset - ordered->file_offset;
        if (needs_csums) ordered->sums[place / sectorsize] = csum_data_word(page.word);
        if (pieces.empty() || offset == ordered->file_offset)
            pieces.push_back({offset, offset, ordered->disk_bytenr + place, {}});
        pieces.back().end += sectorsize;
        pieces.back().words.push_back(page.word);
        inode.dirty_pages.erase(index);
        inode.writeback_pages.insert(index);
        inode.locked_pages.erase(index);
    }
    inode.page_wait.wake_up_all();
    return pieces;
}

void extent_writepage_io(Inode& inode, u64 first, u64 last, ExtentPageData& epd) {
    const sim::Scope scope("__extent_writepage_io");
    for (const Piece& piece : set_range_writeback(inode, first, last))
        submit_extent_page(inode, epd, piece);
}

/// The allocation failed: what had been allocated of the range ends in error, the data is lost, and
/// the next fsync says so. Mirrors btrfs_cleanup_ordered_extents() and the error path of
/// __extent_writepage().
void fail_range(Inode& inode, u64 first, u64 last, Errno error) {
    mark_ordered_io_finished(inode, page_offset(first), page_offset(last - first), false);
    const sim::SpinGuard guard{inode.mapping_lock};
    inode.mapping_obj.write(first);
    mapping_set_error(inode, -static_cast<int>(error));
    erase_range(inode.dirty_pages, first, last);
    erase_range(inode.locked_pages, first, last);
    inode.page_wait.wake_up_all();
}

/// Locks the delalloc range that begins at the page and gives it a place on disk. @return first
/// page after it
Result<u64> writepage_delalloc(Inode& inode, u64 index) {
    const sim::Scope scope("writepage_delalloc");
    const u64 last = find_lock_delalloc_range(inode, index);
    SIM_ASSERT(last > index);  // a dirty page that nobody holds has no place yet
    const auto allocated = run_delalloc_range(inode, page_offset(index), page_offset(last));
    if (allocated) return last;
    fail_range(inode, index, last, allocated.error());
    return allocated.error();
}

/// The page is locked and dirty. @return first page that is not part of the range written
Result<u64> extent_writepage(Inode& inode, u64 index, ExtentPageData& epd) {
    const sim::Scope scope("__extent_writepage");
    const auto last = writepage_delalloc(inode, index);
    if (last) extent_writepage_io(inode, index, *last, epd);
    return last;
}

Result<void> extent_write_cache_pages(Inode& inode, u64 first, u64 last, ExtentPageData& epd) {
    const sim::Scope scope("extent_write_cache_pages");
    u64 index = first;
    while (lock_next_dirty_page(inode, first, last, epd, index)) {
        const auto next = extent_writepage(inode, index, epd);
        if (!next) return next.error();
        first = *next;
    }
    return {};
}

Result<void> extent_writepages(Inode& inode, u64 first, u64 last) {
    const sim::Scope scope("extent_writepages");
    ExtentPageData epd;
    const auto result = extent_write_cache_pages(inode, first, last, epd);
    flush_epd_write_bio(epd);
    return result;
}

u64 index_after(u64 end) {
    return end / sectorsize + (end % sectorsize != 0 ? 1 : 0);
}

}  // namespace

Result<void> filemap_fdatawrite_range(Inode& inode, u64 start, u64 end) {
    const sim::Scope scope("btrfs_writepages");
    return extent_writepages(inode, page_index(start), index_after(end));
}

Result<void> filemap_fdatawait_range(Inode& inode, u64 start, u64 end) {
    int error = 0;
    inode.page_wait.wait_event([&] {
        const sim::SpinGuard guard{inode.mapping_lock};
        inode.mapping_obj.write(start);
        if (any_page_in(inode.writeback_pages, page_index(start), index_after(end))) return false;
        error = std::exchange(inode.mapping_error, 0);
        return true;
    });
    if (error != 0) return static_cast<Errno>(-error);
    return {};
}

// ---- many inodes
// ----------------------------------------------------------------------------------------------------------------------

namespace {

/// Every inode with delalloc, of one root or of all, with references. Mirrors the walk over
/// root->delalloc_inodes.
std::vector<Inode*> inodes_with_delalloc(FsInfo& fs, const Root* root) {
    const sim::SpinGuard guard{fs.delalloc_lock};
    fs.delalloc_inodes_obj.read();
    std::vector<Inode*> found;
    for (const auto& [key, inode] : fs.delalloc_inodes)
        if ((root == nullptr || &inode->root == root) && igrab(*inode)) found.push_back(inode);
    return found;
}

Result<void> start_delalloc_inodes(FsInfo& fs, const Root* root) {
    if (fs.has_error()) return Errno::Rofs;
    Result<void> result;
    for (Inode* const inode : inodes_with_delalloc(fs, root)) {
        const auto written = filemap_fdatawrite_range(*inode, 0, ~u64{0});
        iput(*inode);
        if (!written) result = written;
    }
    return result;
}

}  // namespace

Result<void> start_delalloc_roots(FsInfo& fs) {
    const sim::Scope scope("btrfs_start_delalloc_roots");
    return start_delalloc_inodes(fs, nullptr);
}

Result<void> start_delalloc_root(Root& root) {
    const sim::Scope scope("btrfs_start_delalloc_snapshot");
    return start_delalloc_inodes(root.fs, &root);
}

}  // namespace model
