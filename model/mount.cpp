// Stands for fs/namespace.c: a filesystem is unmounted when no call is under way in it and no file
// open. Left out: lazy unmounting, the filesystem beneath.
#include "model/mount.h"

#include "model/close_ctree.h"
#include "model/fs_info.h"
#include "model/vfs.h"
#include "sim/trace.h"

namespace model {

void count_holders(FsInfo& fs) {
    u32 open = 0;
    for (const auto& [path, inodes] : fs.open_files)
        open += static_cast<u32>(inodes.size());
    fs.mount = sim::make<Mount>(open);
}

bool enter_mount(FsInfo& fs) {
    if (fs.mount == nullptr) return true;
    u32 holders = fs.mount->holders.load();
    while (holders != Mount::gone && !fs.mount->holders.compare_exchange(holders, holders + 1)) {
    }
    return holders != Mount::gone;
}

void leave_mount(FsInfo& fs) {
    if (fs.mount != nullptr) fs.mount->holders.dec();
}

namespace vfs {

/// Mirrors sync_filesystem(), which passes by what is read-only.
Result<void> umount(FsInfo& fs) {
    const sim::Scope scope("umount");
    u32 holders = 0;
    if (fs.mount != nullptr && !fs.mount->holders.compare_exchange(holders, Mount::gone))
        return holders == Mount::gone ? Errno::Inval : Errno::Busy;
    if (!fs.readonly) static_cast<void>(sync(fs).ok());
    close_ctree(fs);
    return {};
}

}  // namespace vfs
}  // namespace model
