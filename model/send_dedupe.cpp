// What 62d54f3a7fa2 (5.2) has sends (fs/btrfs/send.c) and deduplications (fs/btrfs/ioctl.c, later
// reflink.c) count on a root.
#include "model/send_dedupe.h"

#include "model/fixes.h"
#include "model/fs_info.h"

namespace model {
namespace {

/// One more of `mine`, unless there are some of the other kind. @return how many of those
u32 count_unless(SendDedupe& counts, u32& mine, const u32& others) {
    const sim::SpinGuard guard(counts.root_item_lock);
    counts.obj.write();
    if (others == 0) ++mine;
    return others;
}

void uncount(Root& root, u32& mine) {
    if (!root.fs.has(fix::send_excludes_dedupe)) return;
    const sim::SpinGuard guard(root.send_dedupe.root_item_lock);
    root.send_dedupe.obj.write();
    SIM_ASSERT(mine > 0);
    --mine;
}

std::string in_progress(u32 count) {
    return " (" + std::to_string(count) + " in progress)";
}

}  // namespace

SendDedupe::SendDedupe(Objectid root)
    : root_item_lock(lock_classes::root_item_lock, root), obj(objects::send_dedupe, root, this) {}

Result<void> begin_send_of(Root& root) {
    if (!root.fs.has(fix::send_excludes_dedupe)) return {};
    const u32 dedupes = count_unless(root.send_dedupe, root.send_dedupe.send_in_progress,
                                     root.send_dedupe.dedupe_in_progress);
    if (dedupes == 0) return {};
    root.fs.message("warning", "cannot use root " + std::to_string(root.objectid) +
                                   " for send while deduplications on it are in progress" +
                                   in_progress(dedupes));
    return Errno::Again;
}

void end_send_of(Root& root) {
    uncount(root, root.send_dedupe.send_in_progress);
}

Result<void> begin_dedupe_of(Root& root) {
    if (!root.fs.has(fix::send_excludes_dedupe)) return {};
    const u32 sends = count_unless(root.send_dedupe, root.send_dedupe.dedupe_in_progress,
                                   root.send_dedupe.send_in_progress);
    if (sends == 0) return {};
    root.fs.message("warning", "cannot deduplicate to root " + std::to_string(root.objectid) +
                                   " while send operations are using it" + in_progress(sends));
    return Errno::Again;
}

void end_dedupe_of(Root& root) {
    uncount(root, root.send_dedupe.dedupe_in_progress);
}

}  // namespace model
