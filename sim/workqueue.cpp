#include "sim/workqueue.h"

namespace sim {

void WorkQueue::queue(const char* label, Job job) {
    Scheduler& scheduler = current();
    if (scheduler.silent()) return;
    if (scheduler.grain() == Grain::Fine && scheduler.splits_here(scheduler.running()))
        scheduler.scheduling_point(OpKind::Submit, queueing_);
    scheduler.sync_access(queueing_, AccessKind::Add);
    struct Item {
        WorkQueue* queue;
        Job* body;
        std::uint64_t number;
    };
    const Item item{this, make<Job>(job), ++queued_};
    pending_.insert(item.number);
    scheduler.spawn(label, [item] {
        Job body = *item.body;
        destroy(item.body);
        body();
        item.queue->idle_.wake_up_all();
        item.queue->pending_.erase(
            item.number);  // one operation with the wake-up, whose point came before
    });
}

void WorkQueue::flush(Where where) {
    Scheduler& scheduler = current();
    if (scheduler.silent()) return;
    scheduler.might_sleep(where);
    if (scheduler.grain() == Grain::Fine && scheduler.splits_here(scheduler.running()))
        scheduler.scheduling_point(OpKind::Wait, idle_);
    scheduler.sync_access(queueing_, AccessKind::Read);
    const std::uint64_t last = queued_;
    scheduler.sync_access(idle_, false);
    while (!pending_.empty() && *pending_.begin() <= last) {
        idle_.enqueue(false);
        idle_.schedule(where);
        scheduler.sync_access(idle_, false);
    }
}

}  // namespace sim
