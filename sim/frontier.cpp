#include "sim/frontier.h"

namespace sim {

bool Frontier::take(Prefix& prefix) {
    std::unique_lock lock(mutex_);
    ++idle_;
    hungry_ = waiting_.size() < idle_;
    if (waiting_.empty() && idle_ == workers_) closed_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] { return closed_ || !waiting_.empty(); });
    if (closed_) return false;
    --idle_;
    prefix = std::move(waiting_.front());
    waiting_.pop_front();
    hungry_ = waiting_.size() < idle_;
    return true;
}

void Frontier::give(std::vector<Prefix> prefixes) {
    const std::lock_guard guard(mutex_);
    for (Prefix& prefix : prefixes)
        waiting_.push_back(std::move(prefix));
    hungry_ = waiting_.size() < idle_;
    changed_.notify_all();
}

void Frontier::close() {
    const std::lock_guard guard(mutex_);
    closed_ = true;
    changed_.notify_all();
}

bool Frontier::over() const {
    const std::lock_guard guard(mutex_);
    return closed_;
}

}  // namespace sim
