// What must hold of the state that a durable super block reaches: read from the media, as a mount
// after a crash would.
#include <algorithm>
#include <deque>

#include "model/disk_io.h"
#include "model/file_item.h"
#include "model/fs_info.h"
#include "model/invariant_state.h"
#include "model/invariants.h"
#include "model/probes.h"

namespace model {
namespace {

const Evaluation committed_tree_intact{"committed-tree-intact"},
    super_matches_trees{"super-matches-trees"}, data_matches_checksum{"data-matches-checksum"},
    extents_disjoint{"extents-disjoint"}, extent_refs{"extent-refs"},
    block_group_used{"block-group-used"}, device_extents{"device-extents"},
    csums_present{"csums-present"}, super_on_every_device{"super-on-every-device"};

/// Devices that commits write super blocks to: a mount takes the newest, also that of a replace's
/// target.
bool holds_super_block(const Device& device) {
    return device.in_fs_devices && device.test(dev_state::in_fs_metadata) &&
           device.test(dev_state::writeable) && !device.test(dev_state::missing);
}

/// Devices that hold a part of the committed filesystem.
bool holds_filesystem(const Device& device) {
    return holds_super_block(device) && !device.test(dev_state::replace_tgt);
}

// ---- blocks from the media
// -----------------------------------------------------------------------

/// Gives out the first copy of a block. Of blocks newer than what was verified before, every copy
/// must be intact.
class MediumSource final : public BlockSource {
  public:
    MediumSource(const FsInfo& fs, u64 verified) : fs_(fs), verified_(verified) {}
    const unsigned char* block(const BlockPointer& pointer, std::string& problem) override;

  private:
    const unsigned char* copy_at(const Stripe& stripe, u64 offset);
    const unsigned char* assemble(const Stripe& stripe, u64 offset);

