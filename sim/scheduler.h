#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/arena.h"
#include "sim/assert.h"
#include "sim/circular_wait.h"
#include "sim/fiber.h"
#include "sim/fingerprint.h"
#include "sim/lockdep.h"
#include "sim/object.h"
#include "sim/prefix_memo.h"
#include "sim/race.h"
#include "sim/sequence.h"
#include "sim/task.h"
#include "sim/task_set.h"
#include "sim/trace.h"
#include "sim/where.h"

namespace sim {

class Strategy;
class Scheduler;
class Observer;

/// Keeps the identities of the preparation and of executions apart.
inline constexpr std::uint64_t preparation_phase = std::uint64_t{1} << 62;

/// Which operations are steps of their own.
enum class Grain : std::uint8_t {
    Fine,    ///< every access, lock, unlock and atomic operation
    Coarse,  ///< a step ends where another task could notice: before an acquisition or lockless
             ///< access that follows a release
};

enum class Outcome : std::uint8_t {
    Completed,
    Violation,
    Deadlock,
    StepLimit,
    TaskLimit,
    Nondeterministic,
    Cut
};

/// Why an execution failed. The signature names check and object class, never a step.
struct Violation {
    std::string signature;
    std::string text;
    std::uint32_t step = 0;
    bool between_steps = false;  // found by a check (watch()), not by a task
    CircularWait circle = {};    // of a deadlock of locks
};

/// Places that coverage can count.
inline constexpr unsigned max_probes = 192;

/// Thrown through a fiber to end it; caught by the fiber's entry alone.
struct StopExecution {};

namespace detail {
extern constinit thread_local Scheduler* scheduler_of_this_thread;
}
/// The scheduler of the simulation that runs on this thread. Valid from Execution's construction to
/// its end on that thread.
inline Scheduler& current() {
    return *detail::scheduler_of_this_thread;
}
/// Null when no simulation exists on this thread (unit tests of plain data).
inline Scheduler* current_or_null() {
    return detail::scheduler_of_this_thread;
}

/// Tasks, steps and switches of one execution at a time.
///
/// The running fiber itself decides at each scheduling point who goes on: no fiber stands between
/// two tasks. So what decides has its frames on the stacks of all tasks, and these should fit the
/// processor's first cache: what is seldom run is no part of what every step runs (noinline), and
/// that lies side by side in the program (hot).
class Scheduler {
  public:
    explicit Scheduler(Arena& arena);
    ~Scheduler();
    Scheduler(const Scheduler&) = delete;
    Scheduler& operator=(const Scheduler&) = delete;

    // ---- for the model
    // ----------------------------------------------------------------------------------------------

    /// Creates a task; it is enabled at once and ordered after the creating step.
    /// @param label  what it is, a string that outlives the execution ("endio_write"); its name
    /// adds its creator and number
    /// @param body   a Job, or what could be one
    template <class Body>
    Task& spawn(const char* label, Body&& body, TaskKind kind = TaskKind::Task) {
        Task& task = spawn_idle(label, kind);
        task.job = std::forward<Body>(body);
        return task;
    }
    /// Creates a device event: it happens when the strategy says so, in any order with other
    /// events.
    /// @param device      queue that orders it by default (oldest first)
    /// @param latency_ns  how long it takes under the timed strategy
    Task& spawn_completion(const char* label, std::uint16_t device, std::uint64_t latency_ns,
                           const Job& job);

    /// Creates an armed timer's event.
    Task& spawn_timer(const char* label, std::uint64_t delay_ns, const Job& job);
    /// An event that has not begun will not happen any more.
    void withdraw(Task& event);

    Task& running() { return *running_; }
    bool in_task() const { return running_ != nullptr; }

    /// The execution has found what it was looking for: a promise broken. Ends the execution; does
    /// not return in a task. While the execution is being torn down, and in the preparation, see
    /// Execution.
    void violation(std::string signature, std::string text);

    /// A line of the simulated kernel log. Part of the trace hash.
    void message(std::string text);
    const std::vector<std::string>& messages() const { return messages_; }

    /// The running step changes what is left if somebody stops the execution from outside: a search
    /// with a reduction stops after every causally closed set of such steps (ExploreOptions::cuts).
    void mark() {
        if (running_ != nullptr && !stopping_) trace_.mark();
    }
    /// Orders the running step among those that touch the object, for a record that the model's
    /// tasks do not see: no scheduling point, no check, no part of the trace hash.
    void order(const Object& object, AccessKind kind, std::uint64_t key = 0);

