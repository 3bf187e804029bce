#pragma once
#include <array>
#include <cstdint>
#include <cstring>
#include <new>
#include <type_traits>

#include "sim/fiber.h"
#include "sim/object.h"
#include "sim/task_set.h"
#include "sim/where.h"

namespace sim {

class Lock;

enum class TaskKind : std::uint8_t {
    Task,    ///< a syscall, ioctl, kthread or worker; the execution is complete when all of these
             ///< have ended
    Daemon,  ///< a kthread that may wait for ever
    Completion,  ///< a device finishes a request: an event, one body run once, never counted as
                 ///< preempted
    Timer,       ///< an armed timer: fires at most once, an event too
};

/// What a task does next, known before its step.
enum class OpKind : std::uint8_t {
    Start,
    Yield,
    Read,
    Write,
    Add,
    Lookup,
    Insert,
    Acquire,
    AcquireShared,
    TryAcquire,
    Release,
    Wait,
    Wake,
    Resume,
    Submit,
    Complete,
    Expire,
};
const char* to_string(OpKind op);

inline constexpr std::uint32_t no_step = ~0U;

/// A callable stored in place. What it captures must be trivially copyable: pointers, numbers,
/// references.
class Job {
  public:
    Job() = default;
    template <class F>
    requires(!std::is_same_v<std::remove_cvref_t<F>, Job>)
        // NOLINTNEXTLINE(google-explicit-constructor): a lambda is a job
        Job(F&& body) {
        *this = static_cast<F&&>(body);
    }
    template <class F>
    requires(!std::is_same_v<std::remove_cvref_t<F>, Job>) Job& operator=(F&& body) {  // in place
        using Body = std::remove_cvref_t<F>;
        static_assert(std::is_trivially_copyable_v<Body>, "capture pointers and numbers only");
        static_assert(sizeof(Body) <= sizeof(storage_) && alignof(Body) <= 16);
        new (storage_) Body(static_cast<F&&>(body));
        invoke_ = [](void* memory) { (*static_cast<Body*>(memory))(); };
        return *this;
    }
    void operator()() { invoke_(storage_); }

  private:
    void (*invoke_)(void*) = nullptr;
    alignas(16) unsigned char storage_[96];  // what nobody wrote is copied and never read
};

/// How a lock is held.
enum class Holding : std::uint8_t {
    Exclusive,
    Shared,
    SharedAlone,  ///< by a reader, with writers queued: nobody can come in until it leaves
};

/// A lock that a task holds, and where it took it.
struct HeldLock {
    Lock* lock = nullptr;
    Holding holding = Holding::Exclusive;
    std::uint16_t lock_class = 0;  // class and subclass, as lockdep numbers them
    std::uint32_t step = 0;
    Where where;

    bool shared() const { return holding != Holding::Exclusive; }
};

/// What the scheduler knows of a task; begins anew with each.
struct TaskState {
    // Identity: by cause. Twelve bits for each generation, so numeric order is creation order
    // within one creator.
    std::uint64_t path = 0;
    const char* label = "";
    std::uint32_t name = 0;  // index into the execution's table of names
    std::uint16_t slot = 0;
    TaskKind kind = TaskKind::Task;
    std::uint8_t generation = 0;

    // What it does next.
    OpKind pending_op = OpKind::Start;
    bool committed = false;  // this step released something or touched something lockless: the next
                             // acquisition begins another
    bool finished = false;
    bool started = false;  // has had a step
    bool untouched =
        true;  // has not done anything yet: its first operation belongs to its first step
    std::uint8_t spin_depth = 0;
    Object* pending_object = nullptr;
    Object* blocked_on =
        nullptr;  // a wait queue or queued lock that must wake it; null when it waits for nothing
    Where blocked_where;

    std::uint32_t woken_in = no_step;  // the step that made its next one possible

    std::uint32_t children = 0;
    std::uint32_t objects = 0;
    std::uint64_t event_order = 0;  // completions and timers: order of submission
    std::uint64_t latency_ns = 0;   // completions and timers: under the timed strategy
    std::uint16_t device = 0;       // completions: which device's queue
    std::uint8_t cpu = 0;
    std::uint8_t held_count = 0;
    void* user = nullptr;  // the layer above's per-task data (the kernel's current->journal_info)
};

/// One fiber of the running execution. What each task needs lies side by side.
struct alignas(64) Task : TaskState {
    Fiber fiber;
    Job job;
    std::array<HeldLock, 24> held;  // the first held_count, in order of acquisition
};

}  // namespace sim
