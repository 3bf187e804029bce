#include <algorithm>
#include <array>
#include <cstdio>
#include <string>

#include "model/bio.h"
#include "model/file.h"
#include "model/file_item.h"
#include "model/fs_info.h"
#include "sim/completion.h"
#include "sim/trace.h"

// Reading files: the read half of fs/btrfs/extent_io.c and the checksum verification of
// fs/btrfs/inode.c, v6.1. Left out: writing a good copy over a bad one. The reader waits for its
// own bio, where the kernel's end_io unlocks the pages.

namespace model {
namespace {

// ---- reading a contiguous range of the disk
// -------------------------------------------------------------------------------------

struct SectorRead {
    u64 word = 0;
    bool good = false;
};

/// What a synchronous read brings back.
struct ReadWait {
    sim::Completion done;
    Vector<Sector> sectors;
    u32 mirror = 0;
    int error = 0;
};

void end_bio_extent_readpage(Bio& bio) {
    ReadWait& wait = *static_cast<ReadWait*>(bio.context);
    wait.sectors = std::move(bio.sectors);
    wait.mirror = bio.ioc.mirror_num;
    wait.error = bio.error;
    wait.done.complete();
}

/// @param mirror  0: whichever copy the mapping prefers
void read_copy(FsInfo& fs, Bytenr disk, u64 sectors, u32 mirror, ReadWait& wait) {
    Bio& bio = make_bio(fs, MapOp::Read, disk, static_cast<u32>(sectors));
    bio.mirror = mirror;
    bio.end_io = end_bio_extent_readpage;
    bio.context = &wait;
    submit_bio(bio);
    wait.done.wait();
}

u64 sector_word(const Sector& sector) {
    return sector.bytes == nullptr ? sector.word : load<u64>(sector.bytes);
}
u32 sector_csum(const Sector& sector) {
    return sector.bytes == nullptr ? csum_data_word(sector.word) : crc32c(sector.bytes, sectorsize);
}

/// One run of sectors on disk, read with whatever copies have the right checksums.
class DiskRead {
  public:
    DiskRead(Inode& inode, u64 file_offset, Bytenr disk, u64 sectors)
        : inode_(inode), file_offset_(file_offset), disk_(disk), result_(sectors) {}

    Result<std::vector<SectorRead>> run() {
        if (const auto found = find_csums(); !found) return found.error();
        ReadWait first;
        read_copy(inode_.fs, disk_, result_.size(), 0, first);
        for (u64 i = 0; i < result_.size(); ++i)
            verify(i, first, i);
        for (u64 i = 0; i < result_.size(); ++i)
            if (!result_[i].good) try_other_mirrors(i, first.mirror);
        return result_;
    }

  private:
    Result<void> find_csums() {
        csums_.assign(result_.size(), std::nullopt);
        if (inode_.nodatasum()) return {};
        auto found = lookup_csums(inode_.fs, disk_, result_.size());
        if (!found) return found.error();
        csums_ = std::move(*found);
        for (u64 i = 0; i < csums_.size(); ++i) {
            if (csums_[i].has_value()) continue;
            inode_.fs.message("info", "no csum found for inode " + std::to_string(inode_.ino) +
                                          " start " +
                                          std::to_string(file_offset_ + page_offset(i)));
            csums_[i] = 0;
        }
        return {};
    }

    /// Mirrors btrfs_check_data_csum().
    void verify(u64 sector, const ReadWait& wait, u64 place) {
        if (wait.error != 0) return;
        const Sector& data = wait.sectors[place];
        const u32 csum = csums_[sector].has_value() ? sector_csum(data) : 0;
        result_[sector] = {sector_word(data),
                           !csums_[sector].has_value() || csum == *csums_[sector]};
        if (!result_[sector].good) print_data_csum_error(sector, csum, wait.mirror);
    }

    /// Mirrors btrfs_print_data_csum_error().
    void print_data_csum_error(u64 sector, u32 csum, u32 mirror) {
        std::array<char, 200> text{};
        std::snprintf(
            text.data(), text.size(),
            "csum failed root %lld ino %llu off %llu csum 0x%08x expected csum 0x%08x mirror %u",
            static_cast<long long>(inode_.root.objectid),
            static_cast<unsigned long long>(inode_.ino),
            static_cast<unsigned long long>(file_offset_) + page_offset(sector), csum,
            *csums_[sector], mirror);
        inode_.fs.message("warning", text.data());
    }

    /// Mirrors btrfs_repair_one_sector().
    void try_other_mirrors(u64 sector, u32 failed) {
        const Bytenr disk = disk_ + page_offset(sector);
        const u32 copies = num_copies(inode_.fs, disk);
        for (u32 mirror = 1; mirror <= copies && !result_[sector].good; ++mirror) {
            if (mirror == failed) continue;
            ReadWait wait;
            read_copy(inode_.fs, disk, 1, mirror, wait);
            verify(sector, wait, 0);
        }
    }

