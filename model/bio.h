#pragma once
#include <optional>

#include "model/volumes.h"
#include "sim/countdown.h"

namespace model {

struct Bio;

/// The part of a bio that goes to one device. Mirrors struct btrfs_io_stripe of an io context in
/// flight.
struct BioStripe {
    Bio* bio = nullptr;
    Stripe stripe;
    u64 append_place = 0;  // physical; where a zone append went
};

/// A bio of btrfs: one logical range inside one chunk, sent to every stripe of its mapping.
/// fs/btrfs/bio.c (6.2 on; volumes.c before).
struct Bio {
    explicit Bio(FsInfo& owner) : fs(owner) {}
    FsInfo& fs;
    MapOp op = MapOp::Read;
    Bytenr logical;
    Vector<Sector> sectors;
    u32 mirror = 0;
    bool metadata = false;
    bool append = false;  // REQ_OP_ZONE_APPEND: `logical` says which zone, the drive where in it
    Bytenr written;       // of an append, once it has ended: where it went. The last stripe's word
    void (*end_io)(Bio& bio) = nullptr;  // runs once, when the last stripe has ended
    void* context = nullptr;
    int error = 0;  // errno, negative, as the kernel's blk_status
    // While in flight:
    IoContext ioc;
    Vector<BioStripe> stripes;
    std::optional<sim::Countdown> stripes_pending;  // a bio with one stripe needs no count
    u32 errors = 0;
    /// Where the chunk begins on the device of a stripe: with single, the zone.
    u64 chunk_physical(const BioStripe& part) const {
        return part.stripe.physical - (logical.get() - ioc.chunk_logical);
    }
};
Bio& make_bio(FsInfo& fs, MapOp op, Bytenr logical, u32 sectors);
/// Takes the bio counter (waits while replace blocks bios), maps, and submits to each stripe; a
/// point lies before each. The bio frees itself after end_io. Mirrors btrfs_submit_bio().
void submit_bio(Bio& bio);
/// Ends a bio that was never submitted: end_io runs at once, in the caller. Mirrors
/// btrfs_bio_end_io().
void fail_bio(Bio& bio, Errno error);
/// submit_bio() and sleep until the end. @param read_result  receives what was read; may be null
/// @return the bio's error
Result<void> submit_bio_wait(Bio& bio, Vector<Sector>* read_result);
/// A failed request goes into the device's statistics, and the log. Mirrors
/// btrfs_dev_stat_inc_and_print()
void count_device_error(Device& device, bool write);
/// Sends sectors to one device at one place, without mapping, and sleeps until they are written or
/// read. For super blocks at mount, and the copier of a replace. The caller holds the bio counter
/// where the kernel does.
Result<void> device_io_wait(Device& device, MapOp op, u64 physical, Vector<Sector>& sectors);

}  // namespace model
