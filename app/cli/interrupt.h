#pragma once
#include <atomic>

namespace app::cli {

/// While it lives, the first Ctrl-C (or SIGTERM) asks a search to stop and to report what it knows;
/// the second one ends the program at once.
class InterruptGuard {
  public:
    InterruptGuard();
    ~InterruptGuard();
    InterruptGuard(const InterruptGuard&) = delete;
    InterruptGuard& operator=(const InterruptGuard&) = delete;

    const std::atomic<bool>* flag() const;
    /// 130 or 143; 0: not interrupted.
    static int exit_code();
};

}  // namespace app::cli
