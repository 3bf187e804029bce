#include "app/cli/interrupt.h"

#include <csignal>

#include "app/verdict.h"

namespace app::cli {

namespace {

// What a signal handler may touch: lock-free atomics.
std::atomic<bool> interrupted{false};
std::atomic<int> caught{0};
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<int>::is_always_lock_free);

void handle(int signal) {
    caught.store(signal);
    interrupted.store(true);
    std::signal(signal, SIG_DFL);
}

}  // namespace

InterruptGuard::InterruptGuard() {
    std::signal(SIGINT, handle);
    std::signal(SIGTERM, handle);
}

InterruptGuard::~InterruptGuard() {
    std::signal(SIGINT, SIG_DFL);
    std::signal(SIGTERM, SIG_DFL);
}

const std::atomic<bool>* InterruptGuard::flag() const {
    return &interrupted;
}

int InterruptGuard::exit_code() {
    if (!interrupted.load()) return 0;
    return caught.load() == SIGTERM ? app::exit_code::terminated : app::exit_code::interrupted;
}

}  // namespace app::cli
