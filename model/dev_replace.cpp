// fs/btrfs/dev-replace.c, 6.1, with the versions that fixes.h names. Copying itself is in
// scrub.cpp, what a mount does with a replace that was going on in dev_replace_mount.cpp.
//
// Left out: resuming on zoned devices, sysfs, reference counts of devices (the devices of a
// scenario live as long as the filesystem).
#include "model/dev_replace.h"

#include <algorithm>

#include "model/bio.h"
#include "model/fixes.h"
#include "model/fs_info.h"
#include "model/invariants.h"
#include "model/ordered_data.h"

namespace model {

DevReplace::DevReplace(FsInfo& fs)
    : obj(objects::dev_replace, 0, &fs),
      cursor_obj(fs.has(fix::cursor_under_lock) ? objects::dev_replace
                                                : objects::dev_replace_cursor,
                 1, &fs),
      rwsem(lock_classes::dev_replace_rwsem),
      lock_finishing_cancel_unmount(lock_classes::finishing_mutex),
      exclusive_operation(0, 0, objects::counter), bio_counter(0, 1, objects::counter),
      replace_wait(0, "replace_wait") {}

namespace {

bool is_to_copy(FsInfo& fs, Bytenr logical) {
    const BlockGroup* const bg = lookup_block_group(fs, logical);
    return bg != nullptr && bg->runtime_flags.test(bg_runtime::to_copy);
}

}  // namespace

bool duplicates_write(FsInfo& fs, const Device& dev, u64 physical, Bytenr logical) {
    static_cast<void>(dev);
    // What will be copied goes to the source alone: a zone is written from its beginning.
    if (fs.zoned != nullptr) return !is_to_copy(fs, logical);
    if (!fs.has(fix::cursor_duplication)) return true;
    if (fs.has(fix::new_chunks_duplicated) && logical.get() >= fs.dev_replace.first_new_chunk)
        return true;
    fs.dev_replace.cursor_obj.read();
    return physical < fs.dev_replace.cursor_left;
}

// ---- the target
// ----------------------------------------------------------------------------------

namespace {

constexpr u64 whole_filesystem = ~u64{0};

/// "dev_replace from /dev/a (devid 1) to /dev/c"
std::string replace_text(const Device& src, const Device& tgt) {
    return "dev_replace from " + device_path(src) + " (devid " + std::to_string(src.devid) +
           ") to " + device_path(tgt);
}

/// What `btrfs replace start` does with a device before it hands it over.
void reset_all_zones(Device& device) {
    if (device.drive == nullptr) return;
    for (const auto& [start, zone] : device.drive->zones)
        if (zone.cond != ZoneCond::Empty) reset_zone(device, start);
}

/// Mirrors btrfs_init_dev_replace_tgtdev(). The target is written to from now on: super blocks and
/// barriers reach it.
Result<Device*> init_target(FsInfo& fs, const Device& src, std::string_view name) {
    Device* const tgt = find_device_by_name(fs, name);
    if (tgt == nullptr) {
        fs.message("error", "target device " + std::string(name) + " is invalid!");
        return Errno::NoEnt;
    }
    const sim::MutexGuard guard(fs.device_list_mutex);
    tgt->obj.write();
    if (tgt->in_fs_devices) {
        fs.message("error", "target device is in the filesystem!");
        return Errno::Exist;
    }
    if (tgt->total_bytes < src.total_bytes) {
        fs.message("error", "target device is smaller than source device!");
        return Errno::Inval;
    }
    tgt->devid = dev_replace_devid;
    tgt->dev_state.store((1U << dev_state::writeable) | (1U << dev_state::in_fs_metadata) |
                         (1U << dev_state::replace_tgt));
    tgt->sizes_obj.write();
    copy_sizes(src, *tgt);
    tgt->alloc_state.clear();
    reset_all_zones(*tgt);
    tgt->in_fs_devices = true;
    fs.fs_devices.devices.push_back(tgt);
    ++fs.fs_devices.num_devices;
    ++fs.fs_devices.open_devices;
    return tgt;
}

void leave_device_lists(FsInfo& fs, Device& device) {
    device.obj.write();
    device.in_fs_devices = false;
    std::erase(fs.fs_devices.devices, &device);
    --fs.fs_devices.num_devices;
    --fs.fs_devices.open_devices;
    if (!device.on_alloc_list) return;
    device.on_alloc_list = false;
    --fs.fs_devices.rw_devices;
}

/// Each copy loses its magic, so that nobody takes the device for part of the filesystem. Mirrors
/// btrfs_scratch_superblocks().
void scratch_super_blocks(Device& device) {
    for (const u64 offset : super_offsets(device.total_bytes)) {
        Vector<Sector> sector(1);
        if (!device_io_wait(device, MapOp::Read, offset, sector) || sector[0].bytes == nullptr)
            continue;
        auto super = load<SuperBlock>(sector[0].bytes);
        std::memset(super.magic, 0, sizeof(super.magic));
        sector[0].bytes = SectorBytes::copy_of(&super);
        static_cast<void>(
            device_io_wait(device, MapOp::Write, offset, sector).ok());  // the kernel warns
    }
}

/// Mirrors btrfs_destroy_dev_replace_tgtdev().
void destroy_target(FsInfo& fs, Device& tgt) {
    {
        const sim::MutexGuard guard(fs.device_list_mutex);
        leave_device_lists(fs, tgt);
    }
    scratch_super_blocks(tgt);
    tgt.dev_state.store(0);
}

// ---- start
// ---------------------------------------------------------------------------------------

Result<void> start_and_commit(FsInfo& fs, unsigned num_items) {
    const auto trans = start_transaction(*fs.tree_root, num_items);
    if (!trans) return trans.error();
    return commit_transaction(*trans);
}

/// What ran before the replace is written with the sizes that devices have then.
Result<void> commit_running(FsInfo& fs) {
    const auto trans = attach_transaction(*fs.tree_root);
    if (trans) return commit_transaction(*trans);
    if (trans.error() == Errno::NoEnt) return {};
    return trans.error();
}

/// chunk_mutex is held. @return whether a chunk was made that no commit root names yet
bool has_pending_chunk(FsInfo& fs) {
    const sim::SpinGuard guard(fs.trans_lock);
    fs.trans_obj.read();
    return fs.running_transaction != nullptr && !fs.running_transaction->dev_update_list.empty();
}

/// Each group that has a place on the source is to be copied. Mirrors mark_block_group_to_copy().
Result<void> mark_block_groups_to_copy(FsInfo& fs, const Device& src) {
    sim::Scope scope("mark_block_group_to_copy");
    fs.chunk_mutex.lock();
    while (has_pending_chunk(fs)) {
        fs.chunk_mutex.unlock();
        if (const auto committed = commit_running(fs); !committed) return committed;
        fs.chunk_mutex.lock();
    }
    Result<void> result;
    for (u64 from = 0;;) {
        const auto found = next_dev_extent(fs, src.devid, from);
        if (!found) result = found.error();
        if (!found || !(*found).has_value()) break;
        if (BlockGroup* const bg = lookup_block_group(fs, (**found).chunk_offset))
            bg->runtime_flags.set_bit(bg_runtime::to_copy);
        from = (**found).physical + (**found).length;
    }
    fs.chunk_mutex.unlock();
    return result;
}

/// From here on whoever maps a write of the source gets the target as well.
/// @return Busy if a replace is going on already
Result<void> enter_started(FsInfo& fs, Device& src, Device& tgt) {
    DevReplace& replace = fs.dev_replace;
    const sim::WriteGuard guard(replace.rwsem);
    replace.obj.write();
    if (replace.is_ongoing()) return Errno::Busy;
    replace.cursor_obj.write();
    replace.srcdev = &src;
    replace.tgtdev = &tgt;
    fs.message("info", replace_text(src, tgt) + " started");
    replace.replace_state = ReplaceState::Started;
    replace.first_new_chunk = find_next_chunk(fs);
    replace.cursor_left = replace.cursor_right = 0;
    replace.committed_cursor_left = replace.cursor_left_last_write_of_item = 0;
    replace.num_write_errors = replace.num_uncorrectable_read_errors = 0;
    replace.is_valid = replace.item_needs_writeback = true;
    return {};
}

/// The commit that copying builds on could not be started.
void leave_started(FsInfo& fs) {
    DevReplace& replace = fs.dev_replace;
    const sim::WriteGuard guard(replace.rwsem);
    replace.obj.write();
    replace.srcdev = replace.tgtdev = nullptr;
    if (fs.has(fix::replace_start_error_path)) replace.replace_state = ReplaceState::NeverStarted;
}

/// Data written to the source alone is in ordered extents, metadata in this commit or an older one:
/// when both have been waited for, everything that was written to the source alone is in the commit
/// root.
Result<void> settle_what_came_before(FsInfo& fs) {
    if (!fs.has(fix::no_start_wait)) wait_ordered_roots(fs, Bytenr(0), whole_filesystem);
    if (fs.has(fix::no_start_commit)) return {};
    const auto trans = start_transaction(*fs.tree_root, 1);
    if (!trans) return trans.error();
    // The kernel only warns when this commit fails, and goes on.
    static_cast<void>(commit_transaction(*trans).ok());
    return {};
}

// ---- finishing
// -----------------------------------------------------------------------------------

/// 3.6 steps 2 to 4: returns with device_list_mutex and chunk_mutex held, and with no chunk
/// allocated on the source that is not committed.
Result<void> stop_allocation(FsInfo& fs, Device& src) {
    if (const auto started = start_delalloc_roots(fs); !started) return started;
    wait_ordered_roots(fs, Bytenr(0), whole_filesystem);
    for (;;) {
        const auto trans = start_transaction(*fs.tree_root, 0);
        if (!trans) return trans.error();
        static_cast<void>(commit_transaction(*trans).ok());  // the kernel warns and goes on
        fs.device_list_mutex.lock();
        fs.chunk_mutex.lock();
        src.sizes_obj.read();
        if (!src.post_commit || !fs.has(fix::pending_chunk_loop)) return {};
        fs.chunk_mutex.unlock();
        fs.device_list_mutex.unlock();
    }
}

/// The allocator learns which places of the target are taken. Mirrors
/// btrfs_set_target_alloc_state(). Up to 5.1 it did not keep them in memory, so there was nothing
/// to copy.
void set_target_alloc_state(FsInfo& fs, const Device& src, Device& tgt) {
    const bool kept_in_memory = fs.kernel.at_least(5, 2);
    if (kept_in_memory && !fs.has(fix::copy_alloc_state)) return;
    tgt.sizes_obj.write();
    tgt.alloc_state = src.alloc_state;
}

/// Mirrors btrfs_dev_replace_update_device_in_mapping_tree().
void update_device_in_mapping_tree(FsInfo& fs, Device& src, Device& tgt) {
    const sim::SpinGuard guard(fs.mapping_tree_lock);
    for (const auto& [start, map] : fs.mapping_tree) {
        map->obj.write();
        for (Stripe& stripe : map->stripes)
            if (stripe.dev == &src) stripe.dev = &tgt;
    }
}

/// The target becomes the device that the source was.
void take_over_identity(FsInfo& fs, Device& src, Device& tgt) {
    tgt.obj.write();
    src.obj.write();
    tgt.dev_state.clear_bit(dev_state::replace_tgt);
    tgt.devid = src.devid;
    src.devid = dev_replace_devid;
    std::swap_ranges(std::begin(src.uuid), std::end(src.uuid), std::begin(tgt.uuid));
    tgt.sizes_obj.write();
    copy_sizes(src, tgt);
    tgt.on_alloc_list = true;
    ++fs.fs_devices.rw_devices;
}

/// Bios mapped before the maps were rewritten still go to the source; it stays until they are done.
void remove_source(FsInfo& fs, Device& src) {
    rm_dev_replace_blocked(fs);
    leave_device_lists(fs, src);
    rm_dev_replace_unblocked(fs);
}

/// The rwsem is held for writing, chunk_mutex and device_list_mutex as well. @return NoEnt after
/// nothing, as the kernel
void swap_devices(FsInfo& fs, Device& src, Device& tgt) {
    check_replace_finished(fs, src, tgt);
    set_target_alloc_state(fs, src, tgt);
    if (fs.zoned != nullptr)
        tgt.drive->active_zones_left.store(src.drive->active_zones_left.load());
    update_device_in_mapping_tree(fs, src, tgt);
    const std::string text = replace_text(src, tgt);
    take_over_identity(fs, src, tgt);
    fs.message("info", text + " finished");
    if (fs.has(fix::unlock_before_blocking)) {
        fs.dev_replace.rwsem.up_write();
        remove_source(fs, src);
    } else {
        remove_source(
            fs, src);  // a submitter that holds the counter waits for the semaphore: 12b894cb288d
        fs.dev_replace.rwsem.up_write();
    }
    fs.chunk_mutex.unlock();
    fs.device_list_mutex.unlock();
}

/// Copying failed: the target goes. The locks as in swap_devices().
void give_up_target(FsInfo& fs, Device& src, Device& tgt, Errno error) {
    if (error != Errno::Canceled)
        fs.message("error", "btrfs_scrub_dev(" + device_path(src) + ", " +
                                std::to_string(src.devid) + ", " + device_path(tgt) + ") failed -" +
                                std::to_string(static_cast<int>(error)));
    fs.dev_replace.rwsem.up_write();
    fs.chunk_mutex.unlock();
    fs.device_list_mutex.unlock();
    rm_dev_replace_blocked(fs);
    destroy_target(fs, tgt);
    rm_dev_replace_unblocked(fs);
}

}  // namespace

Result<void> dev_replace_finishing(FsInfo& fs, Result<void> scrub) {
    sim::Scope scope("btrfs_dev_replace_finishing");
    DevReplace& replace = fs.dev_replace;
    const sim::MutexGuard finishing(replace.lock_finishing_cancel_unmount);
    replace.rwsem.down_read();
    replace.obj.read();
    Device* const src = replace.srcdev;
    Device* const tgt = replace.tgtdev;
    const bool started = replace.replace_state == ReplaceState::Started;
    replace.rwsem.up_read();
    if (!started) return {};
    // After an error of the filesystem this returns with the state STARTED and the target in place,
    // as the kernel does.
    if (const auto stopped = stop_allocation(fs, *src); !stopped) return stopped;

    replace.rwsem.down_write();
    replace.obj.write();
    replace.cursor_obj.write();
    replace.replace_state = scrub ? ReplaceState::Finished : ReplaceState::Canceled;
    replace.srcdev = replace.tgtdev = nullptr;
    replace.item_needs_writeback = true;
    if (!scrub) {
        give_up_target(fs, *src, *tgt, scrub.error());
        return scrub;
    }
    const bool src_writeable = src->test(dev_state::writeable);
    swap_devices(fs, *src, *tgt);
    if (src_writeable) scratch_super_blocks(*src);
    static_cast<void>(
        start_and_commit(fs, 0).ok());  // super blocks with the new device; the kernel warns
    src->dev_state.store(0);
    return {};
}

namespace {

Result<void> dev_replace_start(FsInfo& fs, std::string_view srcdev_name,
                               std::string_view tgtdev_name) {
    sim::Scope scope("btrfs_dev_replace_start");
    Device* const src = find_device_by_name(fs, srcdev_name);
    if (src == nullptr || !src->in_fs_devices) return Errno::NoEnt;
    if (const auto committed = commit_running(fs); !committed) return committed;
    const auto tgt = init_target(fs, *src, tgtdev_name);
    if (!tgt) return tgt.error();
    if (fs.zoned != nullptr)  // on failure the target stays where it is, as in the kernel
        if (const auto marked = mark_block_groups_to_copy(fs, *src); !marked) return marked;
    if (const auto entered = enter_started(fs, *src, **tgt); !entered) {
        destroy_target(fs, **tgt);
        return entered;
    }
    if (const auto settled = settle_what_came_before(fs); !settled) {
        leave_started(fs);
        destroy_target(fs, **tgt);
        return settled;
    }
    const auto scrub = scrub_dev(fs, src->devid, 0, src->total_bytes, true);
    return dev_replace_finishing(fs, scrub);
}

}  // namespace

Result<void> dev_replace_by_ioctl(FsInfo& fs, std::string_view srcdev_name,
                                  std::string_view tgtdev_name) {
    u32 none = 0;
    if (!fs.dev_replace.exclusive_operation.compare_exchange(none, 1)) return Errno::InProgress;
    const auto done = dev_replace_start(fs, srcdev_name, tgtdev_name);
    fs.dev_replace.exclusive_operation.store(0);
    return done;
}

// ---- cancel
// --------------------------------------------------------------------------------------

namespace {

/// Nobody copies: the state alone changes. Mirrors the SUSPENDED case of
/// btrfs_dev_replace_cancel().
Result<void> cancel_suspended(FsInfo& fs) {
    DevReplace& replace = fs.dev_replace;
    Device* const src = replace.srcdev;
    Device* const tgt = replace.tgtdev;
    replace.srcdev = replace.tgtdev = nullptr;
    replace.replace_state = ReplaceState::Canceled;
    replace.cursor_obj.write();
    replace.item_needs_writeback = true;
    replace.rwsem.up_write();
    if (const auto committed = start_and_commit(fs, 0); !committed) return committed;
    if (src != nullptr && tgt != nullptr)
        fs.message("info", "suspended " + replace_text(*src, *tgt) + " canceled");
    if (tgt != nullptr) destroy_target(fs, *tgt);
    return {};
}

}  // namespace

Result<void> dev_replace_cancel(FsInfo& fs) {
    sim::Scope scope("btrfs_dev_replace_cancel");
    if (fs.readonly) return Errno::Rofs;
    DevReplace& replace = fs.dev_replace;
    const sim::MutexGuard finishing(replace.lock_finishing_cancel_unmount);
    replace.rwsem.down_write();
    replace.obj.write();
    if (replace.replace_state == ReplaceState::Suspended) return cancel_suspended(fs);
    const bool started = replace.replace_state == ReplaceState::Started;
    const std::string text =
        started && replace.srcdev != nullptr ? replace_text(*replace.srcdev, *replace.tgtdev) : "";
    replace.rwsem.up_write();
    if (!started) return Errno::NotConn;
    // The task that replaces finds the error and cleans up, in btrfs_dev_replace_finishing().
    if (const auto canceled = scrub_cancel(fs); !canceled) return canceled;
    fs.message("info", text + " canceled");
    return {};
}

void dev_replace_suspend_for_unmount(FsInfo& fs) {
    const sim::Scope scope("btrfs_dev_replace_suspend_for_unmount");
    DevReplace& replace = fs.dev_replace;
    const sim::MutexGuard finishing(replace.lock_finishing_cancel_unmount);
    const sim::WriteGuard guard(replace.rwsem);
    replace.obj.write();
    if (replace.replace_state != ReplaceState::Started) return;
    replace.cursor_obj.write();
    replace.replace_state = ReplaceState::Suspended;
    replace.item_needs_writeback = true;
    fs.message("info", "suspending dev_replace for unmount");
}

// ---- the item
// ------------------------------------------------------------------------------------

namespace {

/// The fields as they are now; what is written is also what a later mount resumes from.
DevReplaceItem item_of_progress(DevReplace& replace) {
    const sim::WriteGuard guard(replace.rwsem);
    replace.obj.read();
    replace.cursor_obj.write();
    replace.cursor_left_last_write_of_item = replace.cursor_left;
    replace.item_needs_writeback = false;
    DevReplaceItem item{};
    item.src_devid = replace.srcdev != nullptr ? replace.srcdev->devid : ~u64{0};
    item.cursor_left = replace.cursor_left;
    item.cursor_right = replace.cursor_right;
    item.replace_state = static_cast<u64>(replace.replace_state);
    item.num_write_errors = replace.num_write_errors;
    item.num_uncorrectable_read_errors = replace.num_uncorrectable_read_errors;
    return item;
}

bool item_must_be_written(DevReplace& replace) {
    const sim::ReadGuard guard(replace.rwsem);
    replace.obj.read();
    replace.cursor_obj.read();
    return replace.is_valid && replace.item_needs_writeback;
}

}  // namespace

Result<void> run_dev_replace(TransHandle& trans) {
    FsInfo& fs = trans.fs;
    if (!item_must_be_written(fs.dev_replace)) return {};
    sim::Scope scope("btrfs_run_dev_replace");
    Path path;
    const auto found = search_slot(&trans, *fs.dev_root, dev_replace_item_key, path, 0, true);
    if (!found) return found.error();
    if (!*found) {
        path.release();
        const auto inserted = insert_empty_item(trans, *fs.dev_root, path, dev_replace_item_key,
                                                sizeof(DevReplaceItem));
        if (!inserted) return inserted;
    }
    write_item(path, item_of_progress(fs.dev_replace));
    return {};
}

}  // namespace model
