// Mirrors fs/btrfs/block-group.c of 6.1: new and mounted block groups, and chunk allocation around
// create_chunk().
//
// The chunk item is inserted with the block group item at the end of the handle, as kernels
// before 5.14 do; 6.1 inserts it right after the chunk was made, under the same chunk_mutex.
#include <algorithm>

#include "model/ctree.h"
#include "model/delete_item.h"
#include "model/fixes.h"
#include "model/fs_info.h"
#include "model/invariants.h"
#include "model/reserve_ticket.h"
#include "model/tracepoints.h"
#include "sim/trace.h"
#include "sim/waitqueue.h"

namespace model {
namespace {

constexpr u64 super_mirrors[] = {u64{64} << 10, u64{64} << 20, u64{256} << 30};

/// bg.free_space is not shared yet, or its lock is held.
void remove_free_range(BlockGroup& bg, u64 from, u64 to) {
    for (auto it = bg.free_space.begin(); it != bg.free_space.end();) {
        const u64 start = it->first, end = start + it->second;
        if (end <= from || start >= to) {
            ++it;
            continue;
        }
        it = bg.free_space.erase(it);
        if (start < from) bg.free_space.emplace(start, from - start);
        if (end > to) bg.free_space.emplace(to, end - to);
    }
}

/// Mirrors should_alloc_chunk(); info.lock held. 4.19 counted the global reserve as used; taken to
/// have ended with the same term of can_overcommit().
bool should_alloc_chunk(FsInfo& fs, const SpaceInfo& info, bool force) {
    constexpr u64 slack = u64{2} << 20;
    if (force || info.force_alloc) return true;
    u64 used = info.used(false);
    if ((info.flags & bg_metadata) != 0 && !fs.has(fix::overcommit_without_global_reserve))
        used += space_for_global_rsv(fs);
    return used + slack >= info.total_bytes / 10 * 8;
}

enum class AllocTurn : u8 { Ours, NotNeeded, Full, Busy };

AllocTurn take_alloc_turn(SpaceInfo& info, bool force) {
    const sim::SpinGuard guard(info.lock);
    info.obj.read();
    const bool needed = should_alloc_chunk(info.fs, info, force);
    if (info.full) return needed ? AllocTurn::Full : AllocTurn::NotNeeded;
    if (!needed) return AllocTurn::NotNeeded;
    if (info.chunk_alloc) return AllocTurn::Busy;
    info.obj.write();
    info.chunk_alloc = true;
    return AllocTurn::Ours;
}

void finish_alloc(SpaceInfo& info, const Result<BlockGroup*>& made) {
    const sim::SpinGuard guard(info.lock);
    info.obj.write();
    info.chunk_alloc = false;
    for (sim::WaitQueue* const waiter : info.wait_for_alloc)
        waiter->wake_up_all();
    info.wait_for_alloc.clear();
    if (!made && made.error() == Errno::NoSpc) info.full = true;
    info.force_alloc = false;
}

/// Another one has the turn and not yet the mutex. Kernels look again and again (cond_resched())
/// until he is done; who sleeps until then comes to the same, and gives him the time for it.
void wait_for_alloc(SpaceInfo& info) {
    sim::WaitQueue done(0, "wait_for_alloc");
    {
        const sim::SpinGuard guard(info.lock);
        info.obj.read();
        if (!info.chunk_alloc) return;
        info.obj.write();
        info.wait_for_alloc.push_back(&done);
    }
    done.wait_event([&] {
        const sim::SpinGuard guard(info.lock);
        info.obj.read();
        return std::ranges::find(info.wait_for_alloc, &done) == info.wait_for_alloc.end();
    });
}

Result<void> insert_block_group_item(TransHandle& trans, BlockGroup& bg) {
    BlockGroupItem item{};
    {
        const sim::SpinGuard guard(bg.lock);
        bg.obj.read();
        item = {.used = bg.used, .chunk_objectid = first_chunk_tree_objectid, .flags = bg.flags};
    }
    const Key key{bg.start.get(), block_group_item_key, bg.length};
    return insert_item(trans, *trans.fs.extent_root, key,
                       {reinterpret_cast<const unsigned char*>(&item), sizeof(item)});
}

Result<void> create_pending_block_group(TransHandle& trans, BlockGroup& bg) {
    if (const auto inserted = insert_block_group_item(trans, bg); !inserted) return inserted;
    {
        const sim::MutexGuard guard(trans.fs.chunk_mutex);
        if (const auto added = chunk_alloc_add_chunk_item(trans, bg); !added) return added;
    }
    return insert_dev_extents(trans, bg.start);
}

/// What the items of the extent tree say: groups, and extents by address.
struct MountedExtents {
    std::vector<std::pair<Key, BlockGroupItem>> groups;
    std::vector<std::pair<u64, u64>> extents;  // start, length
};

Result<MountedExtents> collect_extents(FsInfo& fs) {
    MountedExtents found;
    Path path;
    const auto searched = search_slot(nullptr, *fs.extent_root, Key{}, path, 0, false);
    if (!searched) return searched.error();
    bool more = path.nodes[0]->nritems() > 0;
    while (more) {
        const Key key = path.key();
        if (key.type == block_group_item_key)
            found.groups.emplace_back(key, read_item<BlockGroupItem>(path));
        if (key.type == extent_item_key) found.extents.emplace_back(key.objectid, key.offset);
        if (key.type == metadata_item_key) found.extents.emplace_back(key.objectid, fs.nodesize);
        const auto next = next_item(*fs.extent_root, path);
        if (!next) return next.error();
        more = *next;
    }
    return found;
}

}  // namespace

u64 get_alloc_profile(const FsInfo& fs, u64 flags) {
    const u64 type = flags & bg_type_mask;
    return type | ((type & bg_data) != 0 ? fs.data_profile : fs.metadata_profile);
}

/// Space that holds a super block on a device never holds anything else.
void exclude_super_stripes(BlockGroup& bg) {
    const ChunkMap* const map = find_chunk_map(bg.fs, bg.start);
    if (map == nullptr) return;
    for (const u64 super : super_mirrors) {
        for (const Stripe& stripe : map->stripes) {
            if (super < stripe.physical || super >= stripe.physical + bg.length) continue;
            const u64 from = bg.start.get() + (super - stripe.physical) / stripe_len * stripe_len;
            const u64 to = std::min(from + stripe_len, bg.end().get());
            remove_free_range(bg, from, to);
            bg.bytes_super += to - from;
        }
    }
}

void add_block_group(BlockGroup& bg) {
    FsInfo& fs = bg.fs;
    SpaceInfo& info = space_info_for(fs, bg.flags);
    {
        const sim::SpinGuard guard(fs.block_group_cache_lock);
        bg.space_info = &info;
        fs.block_groups.emplace(bg.start.get(), &bg);
    }
    {
        const sim::SpinGuard guard(info.lock);
        info.obj.write();
        info.total_bytes += bg.length;
        info.bytes_used += bg.used;
        info.bytes_readonly += bg.bytes_super;
        info.bytes_zone_unusable += bg.zone_unusable();
        if (bg.length > 0) info.full = false;
        add_new_bytes(fs, info, bg.length - bg.used - bg.bytes_super);
    }
    const sim::WriteGuard guard(info.groups_sem);
    const auto after = std::upper_bound(
        info.block_groups.begin(), info.block_groups.end(), bg.start,
        [](Bytenr start, const BlockGroup* other) { return start < other->start; });
    info.block_groups.insert(after, &bg);
}

namespace {

/// Its counters leave those of its space_info, and allocators do not see it any more.
void leave_space_info(BlockGroup& bg) {
    SpaceInfo& info = *bg.space_info;
    const sim::WriteGuard guard(info.groups_sem);
    const sim::SpinGuard info_guard(info.lock);
    const sim::SpinGuard bg_guard(bg.lock);
    info.obj.write();
    bg.obj.write();
    std::erase(info.block_groups, &bg);
    info.total_bytes -= bg.length;
    info.bytes_readonly -= bg.length - bg.used - bg.reserved - bg.pinned;
    info.bytes_used -= bg.used;
    info.bytes_reserved -= bg.reserved;
    trace_update_bytes_pinned(info, -bg.pinned);
    info.bytes_pinned -= bg.pinned;
    bg.runtime_flags.set_bit(bg_runtime::removed);
}

void cancel_dirty(TransHandle& trans, BlockGroup& bg) {
    Transaction& transaction = trans.transaction;
    {
        const sim::SpinGuard guard(transaction.dirty_bgs_lock);
        transaction.dirty_bgs_obj.write();
        if (!bg.on_dirty_list) return;
        bg.on_dirty_list = false;
        std::erase(transaction.dirty_bgs, &bg);
    }
    delayed_refs_rsv_release(trans.fs, 1);
}

}  // namespace

Result<void> remove_block_group(TransHandle& trans, BlockGroup& bg) {
    const sim::Scope scope("btrfs_remove_block_group");
    trace_btrfs_remove_block_group(bg);
    FsInfo& fs = trans.fs;
    check_removed_group(bg);
    leave_space_info(bg);
    cancel_dirty(trans, bg);
    {
        const sim::SpinGuard guard(fs.block_group_cache_lock);
        sim::current().order(fs.block_groups_obj, sim::AccessKind::Insert, bg.start.get());
        fs.block_groups.erase(bg.start.get());
    }
    sim::note([&] { return "removes block group " + std::to_string(bg.start.get()); });
    return delete_item(trans, *fs.extent_root, {bg.start.get(), block_group_item_key, bg.length});
}

BlockGroup& make_block_group(TransHandle& trans, u64 type, Bytenr chunk_offset, u64 size) {
    const sim::Scope scope("btrfs_make_block_group");
    FsInfo& fs = trans.fs;
    BlockGroup& bg = *sim::make<BlockGroup>(fs, chunk_offset, size, type);
    bg.runtime_flags.set_bit(bg_runtime::new_group);
    if (bg.zoned != nullptr) {
        ensure_empty_zones(bg);
    } else {
        bg.free_space.emplace(chunk_offset.get(), size);
        exclude_super_stripes(bg);
    }
    trace_btrfs_add_block_group(bg);
    add_block_group(bg);
    update_global_block_rsv(fs);
    trans.new_bgs.push_back(&bg);
    if (fs.has(fix::delayed_refs_rsv)) ++trans.delayed_ref_updates;
    update_delayed_refs_rsv(trans);
    sim::note([&] {
        return "block group " + std::to_string(chunk_offset.get()) + ", " + std::to_string(size) +
               " bytes, " + space_info_name(*bg.space_info);
    });
    return bg;
}

void create_pending_block_groups(TransHandle& trans) {
    const sim::Scope scope("btrfs_create_pending_block_groups");
    while (!trans.new_bgs.empty()) {
        BlockGroup& bg = *trans.new_bgs.front();
        if (!transaction_aborted(trans)) {
            const auto created = create_pending_block_group(trans, bg);
            if (!created)
                abort_transaction(trans, created.error(), "btrfs_create_pending_block_groups");
        }
        delayed_refs_rsv_release(trans.fs, 1);
        trans.new_bgs.erase(trans.new_bgs.begin());
        bg.runtime_flags.clear_bit(bg_runtime::new_group);
    }
}

/// @mirrors fs/btrfs/block-group.c: btrfs_read_block_groups() and load_extent_tree_free(), which a
/// caching thread runs later
Result<void> read_block_groups(FsInfo& fs) {
    init_space_infos(fs);
    auto found = collect_extents(fs);
    if (!found) return found.error();
    for (const auto& [key, item] : found->groups) {
        BlockGroup& bg = *sim::make<BlockGroup>(fs, Bytenr(key.objectid), key.offset, item.flags);
        bg.used = item.used;
        if (bg.zoned != nullptr) {
            load_zone_info(bg);
        } else {
            bg.free_space.emplace(key.objectid, key.offset);
            exclude_super_stripes(bg);
            for (const auto& [start, length] : found->extents)
                remove_free_range(bg, start, start + length);
        }
        add_block_group(bg);
    }
    return {};
}

// ---- chunks
// --------------------------------------------------------------------------------------------------------------

void check_system_chunk(TransHandle& trans, u64 type) {
    FsInfo& fs = trans.fs;
    const u64 devices = get_alloc_profile(fs, type) & bg_raid1 ? 2 : 1;
    const u64 needed = calc_metadata_size(fs, devices) + calc_insert_metadata_size(fs, 1);
    SpaceInfo& info = space_info_for(fs, bg_system);
    u64 left = 0;
    {
        const sim::SpinGuard guard(info.lock);
        info.obj.read();
        left = info.total_bytes - std::min(info.total_bytes, info.used(true));
    }
    if (left < needed) {
        const auto made = create_chunk(
            trans, get_alloc_profile(fs, bg_system));  // may fail: the reservation below decides
        if (made) recount_free_chunk_space(fs);
    }
    if (block_rsv_add(fs, fs.chunk_block_rsv, needed, Flush::No))
        trans.chunk_bytes_reserved += needed;
}

/// @mirrors btrfs_chunk_alloc(), v6.1
Result<bool> chunk_alloc(TransHandle& trans, u64 flags, bool force) {
    FsInfo& fs = trans.fs;
    if (trans.allocating_chunk) return Errno::NoSpc;
    // System chunks are made by check_system_chunk() alone: whoever changes the chunk tree holds
    // chunk_mutex already.
    if ((flags & bg_system) != 0) return Errno::NoSpc;
    SpaceInfo& info = space_info_for(fs, flags);
    bool passed_mutex = false;
    for (bool ours = false; !ours;) {
        switch (take_alloc_turn(info, force)) {
        case AllocTurn::NotNeeded:
            return false;
        case AllocTurn::Full:
            return Errno::NoSpc;
        case AllocTurn::Ours:
            ours = true;
            break;
        case AllocTurn::Busy:  // somebody is at it; what he makes may be enough
            force = false;
            if (passed_mutex) {
                wait_for_alloc(info);
            } else {
                fs.chunk_mutex.lock();
                fs.chunk_mutex.unlock();
                passed_mutex = true;
            }
            break;
        }
    }
    const sim::Scope scope("btrfs_chunk_alloc");
    const sim::MutexGuard guard(fs.chunk_mutex);
    trans.allocating_chunk = true;
    check_system_chunk(trans, flags);
    const auto made = create_chunk(trans, flags);
    if (made) recount_free_chunk_space(fs);
    trans.allocating_chunk = false;
    finish_alloc(info, made);
    if (!made) return made.error();
    return true;
}

}  // namespace model
