#include "sim/completion.h"

namespace sim {

void Completion::wait(Where where) {
    Scheduler& scheduler = current();
    if (scheduler.silent()) return;
    scheduler.might_sleep(where);
    // Looking and queueing are one operation, under the queue's own lock. In the coarse grain it
    // begins a step only where somebody else could take what is there; to go to sleep, or to pass
    // what stays open, commutes with what others do.
    const bool could_be_taken = done_ > 0 && done_ != forever;
    if ((scheduler.grain() == Grain::Fine || could_be_taken) &&
        scheduler.splits_here(scheduler.running()))
        scheduler.scheduling_point(OpKind::Wait, queue_);
    scheduler.sync_access(queue_, true);
    while (done_ == 0) {
        queue_.enqueue(false);
        queue_.schedule(where);
        scheduler.sync_access(queue_, true);
    }
    if (done_ != forever) --done_;
}

// The wake-up's point comes first; what follows is one operation with it.

void Completion::complete() {
    queue_.wake_up();
    if (done_ != forever) ++done_;
}

void Completion::complete_all() {
    queue_.wake_up_all();
    done_ = forever;
}

}  // namespace sim
