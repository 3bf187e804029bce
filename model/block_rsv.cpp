// Mirrors fs/btrfs/block-rsv.c of 6.1, and the reserve of the delayed references from
// fs/btrfs/delayed-ref.c, which kernels before 5.0 do not have.
//
// The smallest size of the global reserve is given in items, as in 6.1. Older kernels say 16 MiB,
// which is more than all metadata here; they have the same size in items.
#include "model/block_rsv.h"

#include <algorithm>

#include "model/fixes.h"
#include "model/fs_info.h"
#include "model/reserve_ticket.h"
#include "model/tracepoints.h"

namespace model {
namespace {

constexpr u64 unlink_metadata_units = 5;  // orphan, dir item, dir index, inode ref, inode
constexpr u64 max_global_rsv = u64{512} << 20;

/// Which reserve a new block of the tree charges first. Mirrors get_block_rsv().
BlockRsv& block_rsv_of(const TransHandle& trans, const Root& root) {
    FsInfo& fs = trans.fs;
    const bool from_handle =
        root.shareable() || (trans.adding_csums && root.objectid == csum_tree_objectid);
    if (from_handle && trans.block_rsv != nullptr) return *trans.block_rsv;
    BlockRsv* const own = root_block_rsv(fs, root);
    return own != nullptr ? *own : fs.empty_block_rsv;
}

enum class Taken : u8 { Yes, No, NothingWanted };

/// A reserve that wants nothing is passed over without a failure.
Taken take_block(BlockRsv& rsv, u64 blocksize, bool* failfast) {
    const sim::SpinGuard guard(rsv.lock);
    rsv.obj.read();
    *failfast = rsv.failfast;
    if (rsv.size == 0) return Taken::NothingWanted;
    if (rsv.reserved < blocksize) return Taken::No;
    rsv.obj.write();
    rsv.reserved -= blocksize;
    if (rsv.reserved < rsv.size) rsv.full = false;
    return Taken::Yes;
}

/// Lowers size by `bytes` (~0: to nothing) and takes out what is then too much.
u64 take_surplus(BlockRsv& rsv, u64 bytes) {
    const sim::SpinGuard guard(rsv.lock);
    rsv.obj.write();
    rsv.size -= bytes == ~u64{0} ? rsv.size : bytes;
    if (rsv.reserved < rsv.size) return 0;
    const u64 surplus = rsv.reserved - rsv.size;
    rsv.reserved = rsv.size;
    rsv.full = true;
    return surplus;
}

/// @return what is left after the reserve has what it wants
u64 give_to(BlockRsv& rsv, u64 bytes) {
    const sim::SpinGuard guard(rsv.lock);
    rsv.obj.write();
    if (rsv.full || rsv.size <= rsv.reserved) return bytes;
    const u64 given = std::min(bytes, rsv.size - rsv.reserved);
    rsv.reserved += given;
    if (rsv.reserved >= rsv.size) rsv.full = true;
    return bytes - given;
}

/// Surplus goes to the delayed refs reserve (before 5.0, to the global one), that one's own to the
/// global reserve; each only within its space.
BlockRsv* release_target(FsInfo& fs, const BlockRsv& rsv) {
    if (&rsv == &fs.global_block_rsv) return nullptr;
    const bool to_refs = fs.has(fix::delayed_refs_rsv) && &rsv != &fs.delayed_refs_rsv;
    BlockRsv* const target = to_refs ? &fs.delayed_refs_rsv : &fs.global_block_rsv;
    return target->space_info == rsv.space_info ? target : nullptr;
}

SpaceInfo& space_of(FsInfo& fs, const BlockRsv& rsv) {
    return rsv.space_info != nullptr ? *rsv.space_info : space_info_for(fs, bg_metadata);
}

}  // namespace

BlockRsv::BlockRsv(RsvType kind)
    : obj(objects::block_rsv, static_cast<u64>(kind), this),
      lock(lock_classes::block_rsv_lock, static_cast<u64>(kind)), type(kind) {}

u64 calc_insert_metadata_size(const FsInfo& fs, u64 items) {
    return items * 2 * max_level * fs.nodesize;
}
u64 calc_metadata_size(const FsInfo& fs, u64 items) {
    return items * max_level * fs.nodesize;
}

void block_rsv_add_bytes(BlockRsv& rsv, u64 bytes, bool update_size) {
    const sim::SpinGuard guard(rsv.lock);
    rsv.obj.write();
    rsv.reserved += bytes;
    if (update_size) {
        rsv.size += bytes;
    } else if (rsv.reserved >= rsv.size) {
        rsv.full = true;
    }
}

Result<void> block_rsv_use_bytes(BlockRsv& rsv, u64 bytes) {
    const sim::SpinGuard guard(rsv.lock);
    rsv.obj.read();
    if (rsv.reserved < bytes) return Errno::NoSpc;
    rsv.obj.write();
    rsv.reserved -= bytes;
    if (rsv.reserved < rsv.size) rsv.full = false;
    return {};
}

Result<void> block_rsv_add(FsInfo& fs, BlockRsv& rsv, u64 bytes, Flush flush) {
    if (bytes == 0) return {};
    if (const auto reserved = reserve_metadata_bytes(fs, space_of(fs, rsv), bytes, flush);
        !reserved)
        return reserved;
    if (rsv.space_info == nullptr) rsv.space_info = &space_info_for(fs, bg_metadata);
    block_rsv_add_bytes(rsv, bytes, true);
    return {};
}

void block_rsv_release(FsInfo& fs, BlockRsv& rsv, u64 bytes) {
    u64 surplus = take_surplus(rsv, bytes);
    if (surplus == 0) return;
    if (BlockRsv* const target = release_target(fs, rsv)) surplus = give_to(*target, surplus);
    space_info_free_bytes_may_use(fs, space_of(fs, rsv), surplus);
}

BlockRsv* root_block_rsv(FsInfo& fs, const Root& root) {
    switch (root.objectid) {
    case csum_tree_objectid:
    case extent_tree_objectid:
        return fs.has(fix::delayed_refs_rsv) ? &fs.delayed_refs_rsv : &fs.global_block_rsv;
    case root_tree_objectid:
    case dev_tree_objectid:
        return &fs.global_block_rsv;
    case chunk_tree_objectid:
        return &fs.chunk_block_rsv;
    default:
        return nullptr;
    }
}

Result<BlockRsv*> use_block_rsv(TransHandle& trans, Root& root, u64 blocksize) {
    FsInfo& fs = trans.fs;
    BlockRsv& rsv = block_rsv_of(trans, root);
    bool failfast = false;
    Taken taken = take_block(rsv, blocksize, &failfast);
    if (taken == Taken::Yes) return &rsv;
    if (taken == Taken::No && failfast) return Errno::NoSpc;
    if (taken == Taken::No && &rsv == &fs.global_block_rsv) {
        update_global_block_rsv(fs);
        taken = take_block(rsv, blocksize, &failfast);
        if (taken == Taken::Yes) return &rsv;
    }
    if (reserve_metadata_bytes(fs, space_of(fs, rsv), blocksize, Flush::No)) return &rsv;
    // The global reserve stands behind all others of its space.
    const bool same_space = &space_of(fs, rsv) == &space_of(fs, fs.global_block_rsv);
    if (&rsv != &fs.global_block_rsv && same_space &&
        block_rsv_use_bytes(fs.global_block_rsv, blocksize))
        return &fs.global_block_rsv;
    if (!fs.has(fix::emergency_reservation)) return Errno::NoSpc;
    const auto last = reserve_metadata_bytes(fs, space_of(fs, rsv), blocksize, Flush::Emergency);
    return last ? Result<BlockRsv*>(&rsv) : last.error();
}

void unuse_block_rsv(FsInfo& fs, BlockRsv& rsv, u64 blocksize) {
    block_rsv_add_bytes(rsv, blocksize, false);
    block_rsv_release(fs, rsv, 0);
}

namespace {

/// Both locks held. `reserved` wraps where it shrinks: a subtraction.
void set_global_reserved(SpaceInfo& info, BlockRsv& rsv, u64 reserved) {
    info.obj.write();
    trace_update_bytes_may_use(info, reserved - rsv.reserved);
    info.bytes_may_use += reserved - rsv.reserved;
    rsv.reserved = reserved;
    rsv.full = rsv.reserved == rsv.size;
}

/// Until 5.4 the reserve got no more than what nobody else had. Both locks held.
u64 free_for_global_rsv(const SpaceInfo& info, const BlockRsv& rsv) {
    if (rsv.reserved >= rsv.size) return rsv.size;
    const u64 used = info.used(true);
    const u64 free = info.total_bytes > used ? info.total_bytes - used : 0;
    return rsv.reserved + std::min(free, rsv.size - rsv.reserved);
}

}  // namespace

void update_global_block_rsv(FsInfo& fs) {
    BlockRsv& rsv = fs.global_block_rsv;
    SpaceInfo& info = space_of(fs, rsv);
    constexpr u64 trees = 3;  // tree of roots, extent tree, csum tree
    const u64 least = calc_insert_metadata_size(fs, trees + unlink_metadata_units);
    const u64 used =
        root_used(*fs.tree_root) + root_used(*fs.extent_root) + root_used(*fs.csum_root);
    const u64 wanted = std::min(std::max(least, used), max_global_rsv);

    const sim::SpinGuard info_guard(info.lock);
    bool gave_back = false;
    {
        const sim::SpinGuard guard(rsv.lock);
        rsv.obj.write();
        rsv.size = wanted;
        const bool whole = fs.has(fix::whole_global_reserve);
        const u64 before = rsv.reserved;
        set_global_reserved(info, rsv, whole ? wanted : free_for_global_rsv(info, rsv));
        gave_back = rsv.reserved < before;
        if (fs.has(fix::chunk_for_global_reserve) && rsv.size >= info.total_bytes)
            info.force_alloc = true;
    }
    if (gave_back && has_tickets(info) && fs.kernel.at_least(5, 4)) try_granting_tickets(fs, info);
}

void init_global_block_rsv(FsInfo& fs) {
    init_space_infos(fs);
    SpaceInfo& metadata = space_info_for(fs, bg_metadata);
    for (BlockRsv* const rsv :
         {&fs.global_block_rsv, &fs.trans_block_rsv, &fs.empty_block_rsv, &fs.delayed_refs_rsv})
        rsv->space_info = &metadata;
    fs.chunk_block_rsv.space_info = &space_info_for(fs, bg_system);
    recount_free_chunk_space(fs);
    update_global_block_rsv(fs);
}

// ---- the reserve of the delayed references
// -------------------------------------------------------------------------------

u64 csum_bytes_to_leaves(const FsInfo& fs, u64 bytes) {
    const u64 leaf_data = fs.nodesize - sizeof(HeaderItem);
    const u64 sums_per_leaf = (leaf_data - 2 * sizeof(LeafItem)) / sizeof(u32) - 1;
    return (bytes / sectorsize + sums_per_leaf - 1) / sums_per_leaf;
}

/// The heads that the handle added want room for one item each. Nothing is reserved here: only the
/// wish grows.
void update_delayed_refs_rsv(TransHandle& trans) {
    if (trans.delayed_ref_updates == 0 || !trans.fs.has(fix::delayed_refs_rsv)) return;
    BlockRsv& rsv = trans.fs.delayed_refs_rsv;
    const sim::SpinGuard guard(rsv.lock);
    rsv.obj.write();
    rsv.size += calc_insert_metadata_size(trans.fs, trans.delayed_ref_updates);
    rsv.full = false;
    trans.delayed_ref_updates = 0;
}

void delayed_refs_rsv_release(FsInfo& fs, u64 items) {
    if (!fs.has(fix::delayed_refs_rsv)) return;
    block_rsv_release(fs, fs.delayed_refs_rsv, calc_insert_metadata_size(fs, items));
}

void migrate_to_delayed_refs_rsv(FsInfo& fs, BlockRsv& source, u64 bytes) {
    {
        const sim::SpinGuard guard(source.lock);
        source.obj.write();
        source.reserved -= bytes;
        source.size -= bytes;
    }
    u64 left = 0;
    {
        BlockRsv& rsv = fs.delayed_refs_rsv;
        const sim::SpinGuard guard(rsv.lock);
        rsv.obj.write();
        const u64 missing = rsv.size > rsv.reserved ? rsv.size - rsv.reserved : 0;
        const u64 given = std::min(bytes, missing);
        rsv.reserved += given;
        if (rsv.reserved >= rsv.size) rsv.full = true;
        left = bytes - given;
    }
    space_info_free_bytes_may_use(fs, space_of(fs, source), left);
}

Result<void> delayed_refs_rsv_refill(FsInfo& fs, Flush flush) {
    if (!fs.has(fix::delayed_refs_rsv)) return {};
    BlockRsv& rsv = fs.delayed_refs_rsv;
    u64 missing = 0;
    {
        const sim::SpinGuard guard(rsv.lock);
        rsv.obj.read();
        if (rsv.size > rsv.reserved)
            missing = std::min(rsv.size - rsv.reserved, calc_insert_metadata_size(fs, 1));
    }
    if (missing == 0) return {};
    if (const auto reserved = reserve_metadata_bytes(fs, space_of(fs, rsv), missing, flush);
        !reserved)
        return reserved;
    block_rsv_add_bytes(rsv, missing, false);
    return {};
}

}  // namespace model
