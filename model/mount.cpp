// Stands for fs/namespace.c: a filesystem is unmounted when no call is under way in it. Left out:
// lazy unmounting, open files, the filesystem beneath.
#include "model/mount.h"

#include "model/close_ctree.h"
#include "model/fs_info.h"
#include "model/vfs.h"
#include "sim/trace.h"

namespace model {

bool enter_mount(FsInfo& fs) {
    if (fs.mount == nullptr) return true;
    u32 calls = fs.mount->calls.load();
    while (calls != Mount::gone && !fs.mount->calls.compare_exchange(calls, calls + 1)) {
    }
    return calls != Mount::gone;
}

void leave_mount(FsInfo& fs) {
    if (fs.mount != nullptr) fs.mount->calls.dec();
}

namespace vfs {

/// Mirrors sync_filesystem(), which passes by what is read-only.
Result<void> umount(FsInfo& fs) {
    const sim::Scope scope("umount");
    u32 calls = 0;
    if (fs.mount != nullptr && !fs.mount->calls.compare_exchange(calls, Mount::gone))
        return calls == Mount::gone ? Errno::Inval : Errno::Busy;
    if (!fs.readonly) static_cast<void>(sync(fs).ok());
    close_ctree(fs);
    return {};
}

}  // namespace vfs
}  // namespace model
