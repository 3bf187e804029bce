#pragma once
#include <functional>
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
/// be accounted for, and what was promised is there. A replace or a balance that was going on goes
/// on and comes to its end; what the devices hold then is mounted again, and the same must hold.
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
    /// The same of a balance.
    static constexpr const char* unfinished_balance = "balance-resumed";

    /// @param degraded  mount option
    /// @return what does not hold; nothing if all does
    std::optional<sim::Violation> mount(const Medium& medium, const Promises& promises,
                                        bool degraded = false);
    /// The filesystem as the last mount left it: of what the devices held after a replace or
    /// balance, if that mount resumed one. Valid until the next mount.
    const FsInfo& mounted() const;
    /// What the devices held when all that the last mount resumed had finished; null if it resumed
    /// nothing. Valid until the next mount.
    const Medium* after_resumed() const { return after_resumed_ ? &*after_resumed_ : nullptr; }
    /// Called with each filesystem before it is mounted, if set: tests switch faults on with it.
    std::function<void(FsInfo&)> before_mount;

    static constexpr const char* once_resumed = "once what the mount resumed has finished: ";

  private:
    std::optional<sim::Violation> mount_once(const Medium& medium, const Promises& promises,
                                             bool degraded);

    std::optional<Medium> after_resumed_;
    std::unique_ptr<sim::Execution> execution_;
    class MountProgram* program_ = nullptr;
};

}  // namespace model
