// What must hold when all tasks have ended: the running trees with what is queued are consistent,
// and nothing was left behind.
#include <algorithm>
#include <deque>

#include "model/disk_io.h"
#include "model/fs_info.h"
#include "model/invariant_state.h"
#include "model/invariants.h"
#include "model/medium.h"
#include "model/probes.h"

namespace model {
namespace {

const Evaluation running_block_group_used{"block-group-used"}, free_space_exact{"free-space-exact"},
    nothing_left_behind{"nothing-left-behind"}, readonly_restored{"readonly-restored"},
    no_abort{"no-abort"}, freed_block_level{"freed-block-level"},
    commit_completes{"commit-completes"};

// ---- the running trees
// ---------------------------------------------------------------------------

/// Gives out blocks as the filesystem sees them: the cached buffer, else what a read would return.
class MemorySource final : public BlockSource {
  public:
    explicit MemorySource(const FsInfo& fs) : fs_(fs) {}
    const unsigned char* block(const BlockPointer& pointer, std::string& problem) override {
        const auto cached = fs_.buffer_radix.find(pointer.bytenr);
        if (cached != fs_.buffer_radix.end() && cached->second->has_flag(eb_flag::uptodate))
            return cached->second->data;
        auto read = peek_tree_block(fs_, Bytenr(pointer.bytenr));
        if (read.empty()) {
            problem = "has no good copy";
            return nullptr;
        }
        return read_.emplace_back(std::move(read)).data();
    }

