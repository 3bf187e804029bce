#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/kernel_version.h"
#include "model/medium.h"
#include "model/mkfs.h"
#include "model/promises.h"
#include "sim/scheduler.h"

namespace sim {
class Execution;
}

namespace model {

/// Mounts what a crash left, in a simulation of its own, and tests what must hold then: the mount
/// succeeds, it is that of the last durable super block, everything reachable is intact, space can
/// be accounted for, and what was promised is there. A replace that was going on goes on and comes
/// to its end; what the devices hold then is mounted again, and the same must hold.
///
/// May be used from within another simulation on the same thread: that one stands still meanwhile.
class Recovery {
  public:
    Recovery(const KernelVersion& kernel, const Geometry& geometry);
    ~Recovery();

    /// The check that fails when only `degraded` helps: a device of a replace is not there.
    static constexpr const char* needs_degraded = "replace-resumable";

    /// The check that fails when a replace that was resumed does not put its target in place.
    static constexpr const char* unfinished = "replace-resumed";

    /// @param degraded  mount option
    /// @return what does not hold; nothing if all does
    std::optional<sim::Violation> mount(const Medium& medium, const Promises& promises,
                                        bool degraded = false);
    /// The filesystem as the last mount left it: of what the devices held after a replace, if that
    /// mount resumed one. Valid until the next mount.
    const FsInfo& mounted() const;
    /// What the devices held when the replace that the last mount resumed had finished; null if it
    /// resumed none. Valid until the next mount.
    const Medium* after_replace() const { return after_replace_ ? &*after_replace_ : nullptr; }

  private:
    std::optional<sim::Violation> mount_once(const Medium& medium, const Promises& promises,
                                             bool degraded);

    std::optional<Medium> after_replace_;
    std::unique_ptr<sim::Execution> execution_;
    class MountProgram* program_ = nullptr;
};

}  // namespace model
