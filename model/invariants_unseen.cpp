// What must hold of a committed state although btrfs check does not look at it, and a kernel's
// reader does, or a later operation relies on it.
#include <algorithm>

#include "model/fs_info.h"
#include "model/invariant_state.h"
#include "model/probes.h"

namespace model {
namespace {

const Evaluation headers_complete{"headers-complete"},
    full_backref_is_needed{"full-backref-is-needed"}, backrefs_in_order{"backrefs-in-order"},
    csums_have_data{"csums-have-data"}, file_extent_generation{"file-extent-generation"};

ImageProblem check_headers(const TreeImage& image) {
    headers_complete.count();
    for (const auto& block : image.tree_blocks) {
        const std::string who = "block " + number(block.bytenr);
        if ((block.flags & header_flag_written) == 0)
            return {"headers-complete", who + " does not say that it was written"};
        if (!block.chunk_tree_uuid)
            return {"headers-complete", who + " has another chunk_tree_uuid"};
    }
    if (image.root_without_v2 == 0) return {};
    return {"headers-complete",
            "the root item of tree " + number(image.root_without_v2) + " has an old generation_v2"};
}

const TreeImage::Extent* extent_at(const TreeImage& image, u64 start) {
    const auto found =
        std::ranges::lower_bound(image.extents, start, {}, &TreeImage::Extent::start);
    return found != image.extents.end() && found->start == start ? &*found : nullptr;
}

/// A block that its owner still reaches is referenced by the owner's id. Without relocation nobody
/// gets a block back that was converted; with it, trees do.
ImageProblem check_full_backrefs(const TreeImage& image) {
    full_backref_is_needed.count();
    if (image.relocated) return {};
    for (const auto& block : image.tree_blocks) {
        const auto* const extent = extent_at(image, block.bytenr);
        const bool full = extent != nullptr && (extent->flags & block_flag_full_backref) != 0;
        if (full && block.reached_by_owner)
            return {"full-backref-is-needed", "block " + number(block.bytenr) + " of tree " +
                                                  number(block.owner) +
                                                  " has full back references, and its tree"};
    }
    return {};
}

ImageProblem check_keys_ascend(const TreeImage& image) {
    backrefs_in_order.count();
    const auto found = std::ranges::find(image.extents, false, &TreeImage::Extent::ordered);
    if (found == image.extents.end()) return {};
    return {"backrefs-in-order",
            "the inline references of extent " + number(found->start) + " are not in order"};
}

/// How far data extents cover the addresses from `start` on.
u64 covered_until(const TreeImage& image, u64 start) {
    u64 end = start;
    auto next = std::ranges::upper_bound(image.extents, start, {}, &TreeImage::Extent::start);
    if (next != image.extents.begin()) --next;
    for (; next != image.extents.end() && next->start <= end; ++next)
        if (next->is_data()) end = std::max(end, next->start + next->length);
    return end;
}

ImageProblem check_leftover_csums(const TreeImage& image) {
    csums_have_data.count();
    for (const auto& sums : image.checksums) {
        const u64 end = sums.start + sums.sectors * sectorsize;
        if (const u64 covered = covered_until(image, sums.start); covered < end)
            return {"csums-have-data",
                    "there is a checksum for " + number(covered) + ", which is no data"};
    }
    return {};
}

ImageProblem check_file_extents(const TreeImage& image, u64 generation) {
    file_extent_generation.count();
    for (const auto& extent : image.file_extents) {
        const auto* const item = extent_at(image, extent.disk_bytenr);
        // Relocation points old items to new extents.
        const bool older = item != nullptr && extent.generation < item->generation;
        const bool possible = extent.generation <= generation && (!older || image.relocated);
        if (!possible)
            return {"file-extent-generation", "the file extent at " + number(extent.disk_bytenr) +
                                                  " has generation " + number(extent.generation)};
    }
    return {};
}

}  // namespace

ImageProblem check_unseen(const TreeImage& image, u64 generation) {
    if (auto problem = check_headers(image); problem.invariant != nullptr) return problem;
    if (auto problem = check_full_backrefs(image); problem.invariant != nullptr) return problem;
    if (auto problem = check_keys_ascend(image); problem.invariant != nullptr) return problem;
    if (auto problem = check_leftover_csums(image); problem.invariant != nullptr) return problem;
    return check_file_extents(image, generation);
}

}  // namespace model