  private:
    const FsInfo& fs_;
    std::deque<std::vector<unsigned char>> read_;
};

BlockPointer pointer_to(const ExtentBuffer& eb) {
    BlockPointer pointer;
    pointer.bytenr = eb.start.get();
    pointer.generation = eb.generation().get();
    pointer.level = eb.level();
    return pointer;
}

TreeImage running_image(const FsInfo& fs) {
    MemorySource source(fs);
    RootOverrides in_memory;
    for (const Root* const root : {fs.extent_root, fs.dev_root, fs.csum_root})
        in_memory[root->objectid] = pointer_to(*root->node);
    for (const auto& [id, root] : fs.fs_roots)
        in_memory[id] = pointer_to(*root->node);
    return read_trees(
        fs, source, {pointer_to(*fs.tree_root->node), pointer_to(*fs.chunk_root->node)}, in_memory);
}

QueuedRefs queued_refs(const FsInfo& fs) {
    QueuedRefs queued;
    for (const Transaction* const transaction : fs.trans_list)
        for (const auto& [bytenr, head] : transaction->delayed_refs.heads)
            queued[bytenr] += head->ref_mod;
    return queued;
}

std::string group_text(const BlockGroup& bg) {
    return "block group " + number(bg.start.get());
}

u64 extents_in(const TreeImage& image, const BlockGroup& bg) {
    u64 bytes = 0;
    for (const auto& extent : image.extents)
        if (extent.start >= bg.start.get() && extent.start < bg.end().get()) bytes += extent.length;
    return bytes;
}

void check_groups_exact(const FsInfo& fs, const TreeImage& image) {
    running_block_group_used.count();
    free_space_exact.count();
    for (const auto& [start, bg] : fs.block_groups) {
        if (const u64 extents = extents_in(image, *bg); bg->used != extents)
            return sim::violation("block-group-used", group_text(*bg) + ": used is " +
                                                          number(bg->used) + ", extents take " +
                                                          number(extents));
        u64 free = 0;
        for (const auto& [from, length] : bg->free_space)
            free += length;
        if (bg->zoned != nullptr)
            free = bg->zoned->zone_capacity - bg->zoned->alloc_offset + bg->zone_unusable();
        if (free + bg->used + bg->reserved + bg->pinned + bg->bytes_super == bg->length) continue;
        return sim::violation("free-space-exact",
                              group_text(*bg) + ": free " + number(free) + ", used " +
                                  number(bg->used) + ", reserved " + number(bg->reserved) +
                                  ", pinned " + number(bg->pinned) + " of " + number(bg->length));
    }
}

void check_running(FsInfo& fs) {
    TreeImage image = running_image(fs);
    ImageProblem problem = image.problem;
    if (problem.invariant == nullptr) problem = check_references(image, queued_refs(fs));
    if (problem.invariant == nullptr) problem = check_csums_present(image);
    if (problem.invariant != nullptr)
        return sim::violation(problem.invariant, "running trees: " + problem.text);
    check_groups_exact(fs, image);
}

// ---- what was left behind
// ------------------------------------------------------------------------

/// @param whose  called only when there is something to tell
template <class Whose> void must_be_zero(u64 count, const char* what, Whose&& whose) {
    if (count != 0) sim::violation("nothing-left-behind", whose() + what + " is " + number(count));
}
void must_be_zero(u64 count, const char* what) {
    must_be_zero(count, what, [] { return std::string(); });
}

void check_group_counts(const BlockGroup& bg) {
    const auto who = [&] { return group_text(bg) + ": "; };
    if (bg.ro != 0)
        sim::violation("readonly-restored",
                       who() + "is still read-only, " + number(bg.ro) + " times");
    must_be_zero(bg.reservations.peek(), "reservations", who);
    must_be_zero(bg.nocow_writers.peek(), "nocow_writers", who);
    must_be_zero(bg.frozen, "frozen", who);
}

void check_device_counts(const Device& device) {
    const auto who = [&] { return device_path(device) + ": "; };
    must_be_zero(device.in_flight.size(), "number of writes in flight", who);
    must_be_zero(device.mapped.size(), "number of writes to be handed over", who);
    must_be_zero(device.scrub_ctx != nullptr ? 1 : 0, "scrub_ctx", who);
}

void check_left_behind(const FsInfo& fs) {
    for (const auto& [start, bg] : fs.block_groups)
        check_group_counts(*bg);
    for (const SpaceInfo* const info : fs.space_infos)
        must_be_zero(info->reclaim_size, "reclaim_size");
    for (const Device* const device : fs.fs_devices.all_devices)
        check_device_counts(*device);
    must_be_zero(fs.scrub.running.peek(), "scrubs_running");
    must_be_zero(fs.scrub.paused.peek(), "scrubs_paused");
    must_be_zero(fs.scrub.pause_req.peek(), "scrub_pause_req");
    must_be_zero(fs.scrub.cancel_req.peek(), "scrub_cancel_req");
    must_be_zero(fs.dev_replace.bio_counter.peek(), "bio_counter");
    must_be_zero(fs.fs_state.peek_bit(fs_state_bit::dev_replacing) ? 1 : 0, "DEV_REPLACING");
    // A paused balance keeps it.
    if (fs.balance.ctl == nullptr)
        must_be_zero(fs.dev_replace.exclusive_operation.peek(), "exclusive_operation");
    must_be_zero(fs.send.in_progress, "send_in_progress");
    must_be_zero(fs.reloc.ctl != nullptr ? 1 : 0, "reloc_ctl");
    must_be_zero(fs.flags.peek_bit(fs_flag::reloc_running) ? 1 : 0, "RELOC_RUNNING");
    for (const auto& [id, root] : fs.fs_roots) {
        must_be_zero(root->reloc_root != nullptr ? 1 : 0, "reloc_root");
        must_be_zero(root->send_dedupe.send_in_progress, "send_in_progress of a root");
        must_be_zero(root->send_dedupe.dedupe_in_progress, "dedupe_in_progress of a root");
    }
    if (fs.running_transaction != nullptr)
        must_be_zero(fs.running_transaction->num_writers.peek(), "num_writers");
}

/// An error of the filesystem is no violation when a device failed.
void check_aborted(const FsInfo& fs) {
    const auto failed = [](const Device* device) {
        return device->write_errors + device->read_errors + device->flush_errors > 0;
    };
    if (std::ranges::any_of(fs.fs_devices.all_devices, failed)) return;
    if (fs.invariants->commit_skipped)
        sim::violation("commit-completes", "a commit was given up, and no device had failed");
    sim::violation("no-abort", "the filesystem went read-only, and no device had failed");
}

void check_freed_levels(const FsInfo& fs) {
    freed_block_level.count();
    for (const auto& wrong : fs.invariants->wrong_levels)
        sim::violation("freed-block-level", "the reference to block " + number(wrong.bytenr) +
                                                " was dropped with level " + number(wrong.said) +
                                                ", the block had level " + number(wrong.level));
}

void check_what_is_left(FsInfo& fs) {
    if (committed_state(fs) == nullptr) return;
    readonly_restored.count();
    nothing_left_behind.count();
    no_abort.count();
    check_left_behind(fs);
    // After an abort the running state is thrown away: only what is committed counts.
    if (fs.fs_state.peek_bit(fs_state_bit::error)) return check_aborted(fs);
    check_freed_levels(fs);
    check_running(fs);
    check_files(fs);
}

}  // namespace

void check_skipped_commit(FsInfo& fs) {
    commit_completes.count();
    if (fs.invariants != nullptr) fs.invariants->commit_skipped = true;
}

void check_end(FsInfo& fs) {
    check_what_is_left(fs);
    if (fs.observer != nullptr) fs.observer->ended(fs);
}

}  // namespace model
