// fs/btrfs/scrub.c, 6.1: scrub_chunk(), scrub_stripe(), scrub_simple_mirror() and what they do with
// one piece of an extent. The pieces are at most 64 KiB, and each is dealt with before the next is
// looked for.
#include "model/scrub_stripe.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "model/bio.h"
#include "model/file_item.h"
#include "model/fixes.h"
#include "model/fs_info.h"

namespace model {
namespace {

constexpr u64 max_piece = 64 << 10;  // SCRUB_STRIPE_LEN, an artificial limit of the kernel's

/// An extent item of the committed extent tree.
struct ScrubExtent {
    u64 start = 0, length = 0, flags = 0, generation = 0;
    bool metadata() const { return (flags & extent_flag_tree_block) != 0; }
    u64 end() const { return start + length; }
};

/// Walks the extent items of the commit root, without locks. The place is kept from piece to piece,
/// and given up before a pause: the commit that a pause lets through makes another commit root.
/// (5.18 and later keep it: what-if `scrub-keeps-path`.)
class ScrubExtents {
  public:
    explicit ScrubExtents(FsInfo& fs) : fs_(fs) {
        path_.search_commit_root = true;
        path_.skip_locking = true;
    }
    void forget() {
        if (fs_.has(fix::scrub_keeps_path)) return;
        path_.release();
        positioned_ = false;
    }
    /// The first extent that ends after `from` and begins before `end`. Mirrors
    /// find_first_extent_item().
    Result<std::optional<ScrubExtent>> next(u64 from, u64 end);

  private:
    Result<bool> position(u64 from);
    Result<bool> lower_bound(const Key& key);
    bool at_extent_item() const;
    ScrubExtent current() const;

