// fs/btrfs/disk-io.c: close_ctree(), and fs/btrfs/volumes.c: what it does to the devices, 6.1.
//
// Left out: kernel threads and most workers (nothing of theirs outlives the call that it works
// for), unused block groups, freeing what is in memory, the FLUSH_SENT bit, missing devices.
#include "model/close_ctree.h"

#include "model/fixes.h"
#include "model/fs_info.h"
#include "model/reserve_ticket.h"
#include "sim/trace.h"

namespace model {
namespace {

/// Mirrors btrfs_commit_super().
Result<void> commit_super(FsInfo& fs) {
    const auto trans = join_transaction(*fs.tree_root);
    if (!trans) return trans.error();
    return commit_transaction(*trans);
}

void assert_pristine(bool holds, const char* expression) {
    if (!holds)
        sim::violation("bug-on/btrfs_close_one_device",
                       std::string("assertion failed: ") + expression);
}

/// The device stays known, and the next mount takes it as it was left: so it is to be as if it had
/// just been found. Before 5.6 it was thrown away, and another one came in its place. Up to 6.1 a
/// broken promise is an assertion, later a warning.
void check_pristine(const Device& device) {
    assert_pristine(!device.test(dev_state::flush_sent),
                    "!test_bit(BTRFS_DEV_STATE_FLUSH_SENT, &device->dev_state)");
    assert_pristine(!device.test(dev_state::replace_tgt),
                    "!test_bit(BTRFS_DEV_STATE_REPLACE_TGT, &device->dev_state)");
    assert_pristine(!device.on_alloc_list, "list_empty(&device->dev_alloc_list)");
    assert_pristine(!device.post_commit, "list_empty(&device->post_commit_list)");
}

/// Mirrors btrfs_close_one_device().
void close_one_device(FsInfo& fs, Device& device) {
    const sim::Scope scope("btrfs_close_one_device");
    device.obj.write();
    if (device.test(dev_state::writeable) && device.devid != dev_replace_devid) {
        device.on_alloc_list = false;
        --fs.fs_devices.rw_devices;
    }
    if (device.devid == dev_replace_devid && fs.has(fix::close_resets_target))
        device.dev_state.clear_bit(dev_state::replace_tgt);
    --fs.fs_devices.open_devices;
    device.dev_state.clear_bit(dev_state::writeable);
    device.sizes_obj.write();
    device.alloc_state.clear();
    if (fs.has(fix::close_keeps_device)) return check_pristine(device);
    device.dev_state.store(0);
}

/// Mirrors close_fs_devices().
void close_fs_devices(FsInfo& fs) {
    const sim::MutexGuard guard(fs.device_list_mutex);
    for (Device* const device : fs.fs_devices.devices)
        close_one_device(fs, *device);
}

}  // namespace

void close_ctree(FsInfo& fs) {
    const sim::Scope scope("close_ctree");
    static_cast<void>(balance_pause(fs).ok());  // NotConn: none was running
    dev_replace_suspend_for_unmount(fs);
    static_cast<void>(scrub_cancel(fs).ok());
    for (SpaceInfo* const info : fs.space_infos)
        cancel_async_reclaim(*info);
    if (!fs.readonly)
        if (const auto committed = commit_super(fs); !committed)
            fs.message("error",
                       "commit super ret -" + std::to_string(static_cast<int>(committed.error())));
    if (fs.has_error()) cleanup_transactions(fs);  // btrfs_error_commit_super()
    fs.flags.clear_bit(fs_flag::open);
    close_fs_devices(fs);
}

}  // namespace model
