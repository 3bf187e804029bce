// Mirrors fs/btrfs/block-group.c of 6.1: counters, free space, read-only counting and the drains of
// one block group. Creation, chunks and what a commit does to block groups are in
// block_group_create.cpp and block_group_commit.cpp.
//
// Left out: the list of unused groups and their removal by the cleaner, clusters, the free space
// cache and the free space tree (free space lives in memory and is found again at mount), swap
// files. data_rwsem is left out: only relocation and v1 caching take it for writing.
//
// The index of groups is looked up without block_group_cache_lock: a group is in it before anybody
// can know an address inside the group. Its removal is ordered with the lookups that found it,
// which are no steps of their own. Objects of removed groups stay: somebody may hold one.
#include "model/block_group.h"

#include <algorithm>

#include "model/fixes.h"
#include "model/fs_info.h"
#include "model/invariants.h"
#include "model/reserve_ticket.h"
#include "model/tracepoints.h"
#include "sim/trace.h"

namespace model {
namespace {

u64 unused_bytes(const BlockGroup& bg) {
    return bg.length - bg.reserved - bg.pinned - bg.bytes_super - bg.used - bg.zone_unusable();
}

/// Data needs all that it promised in other groups; metadata may promise chunks that do not exist
/// yet, here on every kernel, as in 6.1.
bool can_do_without(const BlockGroup& bg, const SpaceInfo& info, u64 bytes) {
    if ((info.flags & bg_data) != 0) return info.used(true) + bytes <= info.total_bytes;
    return fits_with_new_chunks(bg.fs, info, bytes, Flush::No);
}

/// What is lost in the zone counts as read-only while the group is. Both locks are held.
void move_zone_unusable(BlockGroup& bg, bool to_readonly) {
    if (bg.zoned == nullptr) return;
    SpaceInfo& info = *bg.space_info;
    ZonedGroup& zoned = *bg.zoned;
    if (to_readonly) {
        info.bytes_readonly += zoned.zone_unusable;
        info.bytes_zone_unusable -= zoned.zone_unusable;
        zoned.zone_unusable = 0;
        return;
    }
    zoned.zone_unusable = zoned.alloc_offset - bg.used - bg.pinned - bg.reserved;
    info.bytes_zone_unusable += zoned.zone_unusable;
    info.bytes_readonly -= zoned.zone_unusable;
}

/// Mirrors inc_block_group_ro(), the inner one: one atomic step.
Result<void> set_read_only(BlockGroup& bg) {
    SpaceInfo& info = *bg.space_info;
    const sim::SpinGuard info_guard(info.lock);
    const sim::SpinGuard guard(bg.lock);
    info.obj.read();
    bg.obj.read();
    if (bg.ro == 0) {
        const u64 unused = unused_bytes(bg);
        if (!can_do_without(bg, info, unused)) return Errno::NoSpc;
        info.obj.write();
        info.bytes_readonly += unused;
        move_zone_unusable(bg, true);
    }
    bg.obj.write();
    bg.ro_obj.write();
    ++bg.ro;
    return {};
}

/// Joins a transaction that has not begun to write its block groups, and takes
/// ro_block_group_mutex.
Result<TransHandle*> join_before_dirty_bg_run(FsInfo& fs) {
    for (;;) {
        const auto trans = join_transaction(*fs.tree_root);
        if (!trans) return trans.error();
        fs.ro_block_group_mutex.lock();
        if (!(*trans)->transaction.flags.test(trans_flag::dirty_bg_run)) return *trans;
        const Transid transid = (*trans)->transid;
        fs.ro_block_group_mutex.unlock();
        static_cast<void>(end_transaction(*trans));
        sim::note(
            [&] { return "waits for the commit of transaction " + std::to_string(transid.get()); });
        if (const auto waited = wait_for_commit(fs, transid); !waited) return waited.error();
    }
}

/// ro_block_group_mutex held. A group may only become read-only if what it has left can be promised
/// elsewhere; a new chunk helps.
Result<void> set_read_only_with_chunks(TransHandle& trans, BlockGroup& bg, bool do_chunk_alloc) {
    FsInfo& fs = bg.fs;
    const u64 profile = get_alloc_profile(fs, bg.flags);
    if (do_chunk_alloc && profile != bg.flags) {
        const auto made = chunk_alloc(trans, profile, true);
        if (!made && made.error() != Errno::NoSpc) return made.error();
    }
    auto result = set_read_only(bg);
    if (result) return result;
    // A scrub that made system chunks would fill the array of them in the super block.
    if (!do_chunk_alloc && (bg.flags & bg_system) != 0) return result;
    if (const auto made = chunk_alloc(trans, profile, true); !made) return made.error();
    return set_read_only(bg);
}

void order_lookup(FsInfo& fs, const BlockGroup& bg) {
    if (sim::Scheduler* const scheduler = sim::current_or_null(); scheduler != nullptr)
        scheduler->order(fs.block_groups_obj, sim::AccessKind::Lookup, bg.start.get());
}

}  // namespace

BlockGroup::BlockGroup(FsInfo& owner, Bytenr from, u64 bytes, u64 bg_flags)
    : fs(owner), obj(objects::block_group, from.get(), this),
      lock(lock_classes::block_group_lock, from.get()), start(from), length(bytes), flags(bg_flags),
      ro_obj(objects::block_group_ro, from.get(), this),
      reservations(0, from.get(), objects::counter), nocow_writers(0, from.get(), objects::counter),
      reservations_wait(from.get(), "reservations_wait"), nocow_wait(from.get(), "nocow_wait"),
      tree_lock(lock_classes::free_space_lock, from.get()),
      free_space_obj(objects::free_space, from.get(), this) {
    if (owner.zoned != nullptr) zoned = sim::make<ZonedGroup>(from, bytes);
}

BlockGroup* lookup_block_group(FsInfo& fs, Bytenr bytenr) {
    auto next = fs.block_groups.upper_bound(bytenr.get());
    if (next == fs.block_groups.begin()) return nullptr;
    BlockGroup* const bg = std::prev(next)->second;
    order_lookup(fs, *bg);
    return bytenr < bg->end() ? bg : nullptr;
}

BlockGroup* lookup_first_block_group(FsInfo& fs, Bytenr bytenr) {
    if (BlockGroup* const bg = lookup_block_group(fs, bytenr)) return bg;
    const auto next = fs.block_groups.lower_bound(bytenr.get());
    if (next == fs.block_groups.end()) return nullptr;
    order_lookup(fs, *next->second);
    return next->second;
}

// ---- free space and counters
// ---------------------------------------------------------------------------------------------

void add_free_space(BlockGroup& bg, Bytenr start, u64 bytes) {
    const sim::SpinGuard guard(bg.tree_lock);
    bg.free_space_obj.write();
    u64 from = start.get();
    auto next = bg.free_space.upper_bound(from);
    if (next != bg.free_space.end() && next->first == from + bytes) {
        bytes += next->second;
        next = bg.free_space.erase(next);
    }
    if (next != bg.free_space.begin() && std::prev(next)->first + std::prev(next)->second == from) {
        std::prev(next)->second += bytes;
    } else {
        bg.free_space.emplace(from, bytes);
    }
}

Result<void> add_reserved_bytes(BlockGroup& bg, u64 ram_bytes, u64 num_bytes, bool) {
    SpaceInfo& info = *bg.space_info;
    const sim::SpinGuard info_guard(info.lock);
    const sim::SpinGuard guard(bg.lock);
    bg.obj.read();
    if (bg.ro != 0) return Errno::Again;
    bg.obj.write();
    info.obj.write();
    bg.reserved += num_bytes;
    info.bytes_reserved += num_bytes;
    SIM_ASSERT(info.bytes_may_use >= ram_bytes);
    trace_update_bytes_may_use(info, -ram_bytes);
    info.bytes_may_use -= ram_bytes;
    return {};
}

void free_reserved_bytes(BlockGroup& bg, u64 num_bytes, bool) {
    SpaceInfo& info = *bg.space_info;
    const sim::SpinGuard info_guard(info.lock);
    const sim::SpinGuard guard(bg.lock);
    bg.obj.write();
    info.obj.write();
    bg.reserved -= num_bytes;
    info.bytes_reserved -= num_bytes;
    if (bg.ro != 0) {
        info.bytes_readonly += num_bytes;
    } else if (bg.zoned != nullptr) {
        bg.zoned->zone_unusable += num_bytes;
        info.bytes_zone_unusable += num_bytes;
    }
    if (has_tickets(info) && bg.fs.kernel.at_least(5, 10)) try_granting_tickets(bg.fs, info);
}

void freeze_block_group(BlockGroup& bg) {
    ++bg.frozen;
}
void unfreeze_block_group(BlockGroup& bg) {
    --bg.frozen;
}

// ---- read-only
// -----------------------------------------------------------------------------------------------------------

/// @mirrors btrfs_inc_block_group_ro(), v6.1
Result<void> inc_block_group_ro(BlockGroup& bg, bool do_chunk_alloc) {
    const sim::Scope scope("btrfs_inc_block_group_ro");
    FsInfo& fs = bg.fs;
    if (fs.readonly) {
        const sim::MutexGuard guard(fs.ro_block_group_mutex);
        return set_read_only(bg);
    }
    const auto trans = join_before_dirty_bg_run(fs);
    if (!trans) return trans.error();
    const auto result = set_read_only_with_chunks(**trans, bg, do_chunk_alloc);
    const bool gave_up = !result && !do_chunk_alloc;
    if ((bg.flags & bg_system) != 0 && !gave_up) {
        const sim::MutexGuard guard(fs.chunk_mutex);
        check_system_chunk(**trans, get_alloc_profile(fs, bg.flags));
    }
    sim::note([&] {
        return std::string(result ? "sets" : "cannot set") + " block group " +
               std::to_string(bg.start.get()) + " read-only";
    });
    fs.ro_block_group_mutex.unlock();
    static_cast<void>(end_transaction(*trans));
    return result;
}

void dec_block_group_ro(BlockGroup& bg) {
    const sim::Scope scope("btrfs_dec_block_group_ro");
    SpaceInfo& info = *bg.space_info;
    const sim::SpinGuard info_guard(info.lock);
    const sim::SpinGuard guard(bg.lock);
    bg.obj.write();
    bg.ro_obj.write();
    SIM_ASSERT(bg.ro > 0);
    if (--bg.ro != 0) return;
    info.obj.write();
    move_zone_unusable(bg, false);
    info.bytes_readonly -= unused_bytes(bg);
    sim::note(
        [&] { return "block group " + std::to_string(bg.start.get()) + " is writable again"; });
}

// ---- the drains after read-only
// ------------------------------------------------------------------------------------------

/// Allocations that were made and have no ordered extent yet. Allocators hold groups_sem for
/// reading, so those that looked before the group became read-only have counted themselves when it
/// was ours once.
void wait_block_group_reservations(BlockGroup& bg) {
    const sim::Scope scope("btrfs_wait_block_group_reservations");
    if ((bg.flags & bg_data) == 0) return;
    bg.space_info->groups_sem.down_write();
    bg.space_info->groups_sem.up_write();
    bg.reservations_wait.wait_event([&] { return bg.reservations.load() == 0; });
}

void dec_block_group_reservations(FsInfo& fs, Bytenr start) {
    BlockGroup& bg = *lookup_block_group(fs, start);
    if (bg.reservations.dec_and_test()) bg.reservations_wait.wake_up();
}

BlockGroup* inc_nocow_writers(FsInfo& fs, Bytenr bytenr) {
    BlockGroup* const bg = lookup_block_group(fs, bytenr);
    if (bg == nullptr) return nullptr;
    const sim::SpinGuard guard(bg->lock);
    bg->obj.read();
    if (bg->ro != 0) return nullptr;
    bg->nocow_writers.inc();
    return bg;
}

void dec_nocow_writers(BlockGroup& bg) {
    if (bg.nocow_writers.dec_and_test()) bg.nocow_wait.wake_up();
}

void wait_nocow_writers(BlockGroup& bg) {
    const sim::Scope scope("btrfs_wait_nocow_writers");
    bg.nocow_wait.wait_event([&] { return bg.nocow_writers.load() == 0; });
}

}  // namespace model
