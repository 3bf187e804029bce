// fs/btrfs/bio.c (before 6.2: volumes.c, btrfs_map_bio): from a logical range to requests of
// devices and back.
//
// Left out: splitting at stripe boundaries (no profile of the model stripes), checksums on the way
// (the callers make them), repair of a bad copy by a read, RAID5/6.
#include "model/bio.h"

#include "model/fs_info.h"
#include "sim/completion.h"

namespace model {
namespace {

bool is_write(const Bio& bio) {
    return bio.op == MapOp::Write;
}

void end_bio(Bio& bio) {
    bio.end_io(bio);
    sim::destroy(&bio);
}

/// The last stripe has ended. Mirrors btrfs_orig_write_end_io(): the bio counter goes before
/// end_io.
void end_whole_bio(Bio& bio) {
    bio_counter_dec(bio.fs);
    bio.error = bio.errors > bio.ioc.max_errors ? io_error : 0;
    end_bio(bio);
}

/// Where the data went. Of two stripes the last one counts. Mirrors btrfs_record_physical_zoned(),
/// and the half of btrfs_rewrite_logical_zoned() that finds the logical address.
void note_append(const BioStripe& part) {
    Bio& bio = *part.bio;
    if (&part != &bio.stripes.back()) return;
    const u64 in_chunk = part.append_place - bio.chunk_physical(part);
    bio.written = Bytenr(bio.ioc.chunk_logical + in_chunk);
}

/// Completion event of one stripe. Mirrors btrfs_clone_write_end_io().
void stripe_end_io(void* context, int error) {
    BioStripe& part = *static_cast<BioStripe*>(context);
    Bio& bio = *part.bio;
    if (error != 0) {
        ++bio.errors;
        count_device_error(*part.stripe.dev, is_write(bio));
    }
    if (error == 0 && bio.append) note_append(part);
    if (bio.stripes_pending) return bio.stripes_pending->count_down();
    end_whole_bio(bio);
}

/// Mirrors submit_stripe_bio(): a missing device, or a write to one that takes none, fails without
/// a request.
void submit_stripe(BioStripe& part) {
    Bio& bio = *part.bio;
    Device& device = *part.stripe.dev;
    const bool refused =
        device.test(dev_state::missing) || (is_write(bio) && !device.test(dev_state::writeable));
    if (refused) {
        take_out(device.mapped, part.stripe.physical, bio.sectors.data());
        return stripe_end_io(&part, io_error);
    }
    DevRequest request{.op = is_write(bio) ? Req::Write : Req::Read,
                       .device = &device,
                       .physical = part.stripe.physical,
                       .sectors = static_cast<u32>(bio.sectors.size())};
    if (bio.append) {
        request.physical = bio.chunk_physical(part);
        request.append_place = &part.append_place;
    }
    submit_request(request, bio.sectors.data(), stripe_end_io, &part);
}

/// A write to several devices is on its way to all of them while it is handed to one after the
/// other. Of an append nobody knows yet where it goes.
void note_mapped(Bio& bio) {
    if (!is_write(bio) || bio.append) return;
    for (const BioStripe& part : bio.stripes)
        part.stripe.dev->mapped.push_back(
            {part.stripe.physical, static_cast<u32>(bio.sectors.size()), bio.sectors.data()});
}

/// Fixes the stripes that the bio goes to. From here on no change of the chunk map reaches it.
Result<void> map_bio(Bio& bio) {
    const u64 length = u64{bio.sectors.size()} * sectorsize;
    auto mapped = map_block(bio.fs, bio.op, bio.logical, length, bio.mirror);
    if (!mapped) return mapped.error();
    bio.ioc = std::move(*mapped);
    for (const Stripe& stripe : bio.ioc.stripes)
        bio.stripes.push_back({&bio, stripe});
    return {};
}

}  // namespace

void count_device_error(Device& device, bool write) {
    ++(write ? device.write_errors : device.read_errors);
    const auto count = [](u32 n) { return std::to_string(n); };
    device.fs.message(
        "error", "bdev " + device_path(device) + " errs: wr " + count(device.write_errors) +
                     ", rd " + count(device.read_errors) + ", flush " + count(device.flush_errors) +
                     ", corrupt " + count(device.corruption_errors) + ", gen " +
                     count(device.generation_errors));
}

Bio& make_bio(FsInfo& fs, MapOp op, Bytenr logical, u32 sectors) {
    Bio& bio = *sim::make<Bio>(fs);
    bio.op = op;
    bio.logical = logical;
    bio.sectors.resize(sectors);
    return bio;
}

void fail_bio(Bio& bio, Errno error) {
    bio.error = -static_cast<int>(error);
    end_bio(bio);
}

void submit_bio(Bio& bio) {
    sim::Scope scope("btrfs_submit_bio");
    FsInfo& fs = bio.fs;
    bio_counter_inc_blocked(fs);
    if (const auto mapped = map_bio(bio); !mapped) {
        bio_counter_dec(fs);
        return fail_bio(bio, mapped.error());
    }
    const std::size_t count = bio.stripes.size();
    if (count == 1) return submit_stripe(bio.stripes[0]);
    note_mapped(bio);
    // Once the last stripe has ended the bio goes, so nothing of it is read after the last submit.
    bio.stripes_pending.emplace(
        static_cast<unsigned>(count), "bio_done", [&bio] { end_whole_bio(bio); },
        bio.logical.get());
    BioStripe* const stripes = bio.stripes.data();
    for (std::size_t i = 0; i < count; ++i)
        submit_stripe(stripes[i]);
}

// ---- waiting ------------------------------------------------------------------------------------

namespace {

/// Lives on the stack of the waiting task.
struct BioWait {
    sim::Completion done;
    int error = 0;
    Vector<Sector>* read_result = nullptr;

    Result<void> wait() {
        done.wait();
        if (error != 0) return static_cast<Errno>(-error);
        return {};
    }
};

void wake_bio_waiter(Bio& bio) {
    BioWait& waiter = *static_cast<BioWait*>(bio.context);
    waiter.error = bio.error;
    if (waiter.read_result != nullptr) *waiter.read_result = std::move(bio.sectors);
    waiter.done.complete();
}

void wake_request_waiter(void* context, int error) {
    BioWait& waiter = *static_cast<BioWait*>(context);
    waiter.error = error;
    waiter.done.complete();
}

}  // namespace

Result<void> submit_bio_wait(Bio& bio, Vector<Sector>* read_result) {
    BioWait waiter;
    waiter.read_result = read_result;
    bio.context = &waiter;
    bio.end_io = wake_bio_waiter;
    submit_bio(bio);
    return waiter.wait();
}

Result<void> device_io_wait(Device& device, MapOp op, u64 physical, Vector<Sector>& sectors) {
    if (device.test(dev_state::missing)) return Errno::IO;
    BioWait waiter;
    const DevRequest request{.op = op == MapOp::Write ? Req::Write : Req::Read,
                             .device = &device,
                             .physical = physical,
                             .sectors = static_cast<u32>(sectors.size())};
    submit_request(request, sectors.data(), wake_request_waiter, &waiter);
    return waiter.wait();
}

}  // namespace model