    /// A scheduling point at which the task could be preempted although it touches nothing
    /// (cond_resched).
    void yield(Where where = Where::current());

    // ---- for primitives
    // ---------------------------------------------------------------------------------------------

    /// Whether primitives do nothing: no task runs, or the execution is being torn down. While it
    /// is torn down, a call from outside a destructor throws StopExecution instead of returning.
    bool silent() const {
        if (running_ != nullptr && !stopping_) return false;
        if (stopping_) stop_unless_unwinding();
        return true;
    }
    /// The same for what destructors call: never throws.
    bool silent_noexcept() const noexcept { return running_ == nullptr || stopping_; }

    /// Ends the running step; the task's next one does `op` on `object`. Returns when the task has
    /// been chosen for it.
    void scheduling_point(OpKind op, const Object& object);
    /// The same before a release: never throws, since destructors release. In the coarse grain a
    /// release is no point.
    void release_point(OpKind op, const Object& object) noexcept;
    /// Whether an acquisition now would begin a step of its own in the coarse grain.
    bool splits_here(const Task& task) const {
        if (grain_ == Grain::Fine) return !task.untouched;
        return task.committed && (task.spin_depth == 0 || splits_kinds_);
    }
    /// The beginning of every call that may sleep. Sleeping is a violation while a spinlock is
    /// held.
    /// @return whether the attempt begins a step of its own: so a blocked attempt is no step, and
    /// what a step does does not depend on who was there first
    bool begin_sleeping_call(Where where) {
        might_sleep(where);
        running_->blocked_where = where;
        return !running_->untouched || splits_here(*running_);
    }
    /// Not enabled until wake(). The task's next operation is Resume on `object`.
    void block(Object& object, Where where);
    void wake(Task& task);
    void disable(const TaskSet& tasks) { enabled_.remove(tasks); }
    void enable(const TaskSet& tasks) { enabled_ |= tasks; }
    /// Sleeping is a violation while a spinlock is held.
    void might_sleep(Where where = Where::current());

    /// An access by the running step, with the point that its object's discipline asks for.
    void access(const Object& object, AccessKind kind, std::uint64_t key, std::uint64_t value);
    /// The bookkeeping of every lock: access set, happens-before, lockdep, what the task holds.
    void lock_acquired(Lock& lock, Attempt attempt, Holding holding, unsigned subclass,
                       Where where);
    void lock_released(Lock& lock);
    /// The running task goes on as one of those that share the lock.
    void lock_downgraded(Lock& lock, Holding holding);
    /// The running step ends where it finds the lock taken: it has looked at it (a blocked attempt
    /// at a point of its own is no step, and looks at nothing).
    void found_taken(Object& object);
    void spinlock_taken() {
        ++running_->spin_depth;
        ++spinlocks_held_;
    }
    void spinlock_dropped() {
        --running_->spin_depth;
        --spinlocks_held_;
    }
    /// An access of a primitive's own state: part of the access set, ordered like a lock.
    void sync_access(Object& object, AccessKind kind);
    void sync_access(Object& object, bool writes) {
        sync_access(object, writes ? AccessKind::Write : AccessKind::Read);
    }

    std::uint64_t new_object_id(const ObjectClass& cls);
    Grain grain() const { return grain_; }
    bool stopping() const { return stopping_; }
    RaceDetector& races() { return races_; }
    Lockdep& lockdep() { return lockdep_; }
    Arena& arena() { return arena_; }
    Trace& trace() { return trace_; }
    const Trace& trace() const { return trace_; }

    // ---- time
    // -------------------------------------------------------------------------------------------------------

    /// Whoever enters a scope of this name loses so much time there, under the timed strategy: its
    /// step takes longer, so what it does at its next point comes later. 0: nobody does.
    void set_delay(std::string function, std::uint64_t ns) {
        delayed_function_ = std::move(function);
        delay_ns_ = ns;
    }
    void entered(const char* function) {
        if (delay_ns_ != 0 && delayed_function_ == function) step_delay_ns_ += delay_ns_;
    }
    /// What the step lost that ended last; asked for once.
    std::uint64_t take_delay() { return std::exchange(step_delay_ns_, 0); }

    /// Virtual time in nanoseconds. Only the timed strategy moves it; model code may read it only
    /// then.
    std::uint64_t now_ns() const;
    std::uint64_t time_ns = 0;  // written by the timed strategy

    // ---- checks
    // -----------------------------------------------------------------------------------------------------

