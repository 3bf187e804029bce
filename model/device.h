#pragma once
#include <cstddef>
#include <utility>

#include "model/format.h"
#include "model/objects.h"
#include "model/zone.h"
#include "sim/atomic.h"
#include "sim/waitqueue.h"

namespace model {

struct Transaction;

namespace dev_state {  // BTRFS_DEV_STATE_*
inline constexpr unsigned writeable = 0, in_fs_metadata = 1, missing = 2, replace_tgt = 3,
                          flush_sent = 4;
}

/// One 4096-byte sector of simulated data: an 8-byte word repeated 512 times. Metadata is held as
/// whole bytes instead.
using DataWord = u64;

/// 4096 bytes in the arena that never change once written. Shared by whoever holds the same
/// content: the copies on several devices, a device's cache and its durable content, a bio in
/// flight. The sectors of one tree block lie side by side, so whoever has them all has the block.
class SectorBytes {
  public:
    SectorBytes() = default;
    SectorBytes(std::nullptr_t) {}  // NOLINT(google-explicit-constructor): no bytes
    static SectorBytes copy_of(const void* bytes, u32 sectors = 1);
    /// @param write  writes so many sectors' bytes to where it is told
    /// @return the first of them
    template <class Write> static SectorBytes make(u32 sectors, Write&& write) {
        SectorBytes first(allocate(sectors), 0);
        write(first.run_->bytes(0));
        first.run_->digest();
        return first;
    }
    /// The sector that many places on, of those that were made together.
    SectorBytes next(u32 places) const {
        ++run_->holders;
        return {run_, index_ + places};
    }
    SectorBytes(const SectorBytes& other) : run_(other.run_), index_(other.index_) {
        if (run_ != nullptr) ++run_->holders;
    }
    SectorBytes(SectorBytes&& other) noexcept
        : run_(std::exchange(other.run_, nullptr)), index_(other.index_) {}
    SectorBytes& operator=(SectorBytes other) noexcept {
        std::swap(run_, other.run_);
        std::swap(index_, other.index_);
        return *this;
    }
    ~SectorBytes() {
        if (run_ != nullptr && --run_->holders == 0) free(run_);
    }
    /// Digest of the content; there are bytes.
    u64 hash() const { return run_->hash(index_); }
    // NOLINTNEXTLINE(google-explicit-constructor): stands for its bytes
    operator const unsigned char*() const {
        return run_ == nullptr ? nullptr : run_->bytes(index_);
    }

  private:
    /// Followed by a digest of each sector, and their bytes.
    struct alignas(u64) Run {
        u32 holders, sectors;
        u64& hash(u32 index) { return reinterpret_cast<u64*>(this + 1)[index]; }
        unsigned char* bytes(u32 index) {
            return reinterpret_cast<unsigned char*>(this + 1) + sectors * sizeof(u64) +
                   std::size_t{index} * sectorsize;
        }
        void digest();
    };
    SectorBytes(Run* run, u32 index) : run_(run), index_(index) {}
    static Run* allocate(u32 sectors);
    static void free(Run* run) noexcept;

