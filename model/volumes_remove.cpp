// Removal of chunks: btrfs_remove_chunk() of fs/btrfs/volumes.c, 6.1.
//
// The kernel finds free places of devices in the committed dev tree; here the places of a removed
// chunk stay taken until the transaction is committed. Left out: system chunks, discard, frozen
// groups (a copier of a replace pauses before a relocation begins).
#include "model/delete_item.h"
#include "model/fs_info.h"
#include "model/relocation.h"
#include "model/tracepoints.h"
#include "sim/trace.h"

namespace model {
namespace {

/// Mirrors btrfs_free_dev_extent()
Result<void> free_dev_extent(TransHandle& trans, const ChunkMap& map, const Stripe& stripe) {
    FsInfo& fs = trans.fs;
    Device& device = *stripe.dev;
    const auto deleted =
        delete_item(trans, *fs.dev_root, {device.devid, dev_extent_key, stripe.physical});
    if (!deleted) return deleted;
    device.sizes_obj.write();
    device.bytes_used -= map.length;
    trans.transaction.freed_dev_extents.emplace_back(&device, stripe.physical);
    if (!device.post_commit) {
        device.post_commit = true;
        trans.transaction.dev_update_list.push_back(&device);
    }
    return {};
}

/// chunk_mutex held.
Result<void> free_chunk_items(TransHandle& trans, const ChunkMap& map) {
    FsInfo& fs = trans.fs;
    for (const Stripe& stripe : map.stripes)
        if (const auto freed = free_dev_extent(trans, map, stripe); !freed) return freed;
    recount_free_chunk_space(fs);
    check_system_chunk(trans, map.type);
    for (const Stripe& stripe : map.stripes)
        if (const auto updated = update_device(trans, *stripe.dev); !updated) return updated;
    return delete_item(trans, *fs.chunk_root,
                       {first_chunk_tree_objectid, chunk_item_key, map.logical});
}

/// From here on the addresses mean nothing. Reads that were mapped before go on.
void forget_chunk_map(FsInfo& fs, const ChunkMap& map) {
    const sim::SpinGuard guard(fs.mapping_tree_lock);
    fs.mapping_tree_obj.insert(map.logical);
    fs.mapping_tree.erase(map.logical);
}

}  // namespace

Result<void> remove_chunk(TransHandle& trans, Bytenr chunk_offset) {
    const sim::Scope scope("btrfs_remove_chunk");
    FsInfo& fs = trans.fs;
    ChunkMap* const map = find_chunk_map(fs, chunk_offset);
    BlockGroup* const bg = lookup_block_group(fs, chunk_offset);
    if (map == nullptr || bg == nullptr) return Errno::Inval;
    trace_btrfs_chunk_free(fs, *map);
    Result<void> removed;
    {
        const sim::MutexGuard guard(fs.chunk_mutex);
        removed = free_chunk_items(trans, *map);
    }
    if (removed) removed = remove_block_group(trans, *bg);
    if (removed) forget_chunk_map(fs, *map);
    if (!removed) abort_transaction(trans, removed.error(), "btrfs_remove_chunk");
    sim::note([&] { return "removes chunk " + std::to_string(chunk_offset.get()); });
    return removed;
}

}  // namespace model
