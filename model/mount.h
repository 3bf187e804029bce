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

/// For the time of a system call. @return from entered(): false when nothing is mounted any more
class [[nodiscard]] MountGuard {
  public:
    explicit MountGuard(FsInfo& fs);
    ~MountGuard();
    MountGuard(const MountGuard&) = delete;
    MountGuard& operator=(const MountGuard&) = delete;
    bool entered() const { return entered_; }

  private:
    Mount* const mount_;
    bool entered_ = true;
};

}  // namespace model