    Run* run_ = nullptr;
    u32 index_ = 0;
};

/// What a device holds at one place: a data sector or the 4096-byte piece of a tree block or super
/// block.
struct Sector {
    DataWord word = 0;
    SectorBytes bytes;  // not null: a metadata sector
};
/// The 4096 bytes that a sector stands for.
void expand_sector(const Sector& sector, unsigned char* bytes);
bool operator==(const Sector& a, const Sector& b);
/// Digest of the content; equal for equal sectors, whichever way they are held.
u64 sector_hash(const Sector& sector);
/// The same of a sector that is this word repeated, or these bytes.
u64 word_hash(DataWord word);
u64 bytes_hash(const unsigned char* bytes);

/// model/disk: the medium behind a device. Completed writes land in the volatile cache; a flush or
/// FUA makes them durable.
struct Disk {
    struct CachedWrite {
        u64 physical;
        Sector sector;
        u64 write;  // the sectors of one request have one number
    };
    Map<u64, Sector> durable;  // by physical offset
    Map<u64, Sector> cached;   // completed, not flushed; what a read sees first
    Vector<CachedWrite>
        cache_log;  // every cached write in order of completion: a crash keeps any of them
    u64 writes = 0, flushes = 0;
};

/// fs/btrfs/volumes.h: struct btrfs_device.
struct Device {
    Device(FsInfo& fs, std::string_view name, u16 index, u64 total_bytes);
    FsInfo& fs;
    String name;  // "a"; its path in messages is /dev/NAME
    u16 index;  // position among the scenario's devices: its queue for default order of completions
    Devid devid = 0;
    u8 uuid[16]{};
    u64 total_bytes = 0, disk_total_bytes = 0, commit_total_bytes = 0;
    u64 bytes_used = 0, commit_bytes_used = 0;  // chunk_mutex
    sim::Object
        obj;  // identity, membership of lists: device_list_mutex (and chunk_mutex to change)
    sim::Object sizes_obj;         // bytes_used, total_bytes, alloc_state: chunk_mutex
    sim::Object commit_sizes_obj;  // commit_total_bytes, commit_bytes_used: the committer
    sim::AtomicBits dev_state;
    Map<u64, u64> alloc_state;   // physical start -> length of CHUNK_ALLOCATED ranges
    bool on_alloc_list = false;  // may receive chunks
    bool in_fs_devices = false;  // on fs_devices->devices
    bool post_commit = false;    // on a transaction's dev_update_list
    struct ScrubCtx* scrub_ctx = nullptr;
    u32 write_errors = 0, read_errors = 0, flush_errors = 0, corruption_errors = 0,
        generation_errors = 0;  // BTRFS_DEV_STAT_*
    sim::Object queue_obj;      // submissions
    sim::Object medium_obj;     // content, by sector
    sim::Object cache_obj;      // what of it is volatile: a flush changes nothing that a read sees
    Disk disk;
    /// Writes that were handed to the device and have not taken effect, the newest last. For checks
    /// only.
    struct InFlight {
        u64 physical;
        u32 sectors;
        const Sector* buffer;
    };
    Vector<InFlight> in_flight;
    /// Writes that go to several devices, were mapped, and have not been handed to this one yet.
    /// For checks only.
    Vector<InFlight> mapped;
    bool offline = false;         // changes in a step that writes medium_obj and cache_obj
    ZonedDrive* drive = nullptr;  // null: a device that is written anywhere
    u64 read_latency_ns = 80'000, write_latency_ns = 20'000, flush_latency_ns = 500'000;
    bool test(unsigned bit) const { return dev_state.peek_bit(bit); }
};

/// Takes out a write, if it is there.
void take_out(Vector<Device::InFlight>& writes, u64 physical, const Sector* buffer);

/// fs_info->fs_devices. Lists under device_list_mutex; num_devices as in the super block.
struct FsDevices {
    u8 fsid[16]{};
    Vector<Device*> devices;      // opened, devid 0 included
    Vector<Device*> all_devices;  // every device of the scenario, spares included; never changes
    u64 num_devices = 0, rw_devices = 0, open_devices = 0;
};
Device* find_device(FsInfo& fs, Devid devid);                    // among the opened ones
Device* find_device_by_name(FsInfo& fs, std::string_view name);  // among all: "a" or "/dev/a"
/// A target counts as large and as full as its source. Both sizes are the caller's to change.
void copy_sizes(const Device& from, Device& to);
/// "/dev/a"
std::string device_path(const Device& device);

// ---- requests to a device (the block layer) -----------------------------------------------------

enum class Req : u8 { Read, Write, Flush };
struct Bio;

/// One request of one bio to one device. Completes as an event of its own, in any order with
/// others.
struct DevRequest {
    Req op = Req::Write;
    bool fua = false, preflush = false;
    Device* device = nullptr;
    u64 physical = 0;
    u32 sectors = 0;
    /// A zone append: `physical` is the beginning of the zone, and the place is stored here before
    /// `done` runs.
    u64* append_place = nullptr;
};
/// Whether its completion makes writes survive a crash.
inline bool makes_durable(const DevRequest& request) {
    return request.op == Req::Flush || request.fua || request.preflush;
}
/// Hands a request to the device. At its completion the medium is read or written, then
/// `done(context, error)` runs in the completion event. Data: `buffer[sector]`, owned by the caller
/// until completion. Never sleeps. The error is 0, or -EIO for a range that the device does not
/// have, a write that its zone does not take, or a device that is offline.
void submit_request(const DevRequest& request, Sector* buffer,
                    void (*done)(void* context, int error), void* context);
/// The drive is pulled out: from now on every request fails with -EIO, those included that were
/// handed to it and have not taken effect. What it holds stays.
void set_offline(Device& device);
/// What a read of the device returns now: the cache over the durable content; zero where nothing
/// was ever written.
Sector medium_read(const Device& device, u64 physical);
/// What the device holds for good at this moment: what a crash that loses the whole cache leaves.
Sector medium_durable(const Device& device, u64 physical);
/// Puts a sector on the medium, durably and at once: for mkfs and for images of a crash, not for
/// the running filesystem.
void medium_store(Device& device, u64 physical, const Sector& sector);

}  // namespace model
