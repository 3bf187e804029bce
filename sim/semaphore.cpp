#include "sim/semaphore.h"

namespace sim {

void Semaphore::down(Where where) {
    Scheduler& scheduler = current();
    if (scheduler.silent()) return;
    scheduler.might_sleep(where);
    queue_.write();  // looking and queueing are one operation, under the semaphore's own lock
    if (count_ > 0) {
        --count_;
        return;
    }
    queue_.enqueue(true);
    queue_.schedule(where);  // whoever is woken has been given what was raised
}

bool Semaphore::try_down() {
    queue_.write();
    if (count_ == 0) return false;
    --count_;
    return true;
}

// Unlike a release, it does not commute with what others do before it: an attempt fails.
void Semaphore::up() {
    Scheduler& scheduler = current();
    if (!scheduler.silent() && scheduler.grain() == Grain::Coarse &&
        scheduler.splits_here(scheduler.running()))
        scheduler.scheduling_point(OpKind::Wake, queue_);
    if (queue_.wake_up() == 0) ++count_;
}

}  // namespace sim
