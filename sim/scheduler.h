#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <source_location>
#include <string>
#include <string_view>
#include <vector>

#include "sim/arena.h"
#include "sim/fiber.h"
#include "sim/lockdep.h"
#include "sim/object.h"
#include "sim/race.h"
#include "sim/task.h"
#include "sim/task_set.h"
#include "sim/trace.h"

namespace sim {

class Strategy;
class Scheduler;

/// Which operations are steps of their own.
enum class Grain : std::uint8_t {
    Fine,    ///< every access, lock, unlock and atomic operation
    Coarse,  ///< a step ends where another task could notice: before an acquisition or lockless access that follows a release
};

enum class Outcome : std::uint8_t { Completed, Violation, Deadlock, StepLimit, Cut, Nondeterministic };

/// Why an execution failed. The signature names check and object class, never a step.
struct Violation {
    std::string signature;
    std::string text;
    std::uint32_t step = 0;
};

/// Thrown through a fiber to end it; caught by the fiber's entry alone.
struct StopExecution {};

/// The scheduler of the simulation that runs on this thread. Valid from Execution's construction to its end on that thread.
Scheduler& current();
/// Null when no simulation exists on this thread (unit tests of plain data).
Scheduler* current_or_null();

/// Tasks, steps and switches of one execution at a time.
///
/// The running fiber itself decides at each scheduling point who goes on: no fiber stands between two tasks.
class Scheduler {
  public:
    explicit Scheduler(Arena& arena);
    ~Scheduler();
    Scheduler(const Scheduler&) = delete;
    Scheduler& operator=(const Scheduler&) = delete;

    // ---- for the model ----------------------------------------------------------------------------------------------

    /// Creates a task; it is enabled at once and ordered after the creating step.
    /// @param label  what it is, a string that outlives the execution ("endio_write"); its name adds its creator and number
    Task& spawn(const char* label, Job job, TaskKind kind = TaskKind::Task);
    /// Creates a device event: it happens when the strategy says so, in any order with other events.
    /// @param device      queue that orders it by default (oldest first)
    /// @param latency_ns  how long it takes under the timed strategy
    Task& spawn_completion(const char* label, std::uint16_t device, std::uint64_t latency_ns, Job job);

    Task& running() { return *running_; }
    bool in_task() const { return running_ != nullptr; }

    /// The execution has found what it was looking for: a promise broken. Ends the execution; does not return in a task.
    /// While the execution is being torn down, and in the preparation, see Execution.
    void violation(std::string signature, std::string text);

    /// A line of the simulated kernel log. Part of the trace hash.
    void message(std::string text);
    const std::vector<std::string>& messages() const { return messages_; }

    /// A scheduling point at which the task could be preempted although it touches nothing (cond_resched).
    void yield();

    // ---- for primitives ---------------------------------------------------------------------------------------------

    /// Ends the running step; the task's next one does `op` on `object`. Returns when the task has been chosen for it.
    void scheduling_point(OpKind op, Object& object);
    /// In the coarse grain: a point only if this step has already shown something to others.
    void point_if_committed(OpKind op, Object& object) {
        if (grain_ == Grain::Fine || running_->committed) scheduling_point(op, object);
    }
    /// Not enabled until wake(). The task's next operation is Resume on `object`.
    void block(Object& object, std::source_location where);
    void wake(Task& task);
    void disable(const TaskSet& tasks) { enabled_.remove(tasks); }
    void enable(const TaskSet& tasks) { enabled_ |= tasks; }
    /// Sleeping is a violation while a spinlock is held.
    void might_sleep(std::source_location where = std::source_location::current());

    void record_access(const Object& object, AccessKind kind, std::uint64_t key, std::uint64_t value);
    void lock_acquired(Lock& lock, bool shared, std::uint16_t lock_class, std::source_location where);
    void lock_released(Lock& lock);

    std::uint64_t new_object_id(const ObjectClass& cls);
    Grain grain() const { return grain_; }
    bool stopping() const { return stopping_; }
    RaceDetector& races() { return races_; }
    Lockdep& lockdep() { return lockdep_; }
    Arena& arena() { return arena_; }
    Trace& trace() { return trace_; }
    const Trace& trace() const { return trace_; }

    // ---- time -------------------------------------------------------------------------------------------------------

    /// Virtual time in nanoseconds. Only the timed strategy moves it; model code may read it only then.
    std::uint64_t now_ns() const;
    std::uint64_t time_ns_ = 0;  // written by the timed strategy

    // ---- checks -----------------------------------------------------------------------------------------------------

    /// A per-object check: runs after each step that wrote an object of the class, once no spinlock is held.
    using Check = void (*)(void* context, Object& object);
    void watch(const ObjectClass& cls, Check check, void* context);
    std::uint64_t checks_run() const { return checks_run_; }

    // ---- for strategies and Execution -------------------------------------------------------------------------------

    const TaskSet& enabled() const { return enabled_; }
    const TaskSet& events() const { return events_; }
    const Task& task(unsigned slot) const { return *tasks_[slot]; }
    Task& task(unsigned slot) { return *tasks_[slot]; }
    int running_slot() const { return running_ == nullptr ? -1 : running_->slot; }
    /// What happens when nobody decides otherwise: go on; else the least task; else the oldest event.
    unsigned default_choice() const;
    /// Enabled tasks in order of name, the default first.
    void candidates(std::vector<std::uint16_t>& out) const;
    /// Whether choosing `slot` here is a deviation, as --preemptions counts them.
    bool is_deviation(unsigned slot) const;
    std::uint32_t steps() const { return trace_.steps(); }
    std::string task_name(const Task& task) const { return trace_.task_name(task.name); }

  private:
    friend class Execution;
    friend class Object;

    void begin_execution(Grain grain, Strategy* strategy, std::uint32_t max_steps);
    Outcome run_to_end();
    void unwind_all();
    static void fiber_main(void* argument);
    void end_step();
    void begin_step(Task& task);
    unsigned decide();
    void switch_out(Task& self, bool ends);
    void run_checks();
    Task& create(const char* label, Job job, TaskKind kind);
    void retire(Task& task);
    void finish(Outcome outcome);

    Arena& arena_;
    Strategy* strategy_ = nullptr;
    Grain grain_ = Grain::Coarse;
    bool stopping_ = false;
    bool checking_ = false;
    bool quiet_ = true;  // building outside a task, or in preparation: nothing is recorded
    Task* running_ = nullptr;
    TaskSet enabled_;
    TaskSet events_;
    TaskSet live_;
    TaskSet free_slots_;
    std::array<std::unique_ptr<Task>, max_tasks> tasks_;
    Fiber main_;
    StackPool stacks_;
    RaceDetector races_;
    Lockdep lockdep_;
    Trace trace_;
    std::uint32_t spinlocks_held_ = 0;
    std::uint32_t unfinished_ = 0;  // tasks that must end for the execution to be complete
    std::uint32_t max_steps_ = 0;
    std::uint32_t root_tasks_ = 0;
    std::uint32_t root_objects_ = 0;
    std::uint64_t event_counter_ = 0;
    Outcome outcome_ = Outcome::Completed;
    Violation violation_;
    std::vector<std::string> messages_;
    std::vector<Object*> dirty_;
    struct Watcher {
        Check check = nullptr;
        void* context = nullptr;
    };
    std::array<Watcher, max_object_classes> watchers_{};
    std::uint64_t checks_run_ = 0;
};

/// Reports that the filesystem under study broke a promise, and ends the execution.
inline void violation(std::string signature, std::string text) { current().violation(std::move(signature), std::move(text)); }

}  // namespace sim