    Inode& inode_;
    const u64 file_offset_;
    const Bytenr disk_;
    std::vector<std::optional<u32>> csums_;
    std::vector<SectorRead> result_;
};

// ---- pages
// ------------------------------------------------------------------------------------------------------------------------------

/// The words of uptodate pages from `index` on, as far as they go.
void copy_uptodate(Inode& inode, u64& index, u64 last, std::vector<u64>& words) {
    for (; index < last; ++index) {
        const auto page = inode.pages.find(index);
        if (page == inode.pages.end() || !page->second->uptodate) return;
        page->second->obj.read();
        words.push_back(page->second->word);
    }
}

/// Locks the pages from `index` on that are not uptodate, up to the first that is, or is locked.
/// @return their end; `index`: none
u64 lock_pages_to_read(Inode& inode, u64 index, u64 last) {
    for (; index < last; ++index) {
        Page*& page = inode.pages[index];
        if (page == nullptr) page = sim::make<Page>(index);
        if (page->uptodate || !inode.locked_pages.insert(index).second) break;
    }
    return index;
}

/// Takes what is uptodate, then locks a run that is not. @return the run's end; sleeps while its
/// first page is locked
u64 next_run_to_read(Inode& inode, u64& index, u64 last, std::vector<u64>& words) {
    u64 run_end = index;
    inode.page_wait.wait_event([&] {
        const sim::SpinGuard guard{inode.mapping_lock};
        inode.mapping_obj.write(index);
        copy_uptodate(inode, index, last, words);
        run_end = lock_pages_to_read(inode, index, last);
        return run_end > index || index == last;
    });
    return run_end;
}

void end_page_read(Inode& inode, u64 first, const std::vector<SectorRead>& read) {
    const sim::SpinGuard guard{inode.mapping_lock};
    inode.mapping_obj.write(first);
    for (u64 i = 0; i < read.size(); ++i) {
        Page& page = *inode.pages.at(first + i);
        page.obj.write(read[i].word);
        page.word = read[i].word;
        page.uptodate = read[i].good;
        inode.locked_pages.erase(first + i);
    }
    inode.page_wait.wake_up_all();
}

/// The range locked, and nothing of it still on its way into the trees. Mirrors
/// btrfs_lock_and_flush_ordered_range().
void lock_and_flush_ordered_range(Inode& inode, u64 start, u64 end) {
    for (;;) {
        lock_extent(inode, start, end);
        OrderedExtent* const ordered = lookup_ordered_range(inode, start, end - start);
        if (ordered == nullptr) return;
        unlock_extent(inode, start, end);
        start_ordered_extent(*ordered);
        put_ordered_extent(ordered);
    }
}

/// Holes and preallocated extents read as zeros. @return where the part of the range that this
/// extent (or hole) covers ends
Result<u64> read_file_extent(Inode& inode, u64 start, u64 end, std::vector<SectorRead>& read) {
    const auto found = lookup_file_extent(inode.root, inode.ino, start);
    if (!found) return found.error();
    const bool is_hole = !*found || (*found)->file_offset > start;
    const u64 stop = std::min(end, !*found   ? end
                                   : is_hole ? (*found)->file_offset
                                             : (*found)->end());
    const u64 sectors = (stop - start) / sectorsize;
    if (is_hole || (*found)->item.type == file_extent_prealloc || (*found)->item.disk_bytenr == 0) {
        read.insert(read.end(), sectors, SectorRead{0, true});
        return stop;
    }
    const FileExtentItem& item = (*found)->item;
    const Bytenr disk(item.disk_bytenr + item.offset + (start - (*found)->file_offset));
    const auto part = DiskRead(inode, start, disk, sectors).run();
    if (!part) return part.error();
    read.insert(read.end(), part->begin(), part->end());
    return stop;
}

Result<std::vector<SectorRead>> read_extents(Inode& inode, u64 start, u64 end) {
    std::vector<SectorRead> read;
    while (start < end) {
        const auto stop = read_file_extent(inode, start, end, read);
        if (!stop) return stop.error();
        start = *stop;
    }
    return read;
}

/// The pages of [first, last) are locked and not uptodate. What lies beyond the size reads as
/// zeros: a truncation shrinks the size before it drops pages and items, so nothing that it is
/// about to drop gets into the cache. Mirrors btrfs_read_folio().
Result<std::vector<SectorRead>> read_pages(Inode& inode, u64 first, u64 last) {
    const sim::Scope scope("btrfs_read_folio");
    const u64 start = page_offset(first), end = page_offset(last);
    lock_and_flush_ordered_range(inode, start, end);
    auto read = read_extents(inode, start, std::min(end, i_size_read(inode)));
    unlock_extent(inode, start, end);
    if (read) read->resize(last - first, SectorRead{0, true});
    end_page_read(inode, first, read ? *read : std::vector<SectorRead>(last - first));
    return read;
}

}  // namespace

Result<std::vector<u64>> read_range(Inode& inode, u64 start, u64 end) {
    const sim::Scope scope("btrfs_file_read_iter");
    const u64 last = page_index(std::min(end, i_size_read(inode)));
    u64 index = page_index(start);
    std::vector<u64> words;
    while (index < last) {
        const u64 run_end = next_run_to_read(inode, index, last, words);
        if (index == run_end) break;
        const auto read = read_pages(inode, index, run_end);
        if (!read) return read.error();
        const bool all_good = std::all_of(read->begin(), read->end(),
                                          [](const SectorRead& sector) { return sector.good; });
        if (!all_good) return Errno::IO;
        for (const SectorRead& sector : *read)
            words.push_back(sector.word);
        index = run_end;
    }
    return words;
}

void invalidate_clean_pages(Inode& inode) {
    const sim::SpinGuard guard{inode.mapping_lock};
    inode.mapping_obj.write();
    for (const auto& [index, page] : inode.pages) {
        const bool busy = inode.locked_pages.contains(index) || inode.dirty_pages.contains(index) ||
                          inode.writeback_pages.contains(index);
        if (busy) continue;
        page->obj.write();
        page->uptodate = false;
    }
}

}  // namespace model