    /// A per-object check: runs after each step that wrote an object of the class, once no spinlock
    /// is held.
    using Check = void (*)(void* context, Object& object);
    void watch(const ObjectClass& cls, Check check, void* context);
    std::uint64_t checks_run() const { return checks_run_; }

    /// A change of something lockless without a point of its own: for what destructors do.
    void change_noexcept(const Object& object, AccessKind kind, std::uint64_t key) noexcept;
    /// Counts that the program came by a place that the layer above numbered. Part of no state.
    void probe(unsigned index, std::uint32_t times) {
        if (observed_) probes_[index] += times;
    }
    const std::array<std::uint32_t, max_probes>& probes() const { return probes_; }
    /// What a check makes of the program's state at this point. Where that is the state of the
    /// execution before at this point, what was made there (ExecutionOptions::recall).
    /// @param make  changes nothing, and touches nothing that is recorded; returns a T
    template <class T, class Make> std::shared_ptr<const T> once(Make&& make);

    // ---- for strategies and Execution
    // -------------------------------------------------------------------------------

    const TaskSet& enabled() const { return enabled_; }
    const TaskSet& events() const { return events_; }
    const Task& task(unsigned slot) const { return *tasks_[slot]; }
    /// The slot of an enabled task, by its name; max_tasks when there is none.
    unsigned enabled_slot(std::uint64_t path) const {
        unsigned found = max_tasks;
        enabled_.for_each([&](unsigned slot) {
            if (paths_[slot] == path) found = slot;
        });
        return found;
    }
    Task& task(unsigned slot) { return *tasks_[slot]; }
    int running_slot() const { return running_ == nullptr ? -1 : running_->slot; }
    /// What happens when nobody decides otherwise: go on; else the least task; else the oldest
    /// event; else what was deferred.
    [[gnu::hot]] unsigned default_choice() const;
    /// Enabled tasks in order of name, the default first.
    void candidates(std::vector<std::uint16_t>& out) const;
    /// A task's or event's position among the candidates.
    [[gnu::hot]] std::uint16_t index_of(unsigned slot) const;
    /// Whether choosing `slot` here is a deviation, as --preemptions counts them:
    /// - another task, or an event, although the running one could go on;
    /// - an event before its turn, although a task is enabled or an older event outstanding. If it
    /// passes just one that has
    ///   not begun (an event, or a task that was not started yet), that one is deferred: its turn
    ///   is open from then on, and it may take any later one, whenever the running task stops,
    ///   without counting again.
    bool is_deviation(unsigned slot) const { return deviation_of(slot).counts; }
    /// Whether the running task or event is enabled, so that everything but going on would be a
    /// deviation.
    bool default_goes_on() const {
        return running_ != nullptr && !running_->finished && enabled_.test(running_->slot);
    }
    /// All that decides what may follow, but for the deviations used: the class of the execution so
    /// far, the running task if it can go on, what is deferred. Only for a strategy that wants
    /// fingerprints.
    Digest situation() const;
    /// The class of the execution so far: all that decides what may follow when nothing is bounded.
    const Digest& happens_before_prefix() const { return fingerprint_.value(); }
    /// An event that was withdrawn, and in which step.
    struct Withdrawn {
        std::uint64_t path;
        std::uint32_t name;
        std::uint32_t step;
        std::uint16_t slot;
    };
    const Sequence<Withdrawn>& withdrawn() const { return withdrawn_; }
    /// Tasks that have begun or could, and wait for something.
    template <class Visit> void for_each_blocked(Visit&& visit) const {
        live_.for_each([&](unsigned slot) {
            if (!enabled_.test(slot)) visit(static_cast<const Task&>(*tasks_[slot]));
        });
    }
    /// The running step's number; no_step in the preparation, which is before all of them.
    std::uint32_t this_step() const { return preparing_ ? no_step : trace_.steps() - 1; }
    /// Choice points so far: decisions at which more than one task or event was enabled.
    std::uint32_t choice_points() const { return choice_points_; }
    const Sequence<Departure>& departures() const { return departures_; }
    std::uint32_t deviations() const { return deviations_; }
    std::uint32_t steps() const { return trace_.steps(); }
    Outcome outcome() const { return outcome_; }
    void set_diverged() { outcome_ = Outcome::Nondeterministic; }
    const Violation& found() const { return violation_; }
    /// Which task started too many others, when that ended the execution.
    const std::string& task_limit() const { return task_limit_; }
    const std::vector<std::string>& unordered_accesses() const { return unordered_; }
    /// What kinds of objects they were of.
    const std::vector<std::string>& unordered_kinds() const { return unordered_kinds_; }
    /// Those of kinds that are split.
    const std::vector<std::string>& split_unordered_accesses() const { return split_unordered_; }
    /// Kinds of objects, by name, whose every access is a point in the coarse grain, under
    /// spinlocks too, whatever their discipline says.
    void split(const std::vector<std::string>& kinds);
    std::string task_name(const Task& task) const { return trace_.task_name(task.name); }

