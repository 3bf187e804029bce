// P1: when a replace has finished, the target holds what the source holds, sector by sector, for
// every committed extent. What was written in place when the machine stopped may differ, as the
// copies of a mirror may: whether it is what was promised is for the ledger to say.
#include "model/fs_info.h"
#include "model/invariant_state.h"
#include "model/invariants.h"
#include "model/probes.h"

namespace model {
namespace {

const Evaluation replace_target_equals_source{"replace-target-equals-source"};

/// What the newest of these writes puts there; null: none does.
const Sector* last_written(const Vector<Device::InFlight>& writes, u64 physical) {
    for (auto write = writes.rbegin(); write != writes.rend(); ++write)
        if (physical >= write->physical &&
            physical < write->physical + u64{write->sectors} * sectorsize)
            return &write->buffer[(physical - write->physical) / sectorsize];
    return nullptr;
}

/// What a device will hold once the writes that are on their way have taken effect. A duplicated
/// write is on its way to both devices from the moment at which it was mapped, so it makes no
/// difference; one that goes to the source alone does.
Sector final_content(const Device& device, u64 physical) {
    for (const auto* const writes : {&device.mapped, &device.in_flight})
        if (const Sector* const sector = last_written(*writes, physical)) return *sector;
    return medium_read(device, physical);
}

void check_sector(const Device& src, const Device& tgt, const InvariantState::Range& range,
                  u64 logical, u64 physical) {
    if (final_content(src, physical) == final_content(tgt, physical)) return;
    sim::violation("replace-target-equals-source",
                   std::string(range.metadata   ? "metadata"
                               : range.in_place ? "nocow data"
                                                : "data") +
                       " at logical " + std::to_string(logical) + ": " + device_path(tgt) +
                       " does not hold what " + device_path(src) + " holds");
}

}  // namespace

void check_replace_finished(FsInfo& fs, const Device& src, const Device& tgt) {
    if (src.offline || tgt.offline) return;  // there was nothing to copy from, or to
    InvariantState* const state = committed_state(fs);
    if (state == nullptr) return;
    replace_target_equals_source.count();
    for (const auto& range : state->ranges) {
        const auto after = fs.mapping_tree.upper_bound(range.start);
        if (after == fs.mapping_tree.begin()) continue;
        const ChunkMap& map = *std::prev(after)->second;
        for (const Stripe& stripe : map.stripes) {
            if (stripe.dev != &src) continue;
            const u64 offset = stripe.physical - map.logical;
            if (range.in_place && range.start + offset < state->resumed_at) continue;
            for (u64 logical = range.start; logical < range.end(); logical += sectorsize)
                check_sector(src, tgt, range, logical, logical + offset);
        }
    }
    state->verified = 0;  // the next commit reads everything from the new device
}

}  // namespace model
