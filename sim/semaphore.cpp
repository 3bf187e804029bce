#include "sim/semaphore.h"

namespace sim {

void Semaphore::down(Where where) {
    Scheduler& scheduler = current();
    if (scheduler.silent()) return;
    scheduler.might_sleep(where);
    queue_.read();
    while (count_ == 0) {
        queue_.prepare_to_wait(true);
        if (count_ > 0) break;
        queue_.schedule(where);
    }
    queue_.finish_wait();
    --count_;
}

bool Semaphore::try_down() {
    queue_.read();
    if (count_ == 0) return false;
    queue_.write();
    --count_;
    return true;
}

void Semaphore::up() {
    ++count_;
    queue_.wake_up();
}

}  // namespace sim
