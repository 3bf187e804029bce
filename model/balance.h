#pragma once
#include <string_view>

#include "model/objects.h"
#include "model/types.h"
#include "sim/atomic.h"
#include "sim/mutex.h"
#include "sim/waitqueue.h"

namespace model {

struct Device;

/// Which chunks a balance takes: fs/btrfs/volumes.h, struct btrfs_balance_control.
struct BalanceControl {
    bool data = false, metadata = false;
    u64 enospc_errors = 0;
};

/// What a filesystem knows of its balance.
struct BalanceState {
    explicit BalanceState(FsInfo& fs);
    sim::Mutex balance_mutex;
    sim::Object obj;                // ctl: balance_mutex
    BalanceControl* ctl = nullptr;  // while a balance runs or is paused
    sim::Atomic<u32> pause_req, cancel_req;
    sim::WaitQueue wait;
};

/// Empties and removes every chunk of the kinds, from the highest address down; what is in them
/// goes elsewhere. @return InProgress: another exclusive operation runs; Canceled: paused or
/// cancelled; Again: excluded by a send. Mirrors btrfs_ioctl_balance() and btrfs_balance()
Result<void> balance_start(FsInfo& fs, bool data, bool metadata);
/// Goes on with a paused balance. @return NotConn: there is none
Result<void> balance_resume(FsInfo& fs);
/// At mount: a balance that was running or paused when the machine stopped is there again, paused.
/// Mirrors btrfs_recover_balance()
Result<void> recover_balance(FsInfo& fs);
/// Starts a task that goes on with it, if there is one. Mirrors btrfs_resume_balance_async()
void resume_balance_async(FsInfo& fs);
/// Stops a running balance after its chunk, and waits for that. @return NotConn: none runs
Result<void> balance_pause(FsInfo& fs);
/// Ends a running or paused balance. @return NotConn: there is none
Result<void> balance_cancel(FsInfo& fs);
/// Gives a device another size: what lies beyond a smaller one is moved. @return NoSpc, and the old
/// size, if there is no room elsewhere. Mirrors btrfs_ioctl_resize(), btrfs_shrink_device() and
/// btrfs_grow_device()
Result<void> resize_device(FsInfo& fs, std::string_view device, u64 size);

}  // namespace model