    FsInfo& fs_;
    Path path_;
    bool positioned_ = false;
};

bool ScrubExtents::at_extent_item() const {
    const u8 type = path_.key().type;
    return type == extent_item_key || type == metadata_item_key;
}

ScrubExtent ScrubExtents::current() const {
    const Key key = path_.key();
    const auto item = read_item<ExtentItem>(path_);
    return {key.objectid, key.type == metadata_item_key ? u64{fs_.nodesize} : key.offset,
            item.flags, item.generation};
}

/// Stands at the first item not below the key. @return false if there is none
Result<bool> ScrubExtents::lower_bound(const Key& key) {
    const auto found = search_slot(nullptr, *fs_.extent_root, key, path_, 0, false);
    if (!found) return found;
    if (path_.slots[0] < path_.nodes[0]->nritems()) return true;
    return next_leaf(*fs_.extent_root, path_);
}

/// Stands at the last extent item that begins at or before `from`, or at an item after it. @return
/// false at the end of the tree
Result<bool> ScrubExtents::position(u64 from) {
    const auto below =
        search_slot_for_read(*fs_.extent_root, {from, metadata_item_key, ~u64{0}}, path_, false);
    if (!below) return below;
    if (*below && at_extent_item()) return true;
    if (!*below) {
        path_.release();
        return lower_bound({from, 0, 0});
    }
    // A group item or a keyed reference: the extent item of the same address comes before it.
    const u64 objectid = path_.key().objectid;
    path_.release();
    return lower_bound({objectid, 0, 0});
}

Result<std::optional<ScrubExtent>> ScrubExtents::next(u64 from, u64 end) {
    using Found = std::optional<ScrubExtent>;
    if (!positioned_) {
        path_.release();
        const auto there = position(from);
        if (!there) return there.error();
        if (!*there) return Found{};
        positioned_ = true;
    }
    for (;;) {
        if (path_.key().objectid >= end) return Found{};
        if (at_extent_item()) {
            const ScrubExtent extent = current();
            if (extent.end() > from) return Found{extent};
        }
        const auto more = next_item(*fs_.extent_root, path_);
        if (!more) return more.error();
        if (!*more) {
            positioned_ = false;
            return Found{};
        }
    }
}

// ---- one piece
// -----------------------------------------------------------------------------------

/// What is read, verified and written at a time.
struct ScrubPiece {
    ScrubExtent extent;
    u64 logical = 0, physical = 0;
    u32 sectors = 0;
    u32 mirror = 1;
    std::vector<std::optional<u32>> csums;  // data: of each sector, where there is one
};

/// A sector's state after all copies were tried.
enum class SectorState : u8 { Good, Corrupt, Unreadable };

u32 csum_of(const Sector& sector) {
    return sector.bytes != nullptr ? crc32c(sector.bytes, sectorsize) : csum_data_word(sector.word);
}

/// Header, checksum and generation of a tree block, as scrub_checksum_tree_block() looks at them.
bool tree_block_is_good(const FsInfo& fs, const ScrubPiece& piece, const Vector<Sector>& sectors,
                        std::size_t first) {
    const u32 count = fs.nodesize / sectorsize;
    std::vector<unsigned char> block(fs.nodesize);
    for (u32 i = 0; i < count; ++i)
        expand_sector(sectors[first + i], block.data() + std::size_t{i} * sectorsize);
    const auto header = load<HeaderItem>(block.data());
    if (header.bytenr != piece.logical + first * sectorsize) return false;
    if (header.generation != piece.extent.generation) return false;
    if (std::memcmp(header.fsid, fs.fsid, sizeof(fs.fsid)) != 0) return false;
    const std::size_t after_csum = sizeof(header.csum);
    return load<u32>(header.csum) == crc32c(block.data() + after_csum, fs.nodesize - after_csum);
}

/// The state of every sector of what one copy holds. An error of the read makes all of them
/// unreadable.
std::vector<SectorState> verify(ScrubCtx& ctx, const ScrubPiece& piece,
                                const Vector<Sector>& sectors, bool read_failed) {
    std::vector<SectorState> states(piece.sectors,
                                    read_failed ? SectorState::Unreadable : SectorState::Good);
    if (read_failed) return states;
    if (piece.extent.metadata()) {
        const u32 count = ctx.fs.nodesize / sectorsize;
        for (u32 first = 0; first + count <= piece.sectors; first += count)
            if (!tree_block_is_good(ctx.fs, piece, sectors, first))
                std::fill_n(states.begin() + first, count, SectorState::Corrupt);
        return states;
    }
    for (u32 i = 0; i < piece.sectors; ++i)
        if (piece.csums[i].has_value() && *piece.csums[i] != csum_of(sectors[i]))
            states[i] = SectorState::Corrupt;
    return states;
}

bool all_good(const std::vector<SectorState>& states) {
    return std::ranges::all_of(states, [](SectorState s) { return s == SectorState::Good; });
}

void count_errors(ScrubCtx& ctx, const ScrubPiece& piece, const std::vector<SectorState>& states) {
    for (const SectorState state : states) {
        if (state == SectorState::Unreadable) ++ctx.read_errors;
        if (state == SectorState::Corrupt)
            ++(piece.extent.metadata() ? ctx.verify_errors : ctx.csum_errors);
    }
}

/// Takes sectors that are bad here from the other copies, where they are good. Mirrors the repair
/// part of scrub_handle_errored_block().
Result<void> read_other_mirrors(ScrubCtx& ctx, const ScrubPiece& piece, Vector<Sector>& sectors,
                                std::vector<SectorState>& states) {
    FsInfo& fs = ctx.fs;
    const u32 copies = num_copies(fs, Bytenr(piece.logical));
    for (u32 mirror = 1; mirror <= copies && !all_good(states); ++mirror) {
        if (mirror == piece.mirror) continue;
        const auto mapped = map_block(fs, MapOp::Read, Bytenr(piece.logical),
                                      u64{piece.sectors} * sectorsize, mirror);
        if (!mapped) return mapped.error();
        Vector<Sector> other(piece.sectors);
        const Stripe stripe = (*mapped).stripes[0];
        const bool failed = !device_io_wait(*stripe.dev, MapOp::Read, stripe.physical, other).ok();
        const auto other_states = verify(ctx, piece, other, failed);
        for (u32 i = 0; i < piece.sectors; ++i) {
            if (states[i] == SectorState::Good || other_states[i] != SectorState::Good) continue;
            sectors[i] = other[i];
            states[i] = SectorState::Good;
        }
    }
    return {};
}

/// @param at  the sector's number in the piece
std::string sector_place(const ScrubCtx& ctx, const ScrubPiece& piece, u32 at) {
    return "error at logical " + std::to_string(piece.logical + u64{at} * sectorsize) + " on dev " +
           device_path(ctx.dev);
}

/// Writes repaired sectors back to the device that they were bad on.
void write_repaired(ScrubCtx& ctx, const ScrubPiece& piece, const Vector<Sector>& sectors,
                    const std::vector<SectorState>& before, const std::vector<SectorState>& after) {
    for (u32 i = 0; i < piece.sectors; ++i) {
        if (before[i] == SectorState::Good) continue;
        if (after[i] != SectorState::Good) {
            ++ctx.uncorrectable_errors;
            ctx.fs.message("error", "unable to fixup (regular) " + sector_place(ctx, piece, i));
            continue;
        }
        Vector<Sector> one(1, sectors[i]);
        if (!ctx.is_dev_replace &&
            !device_io_wait(ctx.dev, MapOp::Write, piece.physical + u64{i} * sectorsize, one))
            continue;
        ++ctx.corrected_errors;
        ctx.fs.message("error", "fixed up " + sector_place(ctx, piece, i));
    }
}

/// A zone of the target is written from its beginning: what lies between extents is zeroes. Mirrors
/// fill_writer_pointer_gap(). @return whether writing may go on at `physical`
bool fill_write_pointer_gap(ScrubCtx& ctx, u64 physical) {
    if (ctx.fs.zoned == nullptr || ctx.write_pointer >= physical) return true;
    Vector<Sector> zeroes((physical - ctx.write_pointer) / sectorsize);
    const auto written = device_io_wait(*ctx.wr_tgtdev, MapOp::Write, ctx.write_pointer, zeroes);
    if (written) ctx.write_pointer = physical;
    return written.ok();
}

/// The target's zone ends where the source's does. Mirrors sync_write_pointer_for_zoned().
Result<void> sync_write_pointer(ScrubCtx& ctx, u64 physical) {
    if (ctx.fs.zoned == nullptr || !ctx.is_dev_replace) return {};
    ctx.dev.drive->obj.lookup(physical);
    if (fill_write_pointer_gap(ctx, find_zone(ctx.dev, physical)->write_pointer)) return {};
    ctx.fs.message("error", "zoned: failed to recover write pointer");
    return Errno::IO;
}

/// Which sectors the target receives. Up to 6.3 all of them, zeros where nothing could be read;
/// since then the good ones.
void write_to_target(ScrubCtx& ctx, const ScrubPiece& piece, Vector<Sector>& sectors,
                     const std::vector<SectorState>& states) {
    FsInfo& fs = ctx.fs;
    const bool good_only = fs.has(fix::scrub_stripe_rewrite);
    const auto skipped = [&](u32 i) { return good_only && states[i] != SectorState::Good; };
    for (u32 i = 0; i < piece.sectors; ++i)
        if (states[i] == SectorState::Unreadable) sectors[i] = Sector{};
    for (u32 first = 0; first < piece.sectors;) {
        if (skipped(first)) {
            ++first;
            continue;
        }
        u32 end = first + 1;
        while (end < piece.sectors && !skipped(end))
            ++end;
        Vector<Sector> run(sectors.begin() + first, sectors.begin() + end);
        const u64 physical = piece.physical + u64{first} * sectorsize;
        const bool may_write = fill_write_pointer_gap(ctx, physical);
        const bool written =
            may_write && device_io_wait(*ctx.wr_tgtdev, MapOp::Write, physical, run).ok();
        if (written) ctx.write_pointer = physical + u64{end - first} * sectorsize;
        if (!written && !good_only) ++fs.dev_replace.num_write_errors;
        first = end;
    }
    sim::note([&] {
        return "copied " + std::to_string(piece.logical) + ", " +
               std::to_string(piece.sectors * sectorsize) + " bytes";
    });
}

/// Mirrors the check of flush_scrub_stripes() since 8eb3dd17eadd.
Result<void> check_metadata(ScrubCtx& ctx, const ScrubPiece& piece,
                            const std::vector<SectorState>& states) {
    if (!ctx.is_dev_replace || !piece.extent.metadata() || !ctx.fs.has(fix::metadata_error_aborts))
        return {};
    const auto bad =
        std::ranges::find_if(states, [](SectorState s) { return s != SectorState::Good; });
    if (bad == states.end()) return {};
    const u64 at = piece.logical + static_cast<u64>(bad - states.begin()) * sectorsize;
    ctx.fs.message("error", "stripe " + std::to_string(piece.logical) +
                                " has unrepaired metadata sector at " + std::to_string(at));
    return Errno::IO;
}

/// Reads, verifies, writes. Holds the bio counter from before the first mapping to the end of the
/// last write.
Result<void> scrub_piece(ScrubCtx& ctx, ScrubPiece& piece) {
    FsInfo& fs = ctx.fs;
    if (!piece.extent.metadata()) {
        auto csums = lookup_csums(fs, Bytenr(piece.logical), piece.sectors, true);
        if (!csums) return csums.error();
        piece.csums = std::move(*csums);
        for (const auto& csum : piece.csums)
            if (!csum.has_value()) ++ctx.no_csum;
    }
    ++(piece.extent.metadata() ? ctx.tree_extents_scrubbed : ctx.data_extents_scrubbed);

    bio_counter_inc_blocked(fs);
    Vector<Sector> sectors(piece.sectors);
    const bool failed = !device_io_wait(ctx.dev, MapOp::Read, piece.physical, sectors).ok();
    const auto before = verify(ctx, piece, sectors, failed);
    auto states = before;
    Result<void> result;
    if (!all_good(before)) {
        count_errors(ctx, piece, before);
        result = read_other_mirrors(ctx, piece, sectors, states);
        write_repaired(ctx, piece, sectors, before, states);
        if (result) result = check_metadata(ctx, piece, states);
    }
    if (result && ctx.is_dev_replace) write_to_target(ctx, piece, sectors, states);
    bio_counter_dec(fs);
    return result;
}

// ---- one stripe of a chunk
// -----------------------------------------------------------------------

bool group_is_removed(BlockGroup& bg) {
    const sim::SpinGuard guard(bg.lock);
    return bg.runtime_flags.test(bg_runtime::removed);
}

/// Mirrors scrub_simple_mirror(): SINGLE, DUP and RAID1, where the stripe holds the chunk from its
/// beginning to its end.
Result<void> scrub_stripe(ScrubCtx& ctx, BlockGroup& bg, u64 physical, u32 mirror) {
    sim::Scope scope("scrub_stripe");
    FsInfo& fs = ctx.fs;
    scrub_blocked_if_needed(fs);
    ScrubExtents extents(fs);
    ctx.write_pointer = physical;
    const u64 start = bg.start.get(), end = bg.end().get();
    for (u64 logical = start; logical < end;) {
        if (fs.scrub.cancel_req.load() > 0) return Errno::Canceled;
        if (fs.scrub.pause_req.load() > 0) {
            extents.forget();
            scrub_blocked_if_needed(fs);
        }
        if (group_is_removed(bg)) return {};
        const auto found = extents.next(logical, end);
        if (!found) return found.error();
        if (!(*found).has_value()) break;
        ScrubPiece piece;
        piece.extent = **found;
        piece.logical = std::max(piece.extent.start, logical);
        const u64 length =
            std::min({piece.extent.end(), end, piece.logical + max_piece}) - piece.logical;
        piece.physical = physical + (piece.logical - start);
        piece.sectors = static_cast<u32>(length / sectorsize);
        piece.mirror = mirror;
        if (const auto done = scrub_piece(ctx, piece); !done) return done;
        logical = piece.logical + length;
    }
    return sync_write_pointer(ctx, physical);
}

}  // namespace

Result<void> scrub_chunk(ScrubCtx& ctx, BlockGroup& bg, u64 dev_offset, u64 dev_extent_len) {
    sim::Scope scope("scrub_chunk");
    FsInfo& fs = ctx.fs;
    ChunkMap* const map = find_chunk_map(fs, bg.start);
    if (map == nullptr) {
        // Removed since the device extent was found: nothing to copy any more (020d5b7366fc).
        if (fs.has(fix::scrub_sees_removed_group) && group_is_removed(bg)) return {};
        return Errno::Inval;
    }
    if (map->logical != bg.start.get() || map->length < dev_extent_len) return {};
    const Vector<Stripe> stripes = map->stripes;
    for (std::size_t i = 0; i < stripes.size(); ++i) {
        if (stripes[i].dev != &ctx.dev || stripes[i].physical != dev_offset) continue;
        const auto done = scrub_stripe(ctx, bg, dev_offset, static_cast<u32>(i + 1));
        if (!done) return done;
    }
    return {};
}

bool super_block_is_good(const Sector& sector, u64 generation) {
    if (sector.bytes == nullptr) return false;
    const auto super = load<SuperBlock>(sector.bytes);
    if (std::memcmp(super.magic, "_BHRfS_M", sizeof(super.magic)) != 0 ||
        super.bytenr != super_info_offset)
        return false;
    const std::size_t after_csum = sizeof(super.csum);
    return super.generation == generation &&
           load<u32>(super.csum) == crc32c(sector.bytes + after_csum, sectorsize - after_csum);
}

}  // namespace model
