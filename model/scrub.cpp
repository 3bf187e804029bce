// fs/btrfs/scrub.c, 6.1, with the versions that fixes.h names: the handshake with the committer,
// and the walk over the device extents of one device. What is done with one block group's extents
// is in scrub_stripe.cpp.
//
// Left out: RAID0/5/6/10, workers and bios in flight (each piece is read, verified, written and
// waited for in turn), cancelling the scrub of one device, throttling, read-only scrub, swap files,
// zoned devices.
#include "model/scrub.h"

#include <optional>

#include "model/bio.h"
#include "model/fixes.h"
#include "model/fs_info.h"
#include "model/ordered_data.h"
#include "model/scrub_stripe.h"

namespace model {

ScrubState::ScrubState(FsInfo& fs)
    : lock(lock_classes::scrub_lock), obj(objects::scrub, 0, &fs),
      running(0, 0, objects::scrub_counter), paused(0, 1, objects::scrub_counter),
      pause_req(0, 2, objects::scrub_counter), cancel_req(0, 3, objects::scrub_counter),
      pause_wait(0, "scrub_pause_wait") {}

ScrubCtx::ScrubCtx(FsInfo& owner, Device& device, bool dev_replace)
    : fs(owner), dev(device), wr_tgtdev(dev_replace ? owner.dev_replace.tgtdev : nullptr),
      is_dev_replace(dev_replace) {}

// ---- the handshake
// -------------------------------------------------------------------------------

namespace {

/// Holds scrub_lock at entry and at return; sleeps without it until `condition()`. The kernel's
/// loop, written out in each place.
template <class Condition>
void wait_with_scrub_lock_dropped(ScrubState& scrub, Condition condition) {
    while (!condition()) {
        scrub.lock.unlock();
        scrub.pause_wait.wait_event(condition);
        scrub.lock.lock();
    }
}

/// From here on a commit does not wait for this scrub.
void scrub_pause_on(FsInfo& fs) {
    fs.scrub.paused.inc();
    fs.scrub.pause_wait.wake_up();
}

/// Waits until no commit wants a pause. Mirrors scrub_pause_off().
void scrub_pause_off(FsInfo& fs) {
    ScrubState& scrub = fs.scrub;
    scrub.lock.lock();
    wait_with_scrub_lock_dropped(scrub, [&scrub] { return scrub.pause_req.load() == 0; });
    scrub.paused.dec();
    scrub.lock.unlock();
    scrub.pause_wait.wake_up();
}

}  // namespace

void scrub_blocked_if_needed(FsInfo& fs) {
    scrub_pause_on(fs);
    scrub_pause_off(fs);
}

void scrub_pause(FsInfo& fs) {
    sim::Scope scope("btrfs_scrub_pause");
    ScrubState& scrub = fs.scrub;
    scrub.lock.lock();
    scrub.pause_req.inc();
    wait_with_scrub_lock_dropped(scrub, [&scrub] {
        const u32 paused = scrub.paused.load();
        return paused == scrub.running.load();
    });
    scrub.lock.unlock();
}

void scrub_continue(FsInfo& fs) {
    fs.scrub.pause_req.dec();
    fs.scrub.pause_wait.wake_up();
}

Result<void> scrub_cancel(FsInfo& fs) {
    sim::Scope scope("btrfs_scrub_cancel");
    ScrubState& scrub = fs.scrub;
    scrub.lock.lock();
    if (scrub.running.load() == 0) {
        scrub.lock.unlock();
        return Errno::NotConn;
    }
    scrub.cancel_req.inc();
    wait_with_scrub_lock_dropped(scrub, [&scrub] { return scrub.running.load() == 0; });
    scrub.cancel_req.dec();
    scrub.lock.unlock();
    return {};
}

// ---- a block group before it is read
// -------------------------------------------------------------

Result<std::optional<DevExtent>> next_dev_extent(FsInfo& fs, Devid devid, u64 from) {
    Path path;
    path.search_commit_root = true;
    path.skip_locking = true;
    const auto found =
        search_slot(nullptr, *fs.dev_root, {devid, dev_extent_key, from}, path, 0, false);
    if (!found) return found.error();
    if (path.slots[0] >= path.nodes[0]->nritems()) {
        const auto more = next_leaf(*fs.dev_root, path);
        if (!more) return more.error();
        if (!*more) return std::optional<DevExtent>{};
    }
    const Key key = path.key();
    if (key.objectid != devid || key.type != dev_extent_key) return std::optional<DevExtent>{};
    const auto item = read_item<DevExtentItem>(path);
    return std::optional(DevExtent{key.offset, item.length, Bytenr(item.chunk_offset)});
}

namespace {

/// The group that a device extent of the committed tree belongs to, frozen; null when there is
/// nothing to do for it: it was removed in the running transaction, perhaps its addresses are
/// another group's by now (2473d24f2b77, a692e13d87cb).
BlockGroup* block_group_to_scrub(FsInfo& fs, const DevExtent& extent, bool is_dev_replace) {
    BlockGroup* const bg = lookup_block_group(fs, extent.chunk_offset);
    if (bg == nullptr || bg->start < extent.chunk_offset) return nullptr;
    const sim::SpinGuard guard(bg->lock);
    if (bg->runtime_flags.test(bg_runtime::removed)) return nullptr;
    const bool copied_or_duplicated =
        fs.zoned != nullptr && is_dev_replace && !bg->runtime_flags.test(bg_runtime::to_copy);
    if (copied_or_duplicated) return nullptr;
    if (fs.has(fix::scrub_freezes_group)) freeze_block_group(*bg);
    return bg;
}

/// Whether a chunk may be allocated to make up for a group that becomes read-only. Before
/// b12de52896c0 always; after it only for a replace, which cannot go on without (1bbb97b8ce7d).
bool preallocates_chunk(const ScrubCtx& ctx) {
    if (!ctx.fs.has(fix::scrub_no_chunk_prealloc)) return true;
    return ctx.is_dev_replace &&
           (ctx.fs.has(fix::mandatory_readonly) || ctx.fs.has(fix::nocow_wait_only));
}

/// Whether copying may go on beside writers when there is no room to make the group read-only.
bool tolerates_enospc(const ScrubCtx& ctx) {
    if (ctx.is_dev_replace) {
        if (ctx.fs.has(fix::tolerate_ro_failure)) return true;
        if (ctx.fs.has(fix::mandatory_readonly) || ctx.fs.has(fix::nocow_wait_only)) return false;
    }
    return ctx.fs.has(fix::tolerate_readonly_enospc);
}

/// @return whether the group is read-only now, so that it must be set back
Result<bool> set_readonly(ScrubCtx& ctx, BlockGroup& bg) {
    if (!ctx.fs.has(fix::readonly_during_copy)) return false;
    const auto readonly = inc_block_group_ro(bg, preallocates_chunk(ctx));
    if (readonly) {
        sim::note(
            [&] { return "block group " + std::to_string(bg.start.get()) + " is read-only"; });
        return true;
    }
    if (readonly.error() == Errno::NoSpc && tolerates_enospc(ctx)) {
        sim::note([&] {
            return "block group " + std::to_string(bg.start.get()) + " stays writable, goes on";
        });
        return false;
    }
    ctx.fs.message("warning", "failed setting block group ro: -" +
                                  std::to_string(static_cast<int>(readonly.error())));
    return readonly.error();
}

Result<void> join_and_commit(FsInfo& fs) {
    const auto trans = join_transaction(*fs.dev_root);
    if (!trans) return trans.error();
    return commit_transaction(*trans);
}

/// The waits of f0e9b7d64019 and of its zoned successor: afterwards everything that was ever to be
/// written to the group is, and its extent items are in the queue of the running transaction.
/// @return how many ordered extents were waited for
u64 wait_for_all_writers(BlockGroup& bg) {
    wait_block_group_reservations(bg);
    wait_nocow_writers(bg);
    return wait_ordered_roots(bg.fs, bg.start, bg.length);
}

/// 1bbb97b8ce7d and what was proposed beside it: COW never overwrites an extent of the commit root,
/// so only in-place writers matter.
void wait_for_inplace_writers(FsInfo& fs, BlockGroup& bg) {
    if (fs.has(fix::nocow_wait_only)) return wait_nocow_writers(bg);
    if (!fs.has(fix::mandatory_readonly)) return;
    if (fs.has(fix::ordered_wait_first)) {
        wait_ordered_roots(fs, bg.start, bg.length);
        return wait_nocow_writers(bg);
    }
    wait_nocow_writers(bg);
    wait_ordered_roots(fs, bg.start, bg.length);
}

/// What a replace waits for between making the group read-only and copying it.
Result<void> drain_writers(ScrubCtx& ctx, BlockGroup& bg, bool readonly) {
    FsInfo& fs = ctx.fs;
    if (!ctx.is_dev_replace) return {};
    // finish_extent_writes_for_zoned(): nothing of a zone that is copied is duplicated.
    const bool zoned_drain = fs.zoned != nullptr && !fs.has(fix::no_zoned_drain);
    if (readonly && (zoned_drain || fs.has(fix::drain_and_commit))) {
        wait_for_all_writers(bg);
        const auto committed = join_and_commit(fs);
        if (!committed) dec_block_group_ro(bg);
        return committed;
    }
    if (readonly && fs.has(fix::drain_after_readonly)) {
        // A failing commit leaves the group read-only for good: what 042528f8d840 is about.
        if (wait_for_all_writers(bg) > 0)
            if (const auto committed = join_and_commit(fs); !committed) return committed;
    }
    if (readonly && fs.has(fix::reservations_wait)) wait_block_group_reservations(bg);
    wait_for_inplace_writers(fs, bg);
    return {};
}

/// Read-only, then the waits. Counts as paused meanwhile: each part may wait for a commit, and
/// commits wait for scrubs.
/// @return whether the group was made read-only
Result<bool> prepare_block_group(ScrubCtx& ctx, BlockGroup& bg) {
    FsInfo& fs = ctx.fs;
    scrub_pause_on(fs);
    const auto readonly = set_readonly(ctx, bg);
    const bool outside = fs.has(fix::drain_outside_pause);
    if (!readonly || outside) scrub_pause_off(fs);
    if (!readonly) return readonly;
    const auto drained = drain_writers(ctx, bg, *readonly);
    if (!outside) scrub_pause_off(fs);
    if (!drained) return drained.error();
    return readonly;
}

// ---- the walk
// ------------------------------------------------------------------------------------

/// The cursors stand around the device extent that is being copied. Plain scrub moves them too, as
/// the kernel does.
void set_cursors(FsInfo& fs, u64 left, u64 right) {
    DevReplace& replace = fs.dev_replace;
    const auto assign = [&] {
        replace.cursor_obj.write();
        replace.cursor_left = left;
        replace.cursor_right = right;
        replace.item_needs_writeback = true;
    };
    if (!fs.has(fix::cursor_under_lock)) return assign();
    const sim::WriteGuard guard(replace.rwsem);
    assign();
}

/// Everything that is done for one device extent, 3.3 steps 4 to 18. The group is frozen.
Result<void> scrub_dev_extent(ScrubCtx& ctx, BlockGroup& bg, const DevExtent& extent) {
    FsInfo& fs = ctx.fs;
    const auto readonly = prepare_block_group(ctx, bg);
    if (!readonly) return readonly.error();
    const u64 right = extent.physical + extent.length;
    set_cursors(fs, extent.physical, right);

    const auto copied = scrub_chunk(ctx, bg, extent.physical, extent.length);
    // Waits for workers, which there are none of, counting as paused (12cf93728dfb); the stripes
    // of 6.4 wait inside.
    if (!fs.has(fix::scrub_stripe_rewrite)) scrub_blocked_if_needed(fs);

    // From now on writes of the zone are duplicated; the group is still read-only. Mirrors
    // btrfs_finish_block_group_to_copy(), for groups of one stripe.
    if (fs.zoned != nullptr && ctx.is_dev_replace && copied)
        bg.runtime_flags.clear_bit(bg_runtime::to_copy);
    const bool cursor_first = fs.has(fix::cursor_before_rw);
    if (cursor_first) set_cursors(fs, right, right);
    if (*readonly) dec_block_group_ro(bg);
    if (!copied) return copied;
    if (ctx.is_dev_replace && fs.dev_replace.num_write_errors > 0) return Errno::IO;
    if (!cursor_first) set_cursors(fs, right, right);
    return {};
}

Result<void> scrub_enumerate_chunks(ScrubCtx& ctx, u64 start, u64 end) {
    sim::Scope scope("scrub_enumerate_chunks");
    FsInfo& fs = ctx.fs;
    for (u64 from = 0;;) {
        const auto found = next_dev_extent(fs, ctx.dev.devid, from);
        if (!found) return found.error();
        if (!(*found).has_value() || (**found).physical >= end) return {};
        const DevExtent extent = **found;
        from = extent.physical + extent.length;
        if (from <= start) continue;
        BlockGroup* const bg = block_group_to_scrub(fs, extent, ctx.is_dev_replace);
        if (bg == nullptr) continue;
        sim::note([&] {
            return "finds device extent of block group " + std::to_string(bg->start.get());
        });
        const auto done = scrub_dev_extent(ctx, *bg, extent);
        if (fs.has(fix::scrub_freezes_group)) unfreeze_block_group(*bg);
        if (!done) return done;
    }
}

// ---- super blocks
// --------------------------------------------------------------------------------

/// Mirrors scrub_supers(): plain scrub only; device_list_mutex keeps commits from writing them
/// meanwhile.
Result<void> scrub_supers(ScrubCtx& ctx) {
    FsInfo& fs = ctx.fs;
    const sim::MutexGuard guard(fs.device_list_mutex);
    const u64 generation = fs.last_trans_committed.load();
    Vector<Sector> sectors(1);
    if (!device_io_wait(ctx.dev, MapOp::Read, super_info_offset, sectors)) {
        ++ctx.super_errors;
        return {};
    }
    if (!super_block_is_good(sectors[0], generation)) ++ctx.super_errors;
    return {};
}

// ---- start and end
// -------------------------------------------------------------------------------

/// Checks that the device can be scrubbed now and registers the context with it. On success
/// scrub_lock is held; device_list_mutex never is at return.
Result<ScrubCtx*> register_scrub(FsInfo& fs, Devid devid, bool is_dev_replace) {
    const sim::MutexGuard devices(fs.device_list_mutex);
    Device* const dev = find_device(fs, devid);
    if (dev == nullptr || (dev->test(dev_state::missing) && !is_dev_replace)) return Errno::NoEnt;
    dev->obj.read();
    if (!is_dev_replace && !dev->test(dev_state::writeable)) {
        fs.message("error", "scrub on devid " + std::to_string(devid) + ": filesystem on " +
                                device_path(*dev) + " is not writable");
        return Errno::Rofs;
    }
    fs.scrub.lock.lock();
    bool busy = !dev->test(dev_state::in_fs_metadata) || dev->test(dev_state::replace_tgt);
    if (busy) {
        fs.scrub.lock.unlock();
        return Errno::IO;
    }
    {
        const sim::ReadGuard replace(fs.dev_replace.rwsem);
        fs.dev_replace.obj.read();
        fs.scrub.obj.write();
        busy = dev->scrub_ctx != nullptr || (!is_dev_replace && fs.dev_replace.is_ongoing());
    }
    if (busy) {
        fs.scrub.lock.unlock();
        return Errno::InProgress;
    }
    dev->scrub_ctx = sim::make<ScrubCtx>(fs, *dev, is_dev_replace);
    return dev->scrub_ctx;
}

void unregister_scrub(ScrubCtx* ctx) {
    Device& dev = ctx->dev;
    {
        const sim::MutexGuard guard(ctx->fs.scrub.lock);
        ctx->fs.scrub.obj.write();
        dev.scrub_ctx = nullptr;
    }
    sim::destroy(ctx);
}

Result<void> run_scrub(ScrubCtx& ctx, u64 start, u64 end) {
    FsInfo& fs = ctx.fs;
    const std::string devid = std::to_string(ctx.dev.devid);
    if (!ctx.is_dev_replace) {
        fs.message("info", "scrub: started on devid " + devid);
        if (const auto supers = scrub_supers(ctx); !supers) return supers;
    }
    const auto done = scrub_enumerate_chunks(ctx, start, end);
    fs.scrub.running.dec();
    fs.scrub.pause_wait.wake_up();
    if (!ctx.is_dev_replace) {
        const int status = done ? 0 : -static_cast<int>(done.error());
        fs.message("info", std::string("scrub: ") + (done ? "finished" : "not finished") +
                               " on devid " + devid + " with status: " + std::to_string(status));
    }
    return done;
}

}  // namespace

Result<void> scrub_dev(FsInfo& fs, Devid devid, u64 start, u64 end, bool is_dev_replace) {
    sim::Scope scope("btrfs_scrub_dev");
    const auto ctx = register_scrub(fs, devid, is_dev_replace);
    if (!ctx) return ctx.error();
    // A commit that waits for pauses must not see this scrub begin: it counts as running only when
    // none does.
    wait_with_scrub_lock_dropped(fs.scrub, [&fs] { return fs.scrub.pause_req.load() == 0; });
    fs.scrub.running.inc();
    fs.scrub.lock.unlock();

    const auto done = run_scrub(**ctx, start, end);
    unregister_scrub(*ctx);
    return done;
}

}  // namespace model
