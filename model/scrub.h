#pragma once
#include "model/device.h"
#include "sim/mutex.h"
#include "sim/waitqueue.h"

namespace model {

/// fs_info's scrub fields, and the handshake with the committer (reference 3.1).
struct ScrubState {
    explicit ScrubState(FsInfo& fs);
    sim::Mutex lock;  // scrub_lock
    sim::Object obj;
    sim::Atomic<u32> running, paused, pause_req, cancel_req;
    sim::WaitQueue pause_wait;
};
/// One scrub or replace of one device. fs/btrfs/scrub.c: struct scrub_ctx.
struct ScrubCtx {
    FsInfo& fs;
    Device& dev;
    Device* wr_tgtdev = nullptr;
    bool is_dev_replace = false;
    sim::Atomic<u32> cancel_req;
    u64 csum_errors = 0, verify_errors = 0, read_errors = 0, uncorrectable_errors = 0, malloc_errors = 0, no_csum = 0;
};
void scrub_pause(FsInfo& fs);     // btrfs_scrub_pause: committer
void scrub_continue(FsInfo& fs);
Result<void> scrub_cancel(FsInfo& fs);  // NotConn when none runs
Result<void> scrub_dev(FsInfo& fs, Devid devid, u64 start, u64 end, bool is_dev_replace);

}  // namespace model
