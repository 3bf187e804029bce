#pragma once
#include <memory>

#include "model/format.h"
#include "model/objects.h"
#include "sim/atomic.h"
#include "sim/waitqueue.h"

namespace model {

struct Transaction;

namespace dev_state {  // BTRFS_DEV_STATE_*
inline constexpr unsigned writeable = 0, in_fs_metadata = 1, missing = 2, replace_tgt = 3, flush_sent = 4;
}

/// One 4096-byte sector of simulated data: an 8-byte word repeated 512 times. Metadata is held as whole bytes instead.
using DataWord = u64;

/// What a device holds at one place: a data sector or the 4096-byte piece of a tree block or super block.
struct Sector {
    DataWord word = 0;
    unsigned char* bytes = nullptr;  // not null: a metadata sector, 4096 bytes in the arena, immutable once written
};

/// model/disk: the medium behind a device. Completed writes land in the volatile cache; a flush or FUA makes them durable.
struct Disk {
    Map<u64, Sector> durable;   // by physical offset
    Map<u64, Sector> cached;    // completed, not flushed; what a read sees first
    Vector<u64> cache_order;    // physical offsets in order of completion since the last flush
    u64 writes = 0, flushes = 0;
};

/// fs/btrfs/volumes.h: struct btrfs_device.
struct Device {
    Device(FsInfo& fs, std::string_view name, u16 index, u64 total_bytes);
    FsInfo& fs;
    String name;   // "a"; its path in messages is /dev/NAME
    u16 index;     // position among the scenario's devices: its queue for default order of completions
    Devid devid = 0;
    u8 uuid[16]{};
    u64 total_bytes = 0, disk_total_bytes = 0, commit_total_bytes = 0;
    u64 bytes_used = 0, commit_bytes_used = 0;  // chunk_mutex
    sim::Object obj;
    sim::AtomicBits dev_state;
    Map<u64, u64> alloc_state;  // physical start -> length of CHUNK_ALLOCATED ranges; chunk_mutex
    bool on_alloc_list = false;  // may receive chunks
    bool in_fs_devices = false;  // on fs_devices->devices
    bool post_commit = false;    // on a transaction's dev_update_list
    struct ScrubCtx* scrub_ctx = nullptr;
    u32 write_errors = 0, read_errors = 0, flush_errors = 0;
    sim::Object queue_obj;       // submissions
    sim::Object medium_obj;      // content, by sector
    Disk disk;
    u64 read_latency_ns = 80'000, write_latency_ns = 20'000, flush_latency_ns = 500'000;
    bool test(unsigned bit) const { return ((dev_state.peek() >> bit) & 1) != 0; }
};

/// fs_info->fs_devices. Lists under device_list_mutex; num_devices as in the super block.
struct FsDevices {
    u8 fsid[16]{};
    Vector<Device*> devices;      // opened, devid 0 included
    Vector<Device*> all_devices;  // every device of the scenario, spares included; never changes
    u64 num_devices = 0, rw_devices = 0, open_devices = 0;
};
Device* find_device(FsInfo& fs, Devid devid);
Device* find_device_by_name(FsInfo& fs, std::string_view name);

// ---- requests to a device (the block layer) --------------------------------------------------------------------------------

enum class Req : u8 { Read, Write, Flush };
struct Bio;

/// One request of one bio to one device. Completes as an event of its own, in any order with others.
struct DevRequest {
    Req op = Req::Write;
    bool fua = false, preflush = false;
    Device* device = nullptr;
    u64 physical = 0;
    u32 sectors = 0;
};
/// Hands a request to the device. At its completion the medium is read or written, then `done(context, error)` runs in the
/// completion event. Data: `buffer[sector]`, owned by the caller until completion. Never sleeps.
void submit_request(const DevRequest& request, Sector* buffer, void (*done)(void* context, int error), void* context);
/// What a read of the device returns now: the cache over the durable content; zero where nothing was ever written.
Sector medium_read(const Device& device, u64 physical);

}  // namespace model