  private:
    friend class Execution;
    friend class Object;

    [[gnu::hot]] void begin_execution(Grain grain, Strategy& strategy, std::uint32_t max_steps,
                                      std::uint64_t phase);
    [[gnu::hot]] void run_to_end();
    [[gnu::hot]] void end_execution();
    [[gnu::hot]] static void fiber_main(void* argument);
    [[gnu::cold, gnu::noinline]] void report_held_at_exit(const Task& task);
    /// A point that touches nothing.
    void pause();
    inline void end_step();
    inline void begin_step(Task& task);
    /// In the fine grain the way of a new task to its first operation touches nothing: it is walked
    /// before the next choice, as part of no step, so that every task's next operation is known.
    void reach_first_operations();
    /// Whether the running task was on that way; then it stopped before the operation, and has been
    /// chosen for it now.
    bool stays_before(OpKind op, const Object& object) noexcept;
    /// In the coarse grain no step ends inside a spinlock's section (unless kinds of objects are
    /// split), so nobody ever finds one taken: sections are ordered by what they touch.
    bool orders(const Lock& lock) const;
    void record(const Object& object, AccessKind kind, std::uint64_t key, std::uint64_t value);
    /// The same as a part of its caller.
    [[gnu::always_inline]] void record_here(const Object& object, AccessKind kind,
                                            std::uint64_t key, std::uint64_t value) {
        trace_.add_access({object.id(), key, kind}, value);
        if (fingerprinting_) fingerprint_.touch(object.id(), kind, key);
        if (trace_.narrating()) trace_.name_object(object.id(), {object.cls().name, object.key()});
        note_touched(object);
    }
    void note_touched(const Object& object) {
        if (observed_) name_touched(object);
    }
    [[gnu::noinline]] void name_touched(const Object& object);
    struct Deviation {
        bool counts = false;
        int defers = -1;  // slot whose turn is open from now on
    };
    [[gnu::hot]] Deviation deviation_of(unsigned slot) const;
    /// Place in the default order, when the running task cannot go on.
    bool earlier(const Task& a, const Task& b) const;
    inline void stand_before(OpKind op, const Object& object);
    [[gnu::hot]] void access_alone(const Object& object, AccessKind kind, std::uint64_t key,
                                   std::uint64_t value);
    /// In the coarse grain.
    [[gnu::noinline]] void access_merged(const Object& object, AccessKind kind, std::uint64_t key,
                                         std::uint64_t value);
    inline void touch(Task& self, const Object& object, AccessKind kind, std::uint64_t key,
                      std::uint64_t value);
    [[gnu::hot]] Task* next_task();
    void switch_from(Task& self, bool ends);
    [[gnu::noinline]] void run_checks();
    void queue_check(const Object& object);
    [[gnu::hot]] Task& create(const char* label, TaskKind kind);
    Task& spawn_idle(const char* label, TaskKind kind) {
        if (running_ != nullptr && grain_ == Grain::Fine) pause();
        if (running_ != nullptr) running_->committed = true;
        return create(label, kind);
    }
    unsigned free_slot();
    std::uint32_t next_child();
    [[noreturn, gnu::cold]] void reach_task_limit(const std::string& what);
    inline void retire(Task& task);
    [[gnu::cold]] void report_deadlock();
    bool is_split(const ObjectClass& cls);
    void note_unordered(const Object& object, AccessKind kind);
    [[gnu::cold]] void report_unordered(const Object& object, AccessKind kind, Epoch rival);
    std::uint32_t name_at(Epoch epoch) const;
    std::uint32_t last_conflict(std::uint32_t name, const Object& object, AccessKind kind) const;
    void stop_unless_unwinding() const;