    const FsInfo& fs_;
    u64 verified_;
    std::deque<std::vector<unsigned char>> assembled_;  // blocks of sectors from several writes
};

const ChunkMap* chunk_at(const FsInfo& fs, u64 logical) {
    const auto after = fs.mapping_tree.upper_bound(logical);
    if (after == fs.mapping_tree.begin()) return nullptr;
    const ChunkMap* const map = std::prev(after)->second;
    return logical < map->logical + map->length ? map : nullptr;
}

/// Where the medium holds the whole block; null: it was never written.
const unsigned char* MediumSource::copy_at(const Stripe& stripe, u64 offset) {
    const u64 physical = stripe.physical + offset;
    const Sector* const first = durable_sector(*stripe.dev, physical);
    if (first == nullptr || first->bytes == nullptr) return nullptr;
    const unsigned char* const bytes = first->bytes;
    for (u32 at = sectorsize; at < fs_.nodesize; at += sectorsize) {
        const Sector* const next = durable_sector(*stripe.dev, physical + at);
        if (next == nullptr || next->bytes != bytes + at) return assemble(stripe, offset);
    }
    return bytes;
}

const unsigned char* MediumSource::assemble(const Stripe& stripe, u64 offset) {
    const u64 physical = stripe.physical + offset;
    auto& bytes = assembled_.emplace_back(fs_.nodesize);
    for (u32 at = 0; at < fs_.nodesize; at += sectorsize) {
        const Sector* const sector = durable_sector(*stripe.dev, physical + at);
        if (sector == nullptr || sector->bytes == nullptr) return nullptr;
        std::memcpy(bytes.data() + at, sector->bytes, sectorsize);
    }
    return bytes.data();
}

const unsigned char* MediumSource::block(const BlockPointer& pointer, std::string& problem) {
    const ChunkMap* const map = chunk_at(fs_, pointer.bytenr);
    if (map == nullptr) {
        problem = "is in no chunk";
        return nullptr;
    }
    const bool is_new = pointer.generation > verified_;
    const unsigned char* first = nullptr;
    for (const Stripe& stripe : map->stripes) {
        const unsigned char* const copy = copy_at(stripe, pointer.bytenr - map->logical);
        const bool same =
            copy != nullptr && (copy == first || !is_new || is_sealed(copy, fs_.nodesize));
        if (!same && stripe.dev->write_errors == 0) {
            problem = std::string(copy == nullptr ? "was never written to "
                                                  : "has a wrong checksum on ") +
                      device_path(*stripe.dev);
            return nullptr;
        }
        if (same && first == nullptr) first = copy;
        if (!is_new && first != nullptr) return first;
    }
    if (first == nullptr) problem = "has no good copy";
    return first;
}

// ---- super blocks
// --------------------------------------------------------------------------------

const SuperBlock* newest_super(const FsInfo& fs) {
    const SuperBlock* newest = nullptr;
    for (const Device* const device : fs.fs_devices.devices) {
        if (!holds_super_block(*device)) continue;
        const Sector* const sector = durable_sector(*device, super_info_offset);
        const SuperBlock* const super = sector == nullptr ? nullptr : super_of(*sector);
        if (super != nullptr && (newest == nullptr || super->generation > newest->generation))
            newest = super;
    }
    return newest;
}

ImageRoots roots_of(const SuperBlock& super) {
    ImageRoots roots;
    roots.root_tree.bytenr = super.root;
    roots.root_tree.generation = super.generation;
    roots.root_tree.level = super.root_level;
    roots.chunk_tree.bytenr = super.chunk_root;
    roots.chunk_tree.generation = super.chunk_root_generation;
    roots.chunk_tree.level = super.chunk_root_level;
    return roots;
}

ImageProblem check_super(const SuperBlock& super, const TreeImage& image) {
    super_matches_trees.count();
    u64 bytes_used = 0;
    for (const auto& extent : image.extents)
        bytes_used += extent.length;
    if (super.bytes_used != bytes_used)
        return {"super-matches-trees", "super block: bytes_used is " + number(super.bytes_used) +
                                           ", extents take " + number(bytes_used)};
    if (super.num_devices != image.dev_items.size())
        return {"super-matches-trees", "super block: num_devices is " + number(super.num_devices) +
                                           ", there are " + number(image.dev_items.size()) +
                                           " items"};
    return {};
}

// ---- data
// ----------------------------------------------------------------------------------------

const TreeImage::Checksums* checksums_at(const TreeImage& image, u64 logical) {
    const auto after =
        std::ranges::upper_bound(image.checksums, logical, {}, &TreeImage::Checksums::start);
    if (after == image.checksums.begin()) return nullptr;
    const auto& sums = *std::prev(after);
    return logical < sums.start + sums.sectors * sectorsize ? &sums : nullptr;
}

bool content_matches(const Stripe& stripe, u64 offset, u32 csum) {
    const Sector* const sector = durable_sector(*stripe.dev, stripe.physical + offset);
    if (sector == nullptr) return csum == csum_data_word(0);
    return csum == (sector->bytes != nullptr ? crc32c(sector->bytes, sectorsize)
                                             : csum_data_word(sector->word));
}

/// The data of one file extent that has checksums, on every device.
ImageProblem check_data(const FsInfo& fs, const TreeImage& image,
                        const TreeImage::FileExtent& extent) {
    const u64 start = extent.disk_bytenr + extent.offset;
    for (u64 logical = start; logical < start + extent.num_bytes; logical += sectorsize) {
        const auto* const sums = checksums_at(image, logical);
        const ChunkMap* const map = chunk_at(fs, logical);
        if (sums == nullptr || map == nullptr) continue;  // check_csums_present() reports it
        const u32 csum = load<u32>(sums->sums + (logical - sums->start) / sectorsize * sizeof(u32));
        for (const Stripe& stripe : map->stripes) {
            if (stripe.dev->write_errors > 0 ||
                content_matches(stripe, logical - map->logical, csum))
                continue;
            return {"data-matches-checksum", "data at logical " + number(logical) + " on " +
                                                 device_path(*stripe.dev) +
                                                 " is not what its checksum says"};
        }
    }
    return {};
}

ImageProblem check_new_data(const FsInfo& fs, const TreeImage& image, u64 verified) {
    data_matches_checksum.count();
    for (const auto& extent : image.file_extents) {
        const u64 written = image.relocated ? ~u64{0} : extent.generation;
        if (written <= verified || extent.prealloc || !extent.datasum) continue;
        if (auto problem = check_data(fs, image, extent); problem.invariant != nullptr)
            return problem;
    }
    return {};
}

// ---- what later checks need
// ----------------------------------------------------------------------

/// What a durable super block reaches: what is wrong with it, and its extents.
struct Committed {
    ImageProblem problem;
    std::vector<InvariantState::Range> ranges;
};

std::vector<InvariantState::Range> ranges_of(const TreeImage& image) {
    std::vector<u64> in_place;  // addresses of extents that may be overwritten
    for (const auto& extent : image.file_extents)
        if (extent.prealloc || extent.nodatacow) in_place.push_back(extent.disk_bytenr);
    std::ranges::sort(in_place);
    std::vector<InvariantState::Range> ranges;
    ranges.reserve(image.extents.size());
    for (const auto& extent : image.extents)
        ranges.push_back({extent.start, extent.length, !extent.is_data(),
                          std::ranges::binary_search(in_place, extent.start)});
    return ranges;
}

ImageProblem first_problem(const FsInfo& fs, const SuperBlock& super, TreeImage& image,
                           u64 verified) {
    committed_tree_intact.count();
    if (image.problem.invariant != nullptr) return image.problem;
    if (auto problem = check_references(image, {}); problem.invariant != nullptr) return problem;
    if (auto problem = check_space(image); problem.invariant != nullptr) return problem;
    if (auto problem = check_super(super, image); problem.invariant != nullptr) return problem;
    if (auto problem = check_csums_present(image); problem.invariant != nullptr) return problem;
    if (auto problem = check_unseen(image, super.generation); problem.invariant != nullptr)
        return problem;
    return check_new_data(fs, image, verified);
}

Committed read_committed(const FsInfo& fs, const SuperBlock& super, u64 verified) {
    MediumSource source(fs, verified);
    TreeImage image = read_trees(fs, source, roots_of(super));
    ImageProblem problem = first_problem(fs, super, image, verified);
    return {std::move(problem), ranges_of(image)};
}

}  // namespace

const SuperBlock* super_of(const Sector& sector) {
    if (sector.bytes == nullptr) return nullptr;
    const auto* const super =
        reinterpret_cast<const SuperBlock*>(static_cast<const unsigned char*>(sector.bytes));
    return std::memcmp(super->magic, "_BHRfS_M", sizeof(super->magic)) == 0 ? super : nullptr;
}

const Sector* durable_sector(const Device& device, u64 physical) {
    const auto found = device.disk.durable.find(physical);
    return found == device.disk.durable.end() ? nullptr : &found->second;
}

u64 newest_durable_super(const FsInfo& fs) {
    const SuperBlock* const super = newest_super(fs);
    return super == nullptr ? 0 : super->generation;
}

ImageProblem examine_committed(FsInfo& fs, InvariantState& state) {
    const SuperBlock* const super = newest_super(fs);
    if (super == nullptr) return {"super-matches-trees", "no device holds a super block"};
    if (!is_sealed(reinterpret_cast<const unsigned char*>(super), sizeof(SuperBlock)))
        return {"super-matches-trees", "the checksum of the newest super block is wrong"};
    const auto committed =
        sim::current().once<Committed>([&] { return read_committed(fs, *super, state.verified); });
    state.ranges.assign(committed->ranges.begin(), committed->ranges.end());
    state.transid = state.verified = super->generation;
    return committed->problem;
}

// ---- images in general
// ---------------------------------------------------------------------------

namespace {

std::string extent_text(const TreeImage::Extent& extent) {
    return "extent " + number(extent.start) + " " + number(extent.length);
}

/// One address: what its extent item says, what points to it, what is queued.
ImageProblem check_extent(const TreeImage::Extent& extent, u64 pointers, std::int64_t queued) {
    if (extent.listed != extent.refs)
        return {"extent-refs", extent_text(extent) + ": refs " + number(extent.refs) +
                                   ", its references are " + number(extent.listed)};
    const auto expected = static_cast<std::int64_t>(extent.refs) + queued;
    if (expected == static_cast<std::int64_t>(pointers)) return {};
    return {"extent-refs", extent_text(extent) + ": refs " + number(extent.refs) + " and " +
                               std::to_string(queued) + " queued, but " + number(pointers) +
                               " pointers from trees"};
}

ImageProblem check_disjoint(const std::vector<TreeImage::Extent>& extents) {
    for (std::size_t i = 1; i < extents.size(); ++i)
        if (extents[i - 1].start + extents[i - 1].length > extents[i].start)
            return {"extents-disjoint",
                    extent_text(extents[i - 1]) + " overlaps " + extent_text(extents[i])};
    return {};
}

/// References of one address.
struct Pointed {
    u64 count = 0, length = 0;
    Level level = 0;
};

Pointed take_references(const std::vector<TreeImage::Reference>& references, std::size_t& at,
                        u64 bytenr) {
    Pointed pointed;
    for (; at < references.size() && references[at].bytenr == bytenr; ++at) {
        ++pointed.count;
        pointed.length = references[at].length;
        pointed.level = references[at].level;
    }
    return pointed;
}

std::int64_t queued_for(const QueuedRefs& queued, u64 bytenr) {
    const auto found = queued.find(bytenr);
    return found == queued.end() ? 0 : found->second;
}

/// A reference to an address without an extent item: its item must be queued.
ImageProblem check_unlisted(const TreeImage::Reference& first, u64 count,
                            const QueuedRefs& queued) {
    if (queued_for(queued, first.bytenr) == static_cast<std::int64_t>(count)) return {};
    return {"extent-refs", std::string(first.is_data ? "data" : "tree block") + " at " +
                               number(first.bytenr) + " has " + number(count) +
                               " pointers, no extent item and " +
                               std::to_string(queued_for(queued, first.bytenr)) + " queued"};
}

}  // namespace

ImageProblem check_references(TreeImage& image, const QueuedRefs& queued) {
    extents_disjoint.count();
    extent_refs.count();
    if (auto problem = check_disjoint(image.extents); problem.invariant != nullptr) return problem;
    auto& references = image.references;
    std::ranges::sort(references, {}, &TreeImage::Reference::bytenr);
    std::size_t at = 0;
    for (const auto& extent : image.extents) {
        while (at < references.size() && references[at].bytenr < extent.start) {
            const auto& first = references[at];
            const Pointed unlisted = take_references(references, at, first.bytenr);
            if (auto problem = check_unlisted(first, unlisted.count, queued);
                problem.invariant != nullptr)
                return problem;
        }
        const Pointed pointed = take_references(references, at, extent.start);
        if (pointed.count > 0 && pointed.length != extent.length)
            return {"extent-refs",
                    extent_text(extent) + " is pointed to with length " + number(pointed.length)};
        if (pointed.count > 0 && !extent.is_data() && pointed.level != extent.level)
            return {"extent-refs", extent_text(extent) + " says level " + number(extent.level) +
                                       ", it is a tree block of level " + number(pointed.level)};
        auto problem = check_extent(extent, pointed.count, queued_for(queued, extent.start));
        if (problem.invariant != nullptr) return problem;
    }
    while (at < references.size()) {
        const auto& first = references[at];
        const Pointed unlisted = take_references(references, at, first.bytenr);
        if (auto problem = check_unlisted(first, unlisted.count, queued);
            problem.invariant != nullptr)
            return problem;
    }
    return {};
}

namespace {

ImageProblem check_groups(const TreeImage& image) {
    block_group_used.count();
    auto extent = image.extents.begin();
    for (const auto& group : image.groups) {
        u64 used = 0;
        if (extent != image.extents.end() && extent->start < group.start)
            return {"block-group-used", extent_text(*extent) + " is in no block group"};
        for (; extent != image.extents.end() && extent->start < group.start + group.length;
             ++extent)
            used += extent->length;
        if (used == group.used) continue;
        return {"block-group-used", "block group " + number(group.start) + ": used is " +
                                        number(group.used) + ", extents take " + number(used)};
    }
    if (extent != image.extents.end())
        return {"block-group-used", extent_text(*extent) + " is in no block group"};
    return {};
}

ImageProblem check_devices(const TreeImage& image) {
    device_extents.count();
    for (const auto& item : image.dev_items) {
        u64 used = 0;
        for (const auto& extent : image.dev_extents)
            if (extent.devid == item.devid) used += extent.length;
        if (used == item.bytes_used) continue;
        return {"device-extents", "device " + number(item.devid) + ": bytes_used is " +
                                      number(item.bytes_used) + ", dev extents take " +
                                      number(used)};
    }
    for (const auto& stripe : image.chunk_stripes) {
        const bool there = std::ranges::any_of(image.dev_extents, [&](const auto& e) {
            return e.devid == stripe.devid && e.physical == stripe.physical &&
                   e.chunk_offset == stripe.chunk_offset;
        });
        if (!there)
            return {"device-extents", "chunk " + number(stripe.chunk_offset) +
                                          " has no dev extent on device " + number(stripe.devid)};
    }
    if (image.chunk_stripes.size() == image.dev_extents.size()) return {};
    return {"device-extents", number(image.dev_extents.size()) + " dev extents for " +
                                  number(image.chunk_stripes.size()) + " stripes"};
}

}  // namespace

ImageProblem check_space(const TreeImage& image) {
    auto problem = check_groups(image);
    return problem.invariant != nullptr ? problem : check_devices(image);
}

ImageProblem check_csums_present(const TreeImage& image) {
    csums_present.count();
    for (const auto& extent : image.file_extents) {
        if (extent.prealloc || !extent.datasum) continue;
        const u64 end = extent.disk_bytenr + extent.offset + extent.num_bytes;
        for (u64 logical = extent.disk_bytenr + extent.offset; logical < end;) {
            const auto* const sums = checksums_at(image, logical);
            if (sums == nullptr)
                return {"csums-present", "data at logical " + number(logical) + " has no checksum"};
            logical = sums->start + sums->sectors * sectorsize;
        }
    }
    return {};
}

void check_commit_completed(FsInfo& fs) {
    InvariantState* const state = committed_state(fs);
    if (state == nullptr) return;
    super_on_every_device.count();
    for (const Device* const device : fs.fs_devices.devices) {
        if (!holds_filesystem(*device) || device->write_errors > 0) continue;
        const Sector* const sector = durable_sector(*device, super_info_offset);
        const SuperBlock* const super = sector == nullptr ? nullptr : super_of(*sector);
        if (super != nullptr && super->generation == state->transid) continue;
        sim::violation("super-on-every-device",
                       device_path(*device) + " does not hold the super block of transaction " +
                           number(state->transid));
    }
}

}  // namespace model
