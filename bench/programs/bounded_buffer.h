#pragma once
#include "sim/containers.h"
#include "sim/mutex.h"
#include "sim/program.h"
#include "sim/scheduler.h"
#include "sim/waitqueue.h"

namespace programs {

/// Producers and consumers of one item each round, around a buffer of fixed size. With a wait queue
/// for either side it always ends. With one queue for both, a wake-up meant for a consumer can go
/// to a producer, who sleeps on: a lost wake-up.
class BoundedBuffer final : public sim::Program {
  public:
    enum class Queues { Two, One };
    BoundedBuffer(unsigned producers, unsigned consumers, unsigned rounds, unsigned capacity,
                  Queues queues)
        : producers_(producers), consumers_(consumers), rounds_(rounds), capacity_(capacity),
          queues_(queues) {}

    void prepare() override { buffer_ = sim::make<Buffer>(); }
    void start() override {
        for (unsigned i = 0; i < producers_; ++i)
            sim::current().spawn("producer", [this] {
                for (unsigned round = 0; round < rounds_; ++round)
                    produce();
            });
        for (unsigned i = 0; i < consumers_; ++i)
            sim::current().spawn("consumer", [this] {
                for (unsigned round = 0; round < rounds_; ++round)
                    consume();
            });
    }
    std::uint64_t state_hash() override { return sim::hash_mix(8, buffer_->items.peek()); }

  private:
    static constexpr sim::ObjectClass items_class{"items", 34};
    static constexpr sim::LockClass buffer_lock{"buffer", 1};

    struct Buffer {
        sim::Mutex mutex{buffer_lock};
        sim::WaitQueue not_full{0, "not_full"}, not_empty{1, "not_empty"};
        sim::Tracked<unsigned> items{items_class};
    };

    sim::WaitQueue& not_full() { return buffer_->not_full; }
    sim::WaitQueue& not_empty() {
        return queues_ == Queues::Two ? buffer_->not_empty : buffer_->not_full;
    }

    /// A condition variable's wait: queues before the lock is dropped, so that no wake-up comes
    /// between.
    void wait(sim::WaitQueue& queue) {
        queue.prepare_to_wait(true);
        buffer_->mutex.unlock();
        queue.schedule();
        queue.finish_wait();
        buffer_->mutex.lock();
    }
    void produce() {
        const sim::MutexGuard guard(buffer_->mutex);
        while (buffer_->items.get() == capacity_)
            wait(not_full());
        buffer_->items.set(buffer_->items.get() + 1);
        not_empty().wake_up();
    }
    void consume() {
        const sim::MutexGuard guard(buffer_->mutex);
        while (buffer_->items.get() == 0)
            wait(not_empty());
        buffer_->items.set(buffer_->items.get() - 1);
        not_full().wake_up();
    }

    unsigned producers_, consumers_, rounds_, capacity_;
    Queues queues_;
    Buffer* buffer_ = nullptr;
};

}  // namespace programs
