#pragma once
#include "model/volumes.h"

namespace model {

/// A bio of btrfs: one logical range inside one chunk, sent to every stripe of its mapping. fs/btrfs/bio.c (6.2 on; volumes.c before).
struct Bio {
    explicit Bio(FsInfo& owner) : fs(owner) {}
    FsInfo& fs;
    MapOp op = MapOp::Read;
    Bytenr logical;
    Vector<Sector> sectors;
    u32 mirror = 0;
    bool metadata = false;
    void (*end_io)(Bio& bio) = nullptr;  // runs once, in the completion event of the last stripe
    void* context = nullptr;
    int error = 0;  // errno, negative, as the kernel's blk_status
    // While in flight:
    IoContext ioc;
    u32 stripes_pending = 0, errors = 0;
};
Bio& make_bio(FsInfo& fs, MapOp op, Bytenr logical, u32 sectors);
/// Takes the bio counter (waits while replace blocks bios), maps, and submits to each stripe; a point lies before each.
/// The bio frees itself after end_io. Mirrors btrfs_submit_bio().
void submit_bio(Bio& bio);
/// submit_bio() and sleep until the end; @return the bio's error
Result<void> submit_bio_wait(Bio& bio, Vector<Sector>* read_result);

}  // namespace model
