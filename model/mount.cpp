// Stands for fs/namespace.c: a filesystem is unmounted when no call is under way in it. Left out:
// lazy unmounting, open files, the filesystem beneath.
#include "model/mount.h"

#include "model/close_ctree.h"
#include "model/fs_info.h"
#include "model/vfs.h"
#include "sim/trace.h"

namespace model {

MountGuard::MountGuard(FsInfo& fs) : mount_(fs.mount) {
    if (mount_ == nullptr) return;
    u32 calls = mount_->calls.load();
    while (calls != Mount::gone && !mount_->calls.compare_exchange(calls, calls + 1)) {
    }
    entered_ = calls != Mount::gone;
}

MountGuard::~MountGuard() {
    if (mount_ != nullptr && entered_) mount_->calls.dec();
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
