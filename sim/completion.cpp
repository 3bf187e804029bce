#include "sim/completion.h"

namespace sim {

void Completion::wait(Where where) {
    queue_.wait_event([this] { return done_ > 0; }, where);
    if (done_ != forever && done_ > 0) --done_;
}

void Completion::complete() {
    if (done_ != forever) ++done_;
    queue_.wake_up();
}

void Completion::complete_all() {
    done_ = forever;
    queue_.wake_up_all();
}

}  // namespace sim
