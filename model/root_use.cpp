// What 62d54f3a7fa2 (5.2) has sends (fs/btrfs/send.c) and deduplications (fs/btrfs/ioctl.c, later
// reflink.c) count on a root.
#include "model/root_use.h"

#include "model/fixes.h"
#include "model/fs_info.h"

namespace model {
namespace {

/// One more of `mine`, unless there are some of the other kind. @return how many of those
u32 count_unless(RootUse& use, u32& mine, const u32& others) {
    const sim::SpinGuard guard(use.root_item_lock);
    use.obj.write();
    if (others == 0) ++mine;
    return others;
}

void uncount(Root& root, u32& mine) {
    if (!root.fs.has(fix::send_excludes_dedupe)) return;
    const sim::SpinGuard guard(root.use.root_item_lock);
    root.use.obj.write();
    SIM_ASSERT(mine > 0);
    --mine;
}

std::string in_progress(u32 count) {
    return " (" + std::to_string(count) + " in progress)";
}

}  // namespace

RootUse::RootUse(Objectid root)
    : root_item_lock(lock_classes::root_item_lock, root), obj(objects::root_use, root, this) {}

Result<void> begin_send_of(Root& root) {
    if (!root.fs.has(fix::send_excludes_dedupe)) return {};
    const u32 dedupes =
        count_unless(root.use, root.use.send_in_progress, root.use.dedupe_in_progress);
    if (dedupes == 0) return {};
    root.fs.message("warning", "cannot use root " + std::to_string(root.objectid) +
                                   " for send while deduplications on it are in progress" +
                                   in_progress(dedupes));
    return Errno::Again;
}

void end_send_of(Root& root) {
    uncount(root, root.use.send_in_progress);
}

Result<void> begin_dedupe_of(Root& root) {
    if (!root.fs.has(fix::send_excludes_dedupe)) return {};
    const u32 sends =
        count_unless(root.use, root.use.dedupe_in_progress, root.use.send_in_progress);
    if (sends == 0) return {};
    root.fs.message("warning", "cannot deduplicate to root " + std::to_string(root.objectid) +
                                   " while send operations are using it" + in_progress(sends));
    return Errno::Again;
}

void end_dedupe_of(Root& root) {
    uncount(root, root.use.dedupe_in_progress);
}

}  // namespace model
