#pragma once
#include "model/objects.h"
#include "model/types.h"
#include "sim/atomic.h"

namespace model {

/// Who holds the filesystem: whether it can be unmounted now. Mirrors what the VFS keeps of a
/// mount, where only unmounting asks.
struct Mount {
    static constexpr u32 gone = u32{1} << 31;
    explicit Mount(u32 open_files) : holders(open_files, 0, objects::counter) {}
    sim::Atomic<u32> holders;  // calls under way, and open files; or `gone`
};

/// From now on holders are counted (fs.mount). Without it nobody unmounts, and the others do
/// nothing.
void count_holders(FsInfo& fs);
/// Around each system call, and from an open to its close.
/// @return false when nothing is mounted any more: the call is not made, and nothing is left
[[nodiscard]] bool enter_mount(FsInfo& fs);
void leave_mount(FsInfo& fs);

}  // namespace model
