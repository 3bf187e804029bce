// Mirrors the allocator of fs/btrfs/extent-tree.c, 6.1: btrfs_reserve_extent() and
// find_free_extent().
//
// Left out: caching of block groups (free space is known from the mount on, so both CACHING loops
// are one), clusters, hints and empty_size: the lowest free address of the first group with room is
// taken, which reuses freed space soonest. Metadata never counts `reservations` up, since the
// kernel drops that count before the allocation returns and nobody waits for it.
#include <algorithm>
#include <optional>

#include "model/extent_tree.h"
#include "model/fs_info.h"
#include "model/invariants.h"
#include "model/tracepoints.h"
#include "sim/trace.h"

namespace model {
namespace {

struct Request {
    u64 ram_bytes, num_bytes;
    u64 flags;  // type and profile
    bool is_data, delalloc;
};

/// Takes the lowest free range that is large enough out of the group's free space. A glance at `ro`
/// belongs to the same step: if the group becomes read-only after it, add_reserved_bytes() notices.
std::optional<Bytenr> take_free_space(BlockGroup& bg, u64 num_bytes, u64* largest) {
    const sim::SpinGuard guard(bg.tree_lock);
    bg.ro_obj.read();
    if (bg.ro != 0) return std::nullopt;
    bg.free_space_obj.read();
    for (auto it = bg.free_space.begin(); it != bg.free_space.end(); ++it) {
        const u64 start = it->first, length = it->second;
        *largest = std::max(*largest, length);
        if (length < num_bytes) continue;
        bg.free_space_obj.write();
        bg.free_space.erase(it);
        if (length > num_bytes) bg.free_space.emplace(start + num_bytes, length - num_bytes);
        return Bytenr(start);
    }
    return std::nullopt;
}

/// From the group's free space; in two steps, as the kernel does.
std::optional<Bytenr> do_allocation_clustered(BlockGroup& bg, const Request& request,
                                              u64* largest) {
    const auto start = take_free_space(bg, request.num_bytes, largest);
    if (!start) return std::nullopt;
    if (add_reserved_bytes(bg, request.ram_bytes, request.num_bytes, request.delalloc))
        return start;
    add_free_space(bg, *start, request.num_bytes);
    return std::nullopt;
}

/// Mirrors do_allocation().
std::optional<Bytenr> do_allocation(BlockGroup& bg, const Request& request, u64* largest) {
    if (bg.zoned == nullptr) return do_allocation_clustered(bg, request, largest);
    const u64 start = do_allocation_zoned(bg, request.ram_bytes, request.num_bytes, largest);
    if (start == 0) return std::nullopt;
    return Bytenr(start);
}

std::optional<ReservedExtent> allocate_from(BlockGroup& bg, const Request& request, u64* largest) {
    const auto start = do_allocation(bg, request, largest);
    if (!start) return std::nullopt;
    check_allocation(bg.fs, *start, request.num_bytes);
    trace_btrfs_reserve_extent(bg, *start, request.num_bytes);
    if (request.is_data) bg.reservations.inc();
    return ReservedExtent{.start = *start, .num_bytes = request.num_bytes};
}

std::optional<ReservedExtent> search_groups(SpaceInfo& info, const Request& request, u64* largest) {
    const sim::ReadGuard guard(info.groups_sem);
    for (BlockGroup* const bg : info.block_groups)
        if (const auto extent = allocate_from(*bg, request, largest)) return extent;
    return std::nullopt;
}

/// LOOP_ALLOC_CHUNK: with the handle that is open, or one of its own.
bool alloc_chunk_for_extent(FsInfo& fs, u64 flags) {
    if (TransHandle* const trans = current_trans()) return chunk_alloc(*trans, flags, true).ok();
    const auto trans = join_transaction(*fs.tree_root);
    if (!trans) return false;
    const bool made = chunk_alloc(**trans, flags, true).ok();
    static_cast<void>(end_transaction(*trans));
    return made;
}

/// @param largest  on failure, the largest free range that was seen
Result<ReservedExtent> find_free_extent(FsInfo& fs, const Request& request, u64* largest) {
    SpaceInfo& info = space_info_for(fs, request.flags);
    *largest = 0;
    auto extent = search_groups(info, request, largest);
    if (!extent && alloc_chunk_for_extent(fs, request.flags))
        extent = search_groups(info, request, largest);
    // There may be room, and no zone that may be opened.
    const bool may_finish = fs.zoned != nullptr && fs.zoned->tracks_active_zones;
    if (!extent && may_finish && request.is_data && zone_finish_one_bg(fs))
        extent = search_groups(info, request, largest);
    if (!extent) return Errno::NoSpc;
    sim::note([&] {
        return "reserves " + std::to_string(extent->start.get()) + ", " +
               std::to_string(extent->num_bytes) + " bytes";
    });
    return *extent;
}

u64 flags_for(const FsInfo& fs, const Root& root, bool is_data) {
    if (is_data) return get_alloc_profile(fs, bg_data);
    return get_alloc_profile(fs, root.objectid == chunk_tree_objectid ? bg_system : bg_metadata);
}

}  // namespace

/// A request that does not fit is halved, down to what the caller can live with.
Result<ReservedExtent> reserve_extent(Root& root, u64 ram_bytes, u64 num_bytes, u64 min_alloc_size,
                                      bool is_data, bool delalloc) {
    const sim::Scope scope("btrfs_reserve_extent");
    FsInfo& fs = root.fs;
    Request request{ram_bytes, num_bytes, flags_for(fs, root, is_data), is_data, delalloc};
    for (;;) {
        u64 largest = 0;
        trace_find_free_extent(root, request.num_bytes, request.flags);
        const auto extent = find_free_extent(fs, request, &largest);
        if (extent || extent.error() != Errno::NoSpc) return extent;
        if (request.num_bytes <= min_alloc_size || largest == 0) return Errno::NoSpc;
        const u64 smaller = std::min(request.num_bytes / 2, largest) / sectorsize * sectorsize;
        request.num_bytes = request.ram_bytes = std::max(smaller, min_alloc_size);
    }
}

void free_reserved_extent(FsInfo& fs, Bytenr start, u64 len, bool delalloc) {
    BlockGroup& bg = *lookup_block_group(fs, start);
    if (bg.zoned == nullptr) add_free_space(bg, start, len);
    free_reserved_bytes(bg, len, delalloc);
    trace_btrfs_reserved_extent_free(fs, start, len);
}

}  // namespace model
