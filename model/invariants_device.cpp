// What must hold of single writes, allocations and frees: nothing that a crash would need is
// touched.
#include <algorithm>

#include "model/disk_io.h"
#include "model/fs_info.h"
#include "model/invariant_state.h"
#include "model/invariants.h"
#include "model/probes.h"

namespace model {
namespace {

const Evaluation committed_block_overwritten{"committed-block-overwritten"},
    super_order{"super-order"}, write_to_removed_device{"write-to-removed-device"},
    allocation_is_free{"allocation-is-free"}, unpin_unreachable{"unpin-unreachable"},
    zone_write_pointer{"zone-write-pointer"}, removed_group_empty{"removed-group-empty"};

std::string range_text(u64 start, u64 length) {
    return std::to_string(start) + " to " + std::to_string(start + length);
}

/// A part of a write that lies on a chunk.
struct ChunkPart {
    const ChunkMap* map;
    u64 stripe_physical;
    u64 start, length;  // logical
};

/// Where a physical range lies in the filesystem: one part for each chunk stripe that it overlaps.
template <class Visit>
void for_each_part(const FsInfo& fs, const Device& device, u64 physical, u64 length,
                   Visit&& visit) {
    for (const auto& [logical, map] : fs.mapping_tree) {
        for (const Stripe& stripe : map->stripes) {
            if (stripe.dev != &device) continue;
            const u64 from = std::max(physical, stripe.physical);
            const u64 to = std::min(physical + length, stripe.physical + map->length);
            if (from < to)
                visit(
                    ChunkPart{map, stripe.physical, logical + (from - stripe.physical), to - from});
        }
    }
}

/// Whether the medium still holds the committed block, because the write was of the same content.
bool holds_block(const FsInfo& fs, const Device& device, const ChunkPart& part,
                 const InvariantState::Range& range, u64 transid) {
    if (!range.metadata) return false;
    std::vector<unsigned char> block(fs.nodesize);
    const u64 physical = part.stripe_physical + (range.start - part.map->logical);
    for (u32 at = 0; at < fs.nodesize; at += sectorsize)
        expand_sector(medium_read(device, physical + at), block.data() + at);
    const auto header = load<HeaderItem>(block.data());
    return header.bytenr == range.start && header.generation <= transid &&
           is_sealed(block.data(), fs.nodesize);
}

void check_overwrite(const FsInfo& fs, const Device& device, const ChunkPart& part, bool metadata,
                     const InvariantState& state) {
    committed_block_overwritten.count();
    const u64 end = part.start + part.length;
    for (u64 from = part.start; from < end;) {
        const auto* const range = committed_overlap(state, from, end - from);
        if (range == nullptr) return;
        from = range->end();
        if (range->in_place && !metadata) continue;
        if (holds_block(fs, device, part, *range, state.transid)) continue;
        sim::violation("committed-block-overwritten",
                       std::string(metadata ? "metadata" : "data") + " written over " +
                           range_text(range->start, range->length) + " on " + device_path(device) +
                           ", which transaction " + std::to_string(state.transid) + " reaches");
    }
}

/// Super blocks reach a device in the order of their transactions.
void check_super_order(const Device& device, InvariantState& state) {
    super_order.count();
    const Sector sector = medium_read(device, super_info_offset);
    const SuperBlock* const super = super_of(sector);
    if (super == nullptr) {
        state.super_generations.erase(device.index);
        return;
    }
    u64& newest = state.super_generations[device.index];
    if (super->generation < newest)
        sim::violation("super-order", "super block " + std::to_string(super->generation) +
                                          " written to " + device_path(device) + " after " +
                                          std::to_string(newest));
    newest = super->generation;
}

bool is_super_offset(const Device& device, u64 physical) {
    const auto offsets = super_offsets(device.total_bytes);
    return std::ranges::find(offsets, physical) != offsets.end();
}

}  // namespace

const InvariantState::Range* committed_overlap(const InvariantState& state, u64 start, u64 length) {
    const auto after =
        std::ranges::lower_bound(state.ranges, start + length, {}, &InvariantState::Range::start);
    if (after == state.ranges.begin()) return nullptr;
    auto range = std::prev(after);
    if (range->end() <= start) return nullptr;
    while (range != state.ranges.begin() && std::prev(range)->end() > start)
        --range;
    return &*range;
}

InvariantState* committed_state(FsInfo& fs) {
    InvariantState* const state = fs.invariants;
    if (state == nullptr || state->examining) return nullptr;
    if (!fs.flags.peek_bit(fs_flag::open))
        return state;  // unmounted: no device is its own any more
    if (newest_durable_super(fs) == state->transid) return state;
    state->examining = true;
    const ImageProblem problem = examine_committed(fs, *state);
    state->examining = false;
    if (problem.invariant != nullptr)
        sim::violation(problem.invariant, "committed transaction " +
                                              std::to_string(state->transid) + ": " + problem.text);
    return state;
}

void check_device_write(FsInfo& fs, const Device& device, u64 physical, u32 sectors,
                        bool metadata) {
    InvariantState* const state = committed_state(fs);
    if (state == nullptr) return;
    if (physical == super_info_offset) return check_super_order(device, *state);
    write_to_removed_device.count();
    if (!device.in_fs_devices && !is_super_offset(device, physical))
        sim::violation("write-to-removed-device", "a write reaches " + device_path(device) +
                                                      ", which is not part of the filesystem");
    for_each_part(fs, device, physical, u64{sectors} * sectorsize, [&](const ChunkPart& part) {
        check_overwrite(fs, device, part, metadata, *state);
    });
}

void check_zone_write(const Device& device, bool taken, u64 physical, u64 expected) {
    if (device.fs.invariants == nullptr) return;
    zone_write_pointer.count();
    if (taken) return;
    sim::violation("zone-write-pointer",
                   device_path(device) + " refuses a write at " + std::to_string(physical) +
                       (physical == expected
                            ? ": its zone takes no more, or too many zones are open"
                            : ": the write pointer of its zone is at " + std::to_string(expected)));
}

void check_allocation(FsInfo& fs, Bytenr start, u64 bytes) {
    const InvariantState* const state = committed_state(fs);
    if (state == nullptr) return;
    allocation_is_free.count();
    const u64 from = start.get();
    const auto broken = [&](const std::string& how) {
        sim::violation("allocation-is-free", "allocation of " + range_text(from, bytes) + how);
    };
    const auto group = fs.block_groups.upper_bound(from);
    const BlockGroup* const bg =
        group == fs.block_groups.begin() ? nullptr : std::prev(group)->second;
    if (bg == nullptr || from + bytes > bg->end().get())
        return broken(" is not inside a block group");
    if (bg->ro > 0) return broken(": its block group is read-only");
    for (const Transaction* const transaction : fs.trans_list) {
        const auto after = transaction->pinned_extents.lower_bound(from + bytes);
        if (after == transaction->pinned_extents.begin() ||
            std::prev(after)->first + std::prev(after)->second <= from)
            continue;
        return broken(": pinned by transaction " + std::to_string(transaction->transid.get()));
    }
    if (const auto* const range = committed_overlap(*state, from, bytes))
        broken(": transaction " + std::to_string(state->transid) + " reaches " +
               range_text(range->start, range->length));
}

void check_freed_block(const ExtentBuffer& eb) {
    if (eb.fs.invariants == nullptr) return;
    if (eb.known_level == eb.level()) return;
    eb.fs.invariants->wrong_levels.push_back({eb.start.get(), eb.known_level, eb.level()});
    sim::note([&] {
        return "block " + std::to_string(eb.start.get()) + " of level " +
               std::to_string(eb.known_level) + " says that its level is " +
               std::to_string(eb.level());
    });
}

void check_removed_group(const BlockGroup& bg) {
    if (committed_state(bg.fs) == nullptr) return;
    removed_group_empty.count();
    if (bg.used + bg.reserved + bg.pinned == 0) return;
    sim::violation("removed-group-empty", "block group " + std::to_string(bg.start.get()) +
                                              " is removed with used " + std::to_string(bg.used) +
                                              ", reserved " + std::to_string(bg.reserved) +
                                              ", pinned " + std::to_string(bg.pinned));
}

void check_unpin(FsInfo& fs, Bytenr start, u64 bytes) {
    const InvariantState* const state = committed_state(fs);
    if (state == nullptr) return;
    unpin_unreachable.count();
    if (const auto* const range = committed_overlap(*state, start.get(), bytes))
        sim::violation("unpin-unreachable", "unpins " + range_text(start.get(), bytes) +
                                                ", but transaction " +
                                                std::to_string(state->transid) + " reaches " +
                                                range_text(range->start, range->length));
}

}  // namespace model
