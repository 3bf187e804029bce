#pragma once
#include <span>

#include "model/types.h"

namespace sim {
class Scheduler;
}

namespace model {

struct Device;

/// When a check runs, and what a reduction may claim for it (soundness rule 1).
enum class CheckClass : u8 { End, Visible, State };

/// One named promise of btrfs. None is about one bug.
struct Invariant {
    const char* name;      // "bg-counters"; the signature of its violations
    const char* sentence;
    CheckClass cls;
    const char* where;     // "every step", "commit completion", "replace finished", "end"
};
std::span<const Invariant> invariants();

/// Registers the per-object checks of every step with the scheduler.
void watch_invariants(FsInfo& fs, sim::Scheduler& scheduler);

// The expensive ones, called by the model where the documents say they must hold; each reports a violation itself.
void check_commit_completed(FsInfo& fs);   // references, space counters, committed trees, super blocks reach intact blocks
/// The state is FINISHED and no chunk is the target's yet: for every committed extent on the source, the target holds what the
/// source does, counting in what writes in flight will leave there.
void check_replace_finished(FsInfo& fs, const Device& src, const Device& tgt);
void check_end(FsInfo& fs);                // nothing left behind; files read back what was promised
void check_device_write(FsInfo& fs, const Device& device, u64 physical, u32 sectors, bool metadata);  // D1
void check_allocation(FsInfo& fs, Bytenr start, u64 bytes);  // never read-only, pinned or reachable from the last super
void check_unpin(FsInfo& fs, Bytenr start, u64 bytes);

}  // namespace model
