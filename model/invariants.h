#pragma once
#include <span>

#include "model/types.h"

namespace sim {
class Scheduler;
}

namespace model {

struct BlockGroup;
struct Device;
struct ExtentBuffer;
struct Root;

/// When a check runs, and what a reduction may claim for it (soundness rule 1).
enum class CheckClass : u8 { End, Visible, State };

/// One named promise of btrfs. None is about one bug.
struct Invariant {
    const char* name;  // "block-group-counters"; the signature of its violations
    const char* sentence;
    CheckClass cls;
    const char* where;  // "every step", "commit completion", "replace finished", "end"
};
std::span<const Invariant> invariants();

/// Takes the state as it stands as the committed one, checks it, and registers the per-object
/// checks of every step with the scheduler. Called once the filesystem is mounted; before that, and
/// for a filesystem never watched, all checks do nothing.
void watch_invariants(FsInfo& fs, sim::Scheduler& scheduler);

// The expensive ones, called by the model where the documents say they must hold; each reports a
// violation itself. They look with peek() and at plain fields only: no access, no scheduling point.

/// The newest super block is durable and its transaction's blocks are not given back yet:
/// references, space counters, checksums, committed trees, super blocks.
void check_commit_completed(FsInfo& fs);
/// The state is FINISHED and no chunk is the target's yet: for every committed extent on the
/// source, the target holds what the source does, counting in what writes in flight will leave
/// there.
void check_replace_finished(FsInfo& fs, const Device& src, const Device& tgt);
/// All tasks have ended: nothing left behind, references with the queued ones are those of the
/// running trees.
void check_end(FsInfo& fs);
/// A write has taken effect: D1, a block reachable from the last durable super block is still what
/// it was.
void check_device_write(FsInfo& fs, const Device& device, u64 physical, u32 sectors, bool metadata);
/// A zoned drive takes a write, or refuses it: the write pointer of the zone was at `expected`.
void check_zone_write(const Device& device, bool taken, u64 physical, u64 expected);
/// In the step that took the range from its group: never read-only, pinned or reachable from the
/// last super block.
void check_allocation(FsInfo& fs, Bytenr start,
                      u64 bytes);  /// Before the write lock is dropped: whoever takes the block
                                   /// next finds its keys in order. Between,
/// they need not be (a leaf that was pushed empty, before its key leaves the parent).
void check_unlocked_block(ExtentBuffer& eb);
/// A commit that had begun is given up: remembered for the end.
void check_skipped_commit(FsInfo& fs);
/// A reference to the block is about to be dropped, with the level that its header says: remembers
/// a wrong one for the end, since the kernel goes on.
void check_freed_block(const ExtentBuffer& eb);
/// A task looks into a tree, or changes it: its memory was not given back before.
/// @param user  the kernel's function
void check_used_root(const Root& root, const char* user);
/// A task follows a pointer. @param user  the kernel's function
void check_followed(const void* pointer, const char* user);
/// The chunk of a group is about to be removed: nothing may be in it.
void check_removed_group(const BlockGroup& bg);
/// Before the range goes back to free space: not reachable from the last super block.
void check_unpin(FsInfo& fs, Bytenr start, u64 bytes);

}  // namespace model
