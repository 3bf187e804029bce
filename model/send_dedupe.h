#pragma once
#include "model/objects.h"
#include "model/types.h"
#include "sim/object.h"
#include "sim/spinlock.h"

namespace model {

struct Root;

/// Who reads a root that must not change, and who changes it though it is read-only.
/// fs/btrfs/ctree.h: the counts of struct btrfs_root.
struct SendDedupe {
    explicit SendDedupe(Objectid root);
    sim::Spinlock root_item_lock;
    sim::Object obj;  // both counts: root_item_lock
    u32 send_in_progress = 0, dedupe_in_progress = 0;
};

/// Before 62d54f3a7fa2 (5.2) they do not look at each other, and nothing is counted here.
/// @return Again: the root is deduplicated. Mirrors the start of btrfs_ioctl_send()
Result<void> begin_send_of(Root& root);
void end_send_of(Root& root);
/// @return Again: the root is sent. Mirrors the start of btrfs_extent_same()
Result<void> begin_dedupe_of(Root& root);
void end_dedupe_of(Root& root);

}  // namespace model
