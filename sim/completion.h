#pragma once
#include "sim/waitqueue.h"

namespace sim {

/// The kernel's struct completion.
class Completion {
  public:
    explicit Completion(std::uint64_t key = 0) : queue_(key, "completion") {}
    /// Sleeps until complete() has been called once more than it has been waited for.
    void wait(Where where = Where::current());
    void complete();
    void complete_all();
    bool done() const { return done_ > 0; }

  private:
    static constexpr unsigned forever = ~0U;
    WaitQueue queue_;
    unsigned done_ = 0;
};

}  // namespace sim
