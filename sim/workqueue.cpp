#include "sim/workqueue.h"

namespace sim {

void WorkQueue::queue(const char* label, Job job) {
    if (current().silent()) return;
    ++pending_;
    struct Item {
        WorkQueue* queue;
        Job* body;
    };
    const Item item{this, make<Job>(job)};
    current().spawn(label, [item] {
        Job body = *item.body;
        destroy(item.body);
        body();
        if (--item.queue->pending_ == 0) item.queue->idle_.wake_up_all();
    });
}

void WorkQueue::flush() {
    idle_.wait_event([this] { return pending_ == 0; });
}

}  // namespace sim
