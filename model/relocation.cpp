// fs/btrfs/relocation.c, 6.1: emptying one block group, in passes of three stages each: blocks are
// moved in copies of the trees, the copies are merged into the trees, and what is left of the
// copies is dropped. Relocation trees are in relocation_roots.cpp, the moving of blocks in
// relocation_blocks.cpp, that of data in relocation_data.cpp.
//
// Left out: system chunks (the chunk tree), clusters of data extents, forced chunks after a lack of
// space, free space inodes, and swap files. What a mount does with a relocation that a crash
// interrupted is in relocation_recover.cpp.
#include "model/relocation_internal.h"

#include "model/backref.h"
#include "model/disk_io.h"
#include "model/file.h"
#include "model/fixes.h"
#include "model/fs_info.h"
#include "model/ordered_data.h"
#include "sim/trace.h"

namespace model {

RelocControl::RelocControl(FsInfo& owner, BlockGroup* group) : fs(owner), bg(group) {}

RelocState::RelocState(FsInfo& fs)
    : obj(objects::relocation, 0, &fs),
      last_reloc_trans(fs.has(fix::reloc_trans_late) ? objects::lockless_reloc_trans
                                                     : objects::last_reloc_trans),
      reclaim_bgs_lock(lock_classes::reclaim_bgs_lock) {}

namespace reloc {

constexpr u64 reserved_nodes = 256;

Result<void> refill(RelocControl& rc, u64 bytes, Flush flush) {
    u64 missing = 0;
    {
        const sim::SpinGuard guard(rc.block_rsv.lock);
        rc.block_rsv.obj.read();
        if (rc.block_rsv.reserved < bytes) missing = bytes - rc.block_rsv.reserved;
    }
    if (missing == 0) return {};
    const auto reserved =
        reserve_metadata_bytes(rc.fs, space_info_for(rc.fs, bg_metadata), missing, flush);
    if (reserved) block_rsv_add_bytes(rc.block_rsv, missing, false);
    return reserved;
}

void set_reloc_control(FsInfo& fs, RelocControl* rc, bool create_reloc_tree) {
    const sim::MutexGuard guard(fs.reloc_mutex);
    sim::current().order(fs.reloc.obj, sim::AccessKind::Write);
    if (rc != nullptr) rc->create_reloc_tree = create_reloc_tree;
    fs.reloc.has_begun = true;
    fs.reloc.ctl = rc;
}

Result<void> join_and_commit(FsInfo& fs) {
    const auto trans = join_transaction(*fs.extent_root);
    return trans ? commit_transaction(*trans) : trans.error();
}

namespace {

// ---- one pass
// ------------------------------------------------------------------------------------

/// From the commit on, every tree that is changed gets a copy when a transaction first touches it.
Result<void> prepare_to_relocate(RelocControl& rc) {
    const sim::Scope scope("prepare_to_relocate");
    FsInfo& fs = rc.fs;
    const auto reserved =
        block_rsv_add(fs, rc.block_rsv, u64{fs.nodesize} * reserved_nodes, Flush::All);
    if (!reserved) return reserved;
    rc.search_start = rc.bg->start.get();
    rc.extents_found = rc.nodes_relocated = rc.merging_rsv_size = 0;
    rc.found_file_extent = rc.merge_reloc_tree = false;
    rc.processed_blocks.clear();
    rc.moved.clear();
    set_reloc_control(fs, &rc, true);
    return join_and_commit(fs);
}

/// The next extent of the group that has not been dealt with, in the commit root.
Result<std::optional<CommittedExtent>> find_next_extent(RelocControl& rc) {
    for (;;) {
        const auto extent = next_committed_extent(rc.fs, rc.search_start);
        if (!extent) return extent;
        if (!*extent || (*extent)->start >= rc.bg->end()) return std::optional<CommittedExtent>();
        rc.search_start = (*extent)->start.get() + (*extent)->length;
        const bool done =
            !(*extent)->is_data() && rc.processed_blocks.contains((*extent)->start.get());
        if (!done) return extent;
    }
}

/// Leaves with items that point to the data. Mirrors add_data_references()
Result<std::vector<u64>> data_leaves(RelocControl& rc, const CommittedExtent& extent) {
    std::vector<u64> leaves;
    for (const CommittedExtent::Ref& ref : extent.refs) {
        if (ref.key.type == shared_data_ref_key) {
            leaves.push_back(ref.key.parent);
            continue;
        }
        const auto root = get_fs_root(rc.fs, ref.key.root);
        if (!root) return root.error();
        const auto found = leaves_of_data_ref(**root, ref.key, extent.start);
        if (!found) return found;
        leaves.insert(leaves.end(), found->begin(), found->end());
    }
    return leaves;
}

Result<void> relocate_leaves(TransHandle& trans, RelocControl& rc, const CommittedExtent& extent) {
    const auto leaves = data_leaves(rc, extent);
    if (!leaves) return leaves.error();
    for (const u64 leaf : *leaves) {
        if (rc.processed_blocks.contains(leaf)) continue;
        if (const auto moved = relocate_tree_block(trans, rc, {leaf, 0}); !moved) return moved;
    }
    return {};
}

/// @return the extent, or nothing at the end of the group
Result<std::optional<CommittedExtent>> relocate_next(TransHandle& trans, RelocControl& rc) {
    const auto extent = find_next_extent(rc);
    if (!extent || !*extent) return extent;
    ++rc.extents_found;
    Result<void> moved;
    if (!(*extent)->is_data()) {
        moved = relocate_tree_block(trans, rc, {(*extent)->start.get(), (*extent)->level});
    } else if (rc.stage == RelocStage::UpdateDataPtrs) {
        moved = relocate_leaves(trans, rc, **extent);
    }
    if (!moved) return moved.error();
    return extent;
}

/// One extent, in a handle of its own. @return false at the end of the group
Result<bool> relocate_extent(RelocControl& rc) {
    FsInfo& fs = rc.fs;
    if (const auto refilled = refill(rc, u64{fs.nodesize} * reserved_nodes, Flush::All); !refilled)
        return refilled.error();
    const auto trans = start_transaction(*fs.extent_root, 0);
    if (!trans) return trans.error();
    (*trans)->block_rsv = &rc.block_rsv;
    const auto extent = relocate_next(**trans, rc);
    const auto ended = end_transaction(*trans);
    if (!extent) return extent.error();
    if (!ended) return ended.error();
    if (!*extent) return false;
    if (!(*extent)->is_data() || rc.stage != RelocStage::MoveDataExtents) return true;
    rc.found_file_extent = true;
    const auto copied = relocate_data_extent(rc, (*extent)->start.get(), (*extent)->length);
    if (!copied) return copied.error();
    return true;
}

/// Cancelled between extents since 5.7 (the release is from memory); before, between chunks.
Result<void> relocate_extents(RelocControl& rc, const ShouldCancel& canceled) {
    for (;;) {
        const auto more = relocate_extent(rc);
        if (!more) return more.error();
        if (!*more) return {};
        if (rc.fs.kernel.at_least(5, 7) && canceled()) return Errno::Canceled;
    }
}

/// All that a pass does after blocks were moved, or could not be: the first error counts.
Result<void> end_pass(RelocControl& rc, Result<void> result) {
    FsInfo& fs = rc.fs;
    const auto keep = [&result](const Result<void>& next) {
        if (result) result = next;
    };
    set_reloc_control(fs, &rc, false);
    block_rsv_release(fs, rc.block_rsv, ~u64{0});
    result = prepare_to_merge(rc, result);
    keep(merge_reloc_roots(rc));
    {
        const sim::MutexGuard guard(fs.reloc_mutex);
        sim::current().order(fs.reloc.obj, sim::AccessKind::Write);
        rc.merge_reloc_tree = false;
        fs.reloc.ctl = nullptr;
    }
    block_rsv_release(fs, rc.block_rsv, ~u64{0});
    keep(join_and_commit(fs));
    keep(clean_dirty_subvols(rc));
    return result;
}

/// Mirrors relocate_block_group(), the inner one.
Result<void> relocate_pass(RelocControl& rc, const ShouldCancel& canceled) {
    const sim::Scope scope("relocate_block_group");
    const auto prepared = prepare_to_relocate(rc);
    return end_pass(rc, prepared ? relocate_extents(rc, canceled) : prepared);
}

// ---- one block group
// -----------------------------------------------------------------------------

/// Everything copied is on its way into the data relocation tree. Mirrors the change of stages in
/// btrfs_relocate_block_group()
Result<void> finish_copying(RelocControl& rc) {
    const auto waited = wait_ordered_range(*rc.data_inode, 0, ~u64{0});
    if (!waited) return waited;
    invalidate_clean_pages(*rc.data_inode);
    sim::current().order(rc.fs.reloc.obj, sim::AccessKind::Write);
    rc.stage = RelocStage::UpdateDataPtrs;
    return {};
}

/// Passes until one finds nothing: a writer may have left blocks that point into the group.
Result<void> empty_group(RelocControl& rc, const ShouldCancel& canceled) {
    FsInfo& fs = rc.fs;
    for (;;) {
        const RelocStage stage = rc.stage;
        Result<void> pass;
        {
            const sim::MutexGuard guard(fs.cleaner_mutex);
            pass = relocate_pass(rc, canceled);
        }
        if (stage == RelocStage::MoveDataExtents && rc.found_file_extent)
            if (const auto finished = finish_copying(rc); pass && !finished) pass = finished;
        if (!pass || rc.extents_found == 0) return pass;
        const char* const done =
            stage == RelocStage::MoveDataExtents ? "move data extents" : "update data pointers";
        const std::string suffix =
            fs.kernel.at_least(5, 4) ? std::string(", stage: ") + done : std::string();
        fs.message("info", "found " + std::to_string(rc.extents_found) + " extents" + suffix);
    }
}

std::string describe_flags(u64 flags) {
    std::string text = (flags & bg_data) != 0       ? "data"
                       : (flags & bg_metadata) != 0 ? "metadata"
                                                    : "system";
    if ((flags & bg_raid1) != 0) text += "|raid1";
    if ((flags & bg_dup) != 0) text += "|dup";
    return text;
}

void wait_for_writers(BlockGroup& bg) {
    wait_block_group_reservations(bg);
    wait_nocow_writers(bg);
    wait_ordered_roots(bg.fs, bg.start, bg.length);
}

Result<void> relocate_readonly_group(BlockGroup& bg, const ShouldCancel& canceled) {
    FsInfo& fs = bg.fs;
    auto* const rc = sim::make<RelocControl>(fs, &bg);
    auto result = create_reloc_inode(*rc);
    if (result) {
        fs.message("info", "relocating block group " + std::to_string(bg.start.get()) + " flags " +
                               describe_flags(bg.flags));
        wait_for_writers(bg);
        result = empty_group(*rc, canceled);
    }
    if (!result) dec_block_group_ro(bg);
    if (rc->data_inode != nullptr) iput(*rc->data_inode);
    sim::destroy(rc);
    return result;
}

/// Mirrors btrfs_relocate_block_group()
Result<void> relocate_block_group(BlockGroup& bg, const ShouldCancel& canceled) {
    const sim::Scope scope("btrfs_relocate_block_group");
    FsInfo& fs = bg.fs;
    if (const auto started = reloc_chunk_start(fs); !started) return started;
    auto result = inc_block_group_ro(bg, true);
    if (result) result = relocate_readonly_group(bg, canceled);
    reloc_chunk_end(fs);
    return result;
}

/// Mirrors btrfs_start_trans_remove_block_group()
Result<void> remove_relocated(FsInfo& fs, Bytenr chunk_offset) {
    const u64 stripes = num_copies(fs, chunk_offset);
    const auto trans =
        start_transaction_fallback_global_rsv(*fs.tree_root, static_cast<unsigned>(3 + stripes));
    if (!trans) return trans.error();
    const auto removed = remove_chunk(**trans, chunk_offset);
    const auto ended = end_transaction(*trans);
    return removed ? ended : removed;
}

}  // namespace
}  // namespace reloc

Result<void> relocate_chunk(FsInfo& fs, Bytenr chunk_offset, const ShouldCancel& canceled) {
    const sim::Scope scope("btrfs_relocate_chunk");
    BlockGroup* const bg = lookup_block_group(fs, chunk_offset);
    if (bg == nullptr) return Errno::NoEnt;
    if ((bg->flags & bg_system) != 0) return Errno::NoSpc;
    scrub_pause(fs);
    const auto relocated = reloc::relocate_block_group(*bg, canceled);
    scrub_continue(fs);
    if (!relocated) return relocated;
    return reloc::remove_relocated(fs, chunk_offset);
}

}  // namespace model
