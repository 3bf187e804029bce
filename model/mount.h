#pragma once
#include "model/objects.h"
#include "model/types.h"
#include "sim/atomic.h"

namespace model {

/// Who is in the filesystem: whether it can be unmounted now. Mirrors what the VFS keeps of a mount
/// (a call holds it open), where only unmounting asks.
struct Mount {
    static constexpr u32 gone = u32{1} << 31;
    sim::Atomic<u32> calls{0, 0, objects::counter};  // under way; or `gone`
};

/// Around each system call. Both do nothing when nobody unmounts (fs.mount).
/// @return false when nothing is mounted any more: the call is not made, and nothing is left
[[nodiscard]] bool enter_mount(FsInfo& fs);
void leave_mount(FsInfo& fs);

}  // namespace model
