#include "model/invariants.h"

namespace model {

namespace {

using enum CheckClass;

constexpr const char* every_step = "every step";
constexpr const char* super_durable = "a new super block is durable";
constexpr const char* where_it_happens = "where it happens";
constexpr const char* at_end = "end";
constexpr const char* after_crash = "--crash-at";

constexpr Invariant all_invariants[] = {
    {"block-group-counters",
     "No counter of a block group is negative, and together they do not exceed its length.",
     Visible, every_step},
    {"space-info-sums", "The counters of a space_info are the sums of its block groups' counters.",
     State, every_step},
    {"space-info-limits",
     "Used, reserved, pinned and read-only bytes do not exceed the space, and nothing is promised "
     "twice over zero.",
     Visible, every_step},
    {"space-info-tickets",
     "What tickets lack is the sum of the queued ones, none of those is settled, and somebody "
     "flushes for those that sleep.",
     Visible, every_step},
    {"block-rsv", "A reserve that calls itself full holds what it wants; no reserve is negative.",
     Visible, every_step},
    {"ref-head-counts", "A reference head's sum is that of the references queued on it.", Visible,
     every_step},
    {"ref-root-counts", "The queue of references counts its heads, and those that nobody runs.",
     Visible, every_step},
    {"transaction-state",
     "A transaction's state goes forward only, one transaction at most is not unblocked, and a "
     "commit's critical section has no writer "
     "from outside.",
     State, every_step},
    {"scrub-counters", "No more scrubs are paused than run.", State, every_step},
    {"tree-block-sane",
     "A tree block in memory is where its header says, holds what fits, and its keys ascend.",
     Visible, every_step},

    {"super-matches-trees", "The super block counts the devices and bytes that the trees have.",
     Visible, super_durable},
    {"super-on-every-device", "After a commit every device holds its super block.", Visible,
     "commit completion"},
    {"super-order", "Super blocks reach a device in the order of their transactions.", Visible,
     where_it_happens},
    {"committed-tree-intact",
     "A durable super block reaches only blocks that are intact on the devices and are what their "
     "parents say.",
     Visible, super_durable},
    {"extent-refs", "An extent has as many references as its item says, lists, and trees hold.",
     Visible, super_durable},
    {"extents-disjoint", "No extent overlaps another.", Visible, super_durable},
    {"block-group-used", "A block group's used bytes are those of its extents.", Visible,
     super_durable},
    {"device-extents",
     "Every stripe of a chunk has its device extent, and a device's used bytes are those of its "
     "extents.",
     Visible, super_durable},
    {"csums-present", "Written data of files with checksums has them.", Visible, super_durable},
    {"data-matches-checksum", "Committed data is what its checksums say, on every device.", Visible,
     super_durable},

    {"headers-complete",
     "Committed tree blocks say that they were written and whose they are; root items have both "
     "generations.",
     Visible, super_durable},
    {"full-backref-is-needed",
     "No block that its own tree reaches has full back references, where nothing was relocated.",
     Visible, super_durable},
    {"backrefs-in-order", "Inline back references are in the order in which readers search them.",
     Visible, super_durable},
    {"csums-have-data", "There is no checksum for what is no data.", Visible, super_durable},
    {"file-extent-generation",
     "A file extent is not newer than the super block, nor older than its extent, unless that was "
     "relocated.",
     Visible, super_durable},

    {"committed-block-overwritten",
     "What the last durable super block reaches is not overwritten, but for data that is written "
     "in place by design.",
     Visible, where_it_happens},
    {"write-to-removed-device", "No write reaches a device that is not part of the filesystem.",
     Visible, where_it_happens},
    {"zone-write-pointer",
     "Zones are written at their write pointer, and no more of them are open than the drive "
     "allows.",
     Visible, where_it_happens},
    {"allocation-is-free",
     "Space that is handed out is not read-only, pinned, or reachable from the last durable super "
     "block.",
     Visible, where_it_happens},
    {"unpin-unreachable",
     "Space that is unpinned is not reachable from the last durable super block.", Visible,
     where_it_happens},
    {"removed-group-empty", "A block group that is removed is empty.", Visible, where_it_happens},
    {"dirty-transid", "A tree block that is changed belongs to the running transaction.", Visible,
     where_it_happens},
    {"write-under-writeback", "A tree block does not change while it is being written.", Visible,
     where_it_happens},
    {"use-after-free", "Nobody uses memory that was given back.", Visible, where_it_happens},
    {"null-dereference", "Nobody follows a null pointer.", Visible, where_it_happens},
    {"key-order", "An item goes where its key belongs.", Visible, where_it_happens},

    {"replace-target-equals-source",
     "When a replace is done, the target holds what the source holds, in every committed extent.",
     Visible, "replace finished"},

    {"read-returns-what-was-written",
     "A read returns what the last write before it, or one beside it, put there.", Visible,
     where_it_happens},

    {"send-stream-equals-snapshot", "What is received is what was sent.", Visible, "send ended"},
    {"send-completes",
     "A send that was let in does not fail while the devices work; its signature ends in what "
     "stopped it.",
     Visible, "send ended"},

    {"call-succeeds", "A call that its scenario marks with \"|| fail\" does not fail.", Visible,
     "call returned"},

    {"mounts-after-crash", "What a crash leaves can be mounted.", Visible, after_crash},
    {"replace-resumable",
     "A replace that was going on before a crash can go on after it: both its devices are found.",
     Visible, after_crash},
    {"replace-resumed", "A replace that a mount goes on with puts its target in place.", Visible,
     after_crash},
    {"last-super-block-wins",
     "After a crash the newest transaction is mounted whose super block was durable.", Visible,
     after_crash},
    {"promises-kept",
     "After a crash files and subvolumes are there that sync, fsync or their making had returned "
     "for, and hold what was promised or what was written since.",
     Visible, after_crash},
    {"btrfs-check", "btrfs check finds nothing wrong with the devices, in both modes.", Visible,
     "--check-images"},

    {"no-abort", "No transaction is aborted while the devices work.", End, at_end},
    {"commit-completes", "A commit that has begun comes to its end while the devices work.", End,
     at_end},
    {"freed-block-level",
     "A reference to a tree block is dropped with the level that the block has.", End, at_end},
    {"files-read-back",
     "Files hold what their writers put there, in the page cache and, where that is clean, on the "
     "devices.",
     End, at_end},
    {"free-space-exact",
     "Every byte of a block group is free, used, reserved, pinned or a super block's.", End,
     at_end},
    {"readonly-restored", "No block group stays read-only.", End, at_end},
    {"nothing-left-behind", "Counts of writers, scrubs, requests and handles are back to zero.",
     End, at_end},
};

}  // namespace

std::span<const Invariant> invariants() {
    return all_invariants;
}

}  // namespace model
