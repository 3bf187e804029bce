#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "sim/object.h"
#include "sim/task_set.h"

namespace sim {

struct Task;

/// Happens-before by vector clocks, and accesses of Locked objects that it leaves unordered
/// (FastTrack: Flanagan and Freund, PLDI 2009). Locks, atomics, lockless accesses, wake-ups,
/// creation of tasks order; nothing else does.
///
/// A slot is given to a new task when all accesses of its former task happened before the creation,
/// so a slot's clock never orders what is not ordered.
class RaceDetector {
  public:
    struct alignas(16) Clock : std::array<std::uint32_t, max_tasks> {};

    void begin_execution();
    /// Memory of the prepared state carries no order: everything there happened before.
    std::uint32_t execution() const { return execution_; }

    void task_created(unsigned creator_or_none, unsigned slot);
    /// Whether every access of `slot` so far happened before what `task` does now.
    bool ended_before(unsigned slot, unsigned task) const {
        return clocks_[task][slot] >= last_access_[slot];
    }
    std::uint32_t now(unsigned task) const { return clocks_[task][task]; }

    /// An access of a Locked object. @return an earlier one that it races with; the start if there
    /// is none
    Epoch read(unsigned task, const Object& object);
    Epoch write(unsigned task, const Object& object);

    [[gnu::always_inline]] void acquire(unsigned task, const Object& object) {
        adopt(object);
        if (object.sync_ != 0) join(clocks_[task], sync_[object.sync_ - 1]);
    }
    void release(unsigned task, const Object& object);
    /// acquire() and release() in one.
    [[gnu::hot]] void exchange(unsigned task, const Object& object);
    /// `woken` continues after what `waker` has done so far.
    void order(unsigned waker, unsigned woken);

    static constexpr unsigned none = ~0U;

  private:
    void adopt(const Object& object) const {
        if (object.born_ != execution_) adopt_anew(object);
    }
    void adopt_anew(const Object& object) const;
    [[gnu::hot]] Clock& sync_clock(const Object& object);
    /// Four clocks at a time (clocks stay below 2^24, so signed comparison is right). A GNU
    /// extension that g++ and clang share.
    using Block = std::int32_t __attribute__((vector_size(16), may_alias));
    static Block& block(Clock& clock, unsigned i) { return *reinterpret_cast<Block*>(&clock[i]); }
    static const Block& block(const Clock& clock, unsigned i) {
        return *reinterpret_cast<const Block*>(&clock[i]);
    }
    /// Componentwise maximum, over the slots in use.
    void join(Clock& into, const Clock& from) const {
        const unsigned end = slots_used_;
        for (unsigned i = 0; i < end; i += 4) {
            const Block less = block(into, i) < block(from, i);
            block(into, i) = (block(from, i) & less) | (block(into, i) & ~less);
        }
    }
    /// Over the slots in use.
    void clear(Clock& clock) const {
        const unsigned end = slots_used_;  // no block changes it, which the compiler cannot know
        for (unsigned i = 0; i < end; i += 4)
            block(clock, i) = Block{};
    }
    /// join(), and both are the result.
    void meet(Clock& one, Clock& other) const {
        const unsigned end = slots_used_;
        for (unsigned i = 0; i < end; i += 4) {
            const Block less = block(one, i) < block(other, i);
            block(one, i) = block(other, i) = (block(other, i) & less) | (block(one, i) & ~less);
        }
    }
    bool before(Epoch epoch, unsigned task) const {
        return epoch.clock() <= clocks_[task][epoch.slot()];
    }

    std::uint32_t execution_ = 1;
    unsigned slots_used_ = 0;
    std::array<Clock, max_tasks> clocks_;  // 0 past slots_used_; not set before a slot's first task
    unsigned slots_set_ = 0;
    std::array<std::uint32_t, max_tasks> last_access_{};  // each slot's clock then
    std::vector<Clock> sync_;
    std::uint32_t sync_used_ = 0;
    std::vector<Clock> readers_;
    std::uint32_t readers_used_ = 0;
};

}  // namespace sim