    Arena& arena_;
    Scheduler* former_;  // of an enclosing simulation on this thread, current again afterwards
    Strategy* strategy_ = nullptr;
    Grain grain_ = Grain::Coarse;
    bool stopping_ = false;
    bool checking_ = false;
    bool decided_ = false;  // the outcome is known; nothing more is scheduled
    bool preparing_ = false;
    bool every_step_ = false;  // the strategy wants to be asked even when there is no choice
    Task* running_ = nullptr;
    TaskSet enabled_;
    TaskSet events_;
    TaskSet live_;
    TaskSet deferred_;
    TaskSet fresh_;            // before their first operation (fine grain)
    Fiber* driver_ = nullptr;  // of the walks to first operations, while there are any
    unsigned slots_used_ = 0;
    std::array<std::unique_ptr<Task>, max_tasks> tasks_;
    std::array<std::uint64_t, max_tasks> paths_{};  // of the tasks in the slots
    bool paths_ascend_ = true;                      // with the slots
    Fiber main_;
    StackPool stacks_;
    RaceDetector races_;
    Lockdep lockdep_;
    Trace trace_;
    PrefixFingerprint fingerprint_;
    bool fingerprinting_ = false;
    bool observed_ = false;
    Observer* step_observer_ = nullptr;  // null: nobody looks on at steps
    PrefixMemo* memo_ = nullptr;         // null: nothing is recalled
    std::array<std::uint32_t, max_probes> probes_{};
    std::string delayed_function_;
    std::uint64_t delay_ns_ = 0, step_delay_ns_ = 0;
    std::uint32_t spinlocks_held_ = 0;
    std::uint32_t unfinished_ = 0;  // tasks that must end for the execution to be complete
    std::uint32_t max_steps_ = 0;
    std::uint32_t root_tasks_ = 0;
    std::uint32_t root_objects_ = 0;
    std::uint32_t choice_points_ = 0;
    std::uint32_t deviations_ = 0;
    std::uint64_t phase_ = 0;
    Sequence<Departure> departures_;
    std::vector<std::string> unordered_, unordered_kinds_, split_unordered_;
    std::vector<std::string> split_kinds_;
    bool splits_kinds_ = false;
    enum class IsSplit : std::uint8_t { Unknown, No, Yes };
    std::array<IsSplit, max_object_classes> is_split_{};  // by class, as they come
    Sequence<Withdrawn> withdrawn_;
    /// A task's time in its slot: until the next one there.
    struct Life {
        Epoch first;
        std::uint32_t name;
    };
    Sequence<Life> lives_;
    std::uint64_t event_counter_ = 0;
    Outcome outcome_ = Outcome::Completed;
    Violation violation_;
    std::string task_limit_;
    std::vector<std::string> messages_;
    std::vector<Object*> dirty_;
    struct Watcher {
        Check check = nullptr;
        void* context = nullptr;
    };
    std::array<Watcher, max_object_classes> watchers_{};
    std::uint64_t checks_run_ = 0;
};

template <class T, class Make> std::shared_ptr<const T> Scheduler::once(Make&& make) {
    if (memo_ == nullptr) return std::make_shared<const T>(make());
    if (const auto* const entry = memo_->recall(steps(), departures_)) {
        for (const auto& [index, times] : entry->probes)
            probe(index, times);
        return std::static_pointer_cast<const T>(entry->value);
    }
    const auto before = probes_;
    const std::size_t asked = memo_->asked();
    auto value = std::make_shared<const T>(make());
    SIM_ASSERT(memo_->asked() == asked);  // no once() in another one
    PrefixMemo::Entry entry{.step = steps(), .value = value};
    for (std::uint16_t index = 0; index < max_probes; ++index)
        if (probes_[index] != before[index])
            entry.probes.emplace_back(index, probes_[index] - before[index]);
    memo_->keep(std::move(entry), departures_);
    return value;
}

/// A remark inside the current scope, for people. @param text  called only when somebody narrates;
/// returns a string
template <class F> void note(F&& text) {
    Scheduler* const scheduler = current_or_null();
    if (scheduler == nullptr || !scheduler->trace().narrating() || !scheduler->in_task()) return;
    scheduler->trace().narrate(Narration::Kind::Note, scheduler->running().name, text());
}

/// What a tracer would see here. @param fields  called only when somebody narrates; returns a
/// string
template <class F> void tracepoint(const char* name, F&& fields) {
    Scheduler* const scheduler = current_or_null();
    if (scheduler == nullptr || !scheduler->trace().narrating() || !scheduler->in_task()) return;
    scheduler->trace().add_tracepoint(name, scheduler->running().name, fields());
}

/// Scheduler::probe() of the simulation on this thread, if there is one.
inline void probe(unsigned index, std::uint32_t times = 1) {
    if (Scheduler* const scheduler = current_or_null()) scheduler->probe(index, times);
}

/// Reports that the filesystem under study broke a promise, and ends the execution.
inline void violation(std::string signature, std::string text) {
    current().violation(std::move(signature), std::move(text));
}

}  // namespace sim
