#include "sim/scheduler.h"

#include <algorithm>
#include <exception>

#include "sim/assert.h"
#include "sim/execution.h"
#include "sim/fiber_switch.h"
#include "sim/lock.h"
#include "sim/primitive_classes.h"
#include "sim/strategy.h"
#include "sim/waitqueue.h"

namespace sim {
namespace {

constexpr unsigned generation_bits = 12;
constexpr unsigned generations = 5;
constexpr std::uint32_t children_of_one = (1U << generation_bits) - 1;

bool reads_only(AccessKind kind) {
    return kind == AccessKind::Read || kind == AccessKind::Lookup;
}

OpKind operation_of(AccessKind kind) {
    switch (kind) {
    case AccessKind::Read:
        return OpKind::Read;
    case AccessKind::Write:
        return OpKind::Write;
    case AccessKind::Add:
        return OpKind::Add;
    case AccessKind::Insert:
        return OpKind::Insert;
    case AccessKind::Lookup:
        return OpKind::Lookup;
    case AccessKind::Acquire:
        return OpKind::Acquire;
    case AccessKind::AcquireShared:
        return OpKind::AcquireShared;
    case AccessKind::Release:
    case AccessKind::ReleaseShared:
        return OpKind::Release;
    case AccessKind::Queue:
        return OpKind::Write;
    }
    return OpKind::Read;
}

AccessKind acquisition_of(Holding holding) {
    return holding == Holding::Shared ? AccessKind::AcquireShared : AccessKind::Acquire;
}

bool is_event(TaskKind kind) {
    return kind == TaskKind::Completion || kind == TaskKind::Timer;
}

}  // namespace

namespace detail {
constinit thread_local Scheduler* scheduler_of_this_thread = nullptr;
}

Scheduler::Scheduler(Arena& arena) : arena_(arena), former_(detail::scheduler_of_this_thread) {
    detail::scheduler_of_this_thread = this;
}

Scheduler::~Scheduler() {
    for (Scheduler** at = &detail::scheduler_of_this_thread; *at != nullptr; at = &(*at)->former_) {
        if (*at != this) continue;
        *at = former_;
        break;
    }
}

// ---- tasks
// ---------------------------------------------------------------------------------------------------------------

unsigned Scheduler::free_slot() {
    // A slot may have a second life only under a creator that knows all of the first one; its clock
    // would lie otherwise.
    if (running_ != nullptr)
        for (unsigned slot = 0; slot < slots_used_; ++slot)
            if (!live_.test(slot) && races_.ended_before(slot, running_->slot)) return slot;
    if (slots_used_ < max_tasks) return slots_used_++;
    for (unsigned slot = 0; slot < slots_used_; ++slot)
        if (!live_.test(slot)) return slot;
    reach_task_limit("starts one more while " + std::to_string(max_tasks) +
                     " tasks and device requests are under way, which is the limit");
}

/// A creator's name has room for so many others, and no more: the execution ends.
std::uint32_t Scheduler::next_child() {
    if (running_ == nullptr) return ++root_tasks_;
    if (running_->generation + 1U >= generations)
        reach_task_limit("starts a task, and there can be " + std::to_string(generations - 1) +
                         " generations of tasks that tasks start");
    if (running_->children == children_of_one)
        reach_task_limit("starts more than " + std::to_string(children_of_one) +
                         " tasks and device requests, which is the limit of one task");
    return ++running_->children;
}

void Scheduler::reach_task_limit(const std::string& what) {
    SIM_ASSERT(running_ != nullptr && !stopping_);
    decided_ = stopping_ = true;
    outcome_ = Outcome::TaskLimit;
    task_limit_ = task_name(*running_) + " " + what;
    trace_.end_step();
    throw StopExecution{};
}

/// With nothing to do yet.
Task& Scheduler::create(const char* label, TaskKind kind) {
    const std::uint32_t child = next_child();
    const unsigned slot = free_slot();
    if (tasks_[slot] == nullptr) tasks_[slot] = std::make_unique<Task>();
    Task& task = *tasks_[slot];
    static_cast<TaskState&>(task) = TaskState{};
    stacks_.attach(task.fiber);  // kept from life to life

    const bool has_creator = running_ != nullptr;
    task.generation = static_cast<std::uint8_t>(has_creator ? running_->generation + 1 : 0);
    SIM_ASSERT(child <= children_of_one);
    const unsigned shift = 64 - generation_bits * (task.generation + 1U);
    task.path = (has_creator ? running_->path : 0) | (std::uint64_t{child} << shift);
    paths_[slot] = task.path;
    paths_ascend_ = paths_ascend_ && (slot == 0 || paths_[slot - 1] < task.path) &&
                    (slot + 1 == slots_used_ || task.path < paths_[slot + 1]);
    task.label = label;
    task.slot = static_cast<std::uint16_t>(slot);
    task.kind = kind;
    task.cpu = has_creator ? running_->cpu : 0;
    task.name = trace_.add_name({has_creator ? running_->name : Trace::no_parent, label, kind,
                                 task.cpu, task.path, trace_.steps()});
    task.event_order = ++event_counter_;
    task.fiber.prepare(fiber_main, this);

    live_.set(slot);
    enabled_.set(slot);
    if (is_event(kind)) events_.set(slot);
    if (grain_ == Grain::Fine && !is_event(kind)) fresh_.set(slot);
    if (kind == TaskKind::Task || kind == TaskKind::Completion) ++unfinished_;
    races_.task_created(has_creator ? running_->slot : RaceDetector::none, slot);
    if (fingerprinting_ && has_creator) fingerprint_.task_created(slot);
    lives_.append({Epoch{slot, races_.now(slot)}, task.name});
    return task;
}

Task& Scheduler::spawn_completion(const char* label, std::uint16_t device, std::uint64_t latency_ns,
                                  const Job& job) {
    Task& task = spawn(label, job, TaskKind::Completion);
    task.device = device;
    task.latency_ns = latency_ns;
    task.pending_op = OpKind::Complete;
    return task;
}

Task& Scheduler::spawn_timer(const char* label, std::uint64_t delay_ns, const Job& job) {
    Task& task = spawn(label, job, TaskKind::Timer);
    task.latency_ns = delay_ns;
    task.pending_op = OpKind::Expire;
    return task;
}

[[gnu::always_inline]] inline void Scheduler::retire(Task& task) {
    task.finished = true;
    enabled_.reset(task.slot);
    live_.reset(task.slot);
    events_.reset(task.slot);
    deferred_.reset(task.slot);
    if (task.kind == TaskKind::Task || task.kind == TaskKind::Completion) --unfinished_;
}

void Scheduler::withdraw(Task& event) {
    withdrawn_.append({event.path, event.name, trace_.steps() - 1, event.slot});
    retire(event);
}

void Scheduler::report_held_at_exit(const Task& task) {
    const Lock& lock = *task.held[0].lock;
    violation(std::string("lock-held-at-exit/") + lock.lock_class().name,
              task_name(task) + " ended and still holds " + lock.lock_class().name);
}

void Scheduler::fiber_main(void* argument) {
    auto& self = *static_cast<Scheduler*>(argument);
    Task& task = *self.running_;
    try {
        task.job();
        if (task.held_count != 0 && !self.stopping_) self.report_held_at_exit(task);
    } catch (const StopExecution&) {
    }
    if (self.driver_ != nullptr) {
        self.retire(task);
        Fiber::switch_to(task.fiber, *self.driver_, true);
        return;
    }
    if (!self.stopping_) self.end_step();
    self.retire(task);
    self.switch_from(task, true);
}

// ---- one execution
// -------------------------------------------------------------------------------------------------------

void Scheduler::begin_execution(Grain grain, Strategy& strategy, std::uint32_t max_steps,
                                std::uint64_t phase) {
    grain_ = grain;
    strategy_ = &strategy;
    every_step_ = strategy.wants_every_step();
    max_steps_ = max_steps;
    phase_ = phase;
    preparing_ = phase == preparation_phase;
    stopping_ = decided_ = checking_ = false;
    running_ = nullptr;
    enabled_ = events_ = live_ = deferred_ = fresh_ = TaskSet{};
    slots_used_ = 0;
    paths_ascend_ = true;
    spinlocks_held_ = unfinished_ = root_tasks_ = root_objects_ = choice_points_ = deviations_ = 0;
    event_counter_ = 0;
    time_ns = 0;
    step_delay_ns_ = 0;
    outcome_ = Outcome::Completed;
    if (!violation_.signature.empty()) violation_ = {};
    task_limit_.clear();
    messages_.clear();
    departures_.clear();
    dirty_.clear();
    unordered_.clear();
    unordered_kinds_.clear();
    split_unordered_.clear();
    withdrawn_.clear();
    if (observed_) probes_.fill(0);
    lives_.clear();
    races_.begin_execution();
    lockdep_.clear();
    trace_.clear();
    fingerprinting_ = strategy.wants_fingerprint();
    if (fingerprinting_) fingerprint_.begin_execution();
}

void Scheduler::run_to_end() {
    Task* const first = next_task();
    if (first != nullptr) {
        running_ = first;
        begin_step(*first);
        Fiber::switch_to(main_, first->fiber);
        running_ = nullptr;
    }
    if (outcome_ == Outcome::Deadlock) report_deadlock();
}

void Scheduler::end_execution() {
    // Every fiber that has begun is resumed once more: its scheduling point throws, its destructors
    // run.
    stopping_ = true;
    for (unsigned slot = 0; slot < slots_used_; ++slot) {
        if (!live_.test(slot)) continue;
        Task& task = *tasks_[slot];
        fresh_.reset(slot);
        const bool began = task.pending_op != OpKind::Start &&
                           task.pending_op != OpKind::Complete && task.pending_op != OpKind::Expire;
        if (!began) {
            retire(task);
            continue;
        }
        running_ = &task;
        Fiber::switch_to(main_, task.fiber);
        running_ = nullptr;
    }
}

void Scheduler::stop_unless_unwinding() const {
    if (running_ != nullptr && std::uncaught_exceptions() == 0) throw StopExecution{};
}

// ---- steps
// ---------------------------------------------------------------------------------------------------------------

[[gnu::always_inline]] inline void Scheduler::begin_step(Task& task) {
    task.committed = false;
    task.started = true;
    const Object* const object = task.pending_object;
    trace_.begin_step({object == nullptr ? 0 : object->id(), task.name, trace_.accesses().size(),
                       task.pending_op, task.woken_in});
    task.woken_in = no_step;
    if (fingerprinting_)
        fingerprint_.begin_step(task.slot, task.path, static_cast<std::uint8_t>(task.pending_op),
                                object == nullptr ? 0 : object->id());
    if (trace_.narrating())
        trace_.add_label(object == nullptr ? ObjectLabel{}
                                           : ObjectLabel{object->cls().name, object->key()});
}

[[gnu::always_inline]] inline void Scheduler::end_step() {
    trace_.end_step();
    if (fingerprinting_) fingerprint_.end_step();
    if (!dirty_.empty() && spinlocks_held_ == 0) run_checks();
}

void Scheduler::reach_first_operations() {
    Task* const former = running_;
    driver_ = former == nullptr ? &main_ : &former->fiber;
    while (!fresh_.empty() && !decided_) {
        Task& task = *tasks_[fresh_.first()];
        fresh_.reset(task.slot);
        task.untouched = false;
        running_ = &task;
        Fiber::switch_to(*driver_, task.fiber);
    }
    driver_ = nullptr;
    running_ = former;
}

[[gnu::always_inline]] inline bool Scheduler::stays_before(OpKind op,
                                                           const Object& object) noexcept {
    if (driver_ == nullptr) return false;
    Task& self = *running_;
    self.pending_op = op;
    self.pending_object = const_cast<Object*>(&object);
    Fiber::switch_to(self.fiber, *driver_);
    return true;
}

Task* Scheduler::next_task() {
    if (decided_) return nullptr;
    if (!fresh_.empty()) reach_first_operations();
    if (decided_) return nullptr;
    if (unfinished_ == 0 || enabled_.empty()) {
        decided_ = true;
        outcome_ = unfinished_ == 0 ? Outcome::Completed : Outcome::Deadlock;
        return nullptr;
    }
    if (trace_.steps() >= max_steps_) {
        decided_ = true;
        outcome_ = Outcome::StepLimit;
        return nullptr;
    }
    if (step_observer_ != nullptr) step_observer_->stepped(*this);
    const bool is_choice = !enabled_.single();
    if (!is_choice) deferred_.remove(enabled_);  // it has its turn
    if (!is_choice && !every_step_) return tasks_[enabled_.first()].get();

    const Choice choice = strategy_->choose(*this);
    if (choice.slot >= max_tasks || !enabled_.test(choice.slot)) {
        decided_ = true;
        outcome_ = choice.slot == Choice::cut_slot ? Outcome::Cut : Outcome::Nondeterministic;
        return nullptr;
    }
    if (!is_choice) return tasks_[choice.slot].get();
    if (choice.index != 0) {
        const Deviation deviation = deviation_of(choice.slot);
        deviations_ += deviation.counts ? 1 : 0;
        if (deviation.defers >= 0) deferred_.set(static_cast<unsigned>(deviation.defers));
        departures_.append({choice_points_, choice.index});
    }
    ++choice_points_;
    deferred_.reset(choice.slot);
    return tasks_[choice.slot].get();
}

[[gnu::always_inline]] inline void Scheduler::switch_from(Task& self, bool ends) {
    Task* const next = stopping_ ? nullptr : next_task();
    if (next == &self && !ends) {
        begin_step(self);
        return;
    }
    if (next == nullptr) {
        running_ = nullptr;
        Fiber::switch_to(self.fiber, main_, ends);
    } else {
        running_ = next;
        begin_step(*next);
        Fiber::switch_to(self.fiber, next->fiber, ends);
    }
}

[[gnu::always_inline]] inline void Scheduler::stand_before(OpKind op, const Object& object) {
    if (!stays_before(op, object)) {
        Task& self = *running_;
        end_step();
        self.pending_op = op;
        self.pending_object = const_cast<Object*>(&object);
        switch_from(self, false);
    }
    if (stopping_) throw StopExecution{};
}

void Scheduler::scheduling_point(OpKind op, const Object& object) {
    stand_before(op, object);
}

void Scheduler::release_point(OpKind op, const Object& object) noexcept {
    if (stays_before(op, object)) return;
    Task& self = *running_;
    end_step();
    self.pending_op = op;
    self.pending_object = const_cast<Object*>(&object);
    switch_from(
        self,
        false);  // if the execution ends meanwhile, the next point outside a destructor throws
}

void Scheduler::yield(Where where) {
    might_sleep(where);
    pause();
}

void Scheduler::pause() {
    if (silent()) return;
    const Object nothing(primitive::yield);
    scheduling_point(OpKind::Yield, nothing);
    running_->untouched = false;
}

void Scheduler::block(Object& object, Where where) {
    Task& self = *running_;
    self.blocked_on = &object;
    self.blocked_where = where;
    enabled_.reset(self.slot);
    scheduling_point(OpKind::Resume, object);
}

void Scheduler::found_taken(Object& object) {
    record(object, AccessKind::Read, 0, 0);
}

void Scheduler::wake(Task& task) {
    task.blocked_on = nullptr;
    // Who is woken between queueing and sleeping was not waiting: its next step is no result of
    // this one, and may race with it.
    if (!enabled_.test(task.slot)) task.woken_in = this_step();
    enabled_.set(task.slot);
    if (running_ != nullptr) races_.order(running_->slot, task.slot);
}

void Scheduler::might_sleep(Where where) {
    if (silent()) return;
    if (running_->spin_depth == 0) return;
    for (unsigned i = running_->held_count; i-- > 0;) {
        const Lock& lock = *running_->held[i].lock;
        if (lock.cls().index != primitive::spinlock.index) continue;
        violation(std::string("sleep-under-spinlock/") + lock.lock_class().name,
                  task_name(*running_) + " may sleep in " + where.function_name() +
                      " while it holds " + lock.lock_class().name);
    }
}

// ---- choices
// -------------------------------------------------------------------------------------------------------------

bool Scheduler::earlier(const Task& a, const Task& b) const {
    if (deferred_.test(a.slot) != deferred_.test(b.slot)) return deferred_.test(b.slot);
    if (is_event(a.kind) != is_event(b.kind)) return is_event(b.kind);
    if (!is_event(a.kind)) return a.path < b.path;
    if (a.kind != b.kind) return a.kind == TaskKind::Completion;  // timers last
    return a.event_order < b.event_order;
}

unsigned Scheduler::default_choice() const {
    if (default_goes_on()) return running_->slot;
    unsigned best = max_tasks;
    TaskSet first = enabled_;  // mostly there is one of these, and its name decides
    first.remove(events_).remove(deferred_);
    if (paths_ascend_ && !first.empty()) return first.first();
    first.for_each([&](unsigned slot) {
        if (best == max_tasks || paths_[slot] < paths_[best]) best = slot;
    });
    if (best != max_tasks) return best;
    enabled_.for_each([&](unsigned slot) {
        if (best == max_tasks || earlier(*tasks_[slot], *tasks_[best])) best = slot;
    });
    return best;
}

void Scheduler::candidates(std::vector<std::uint16_t>& out) const {
    out.clear();
    enabled_.for_each([&](unsigned slot) { out.push_back(static_cast<std::uint16_t>(slot)); });
    const unsigned first = default_choice();
    std::sort(out.begin(), out.end(), [&](unsigned a, unsigned b) {
        if ((a == first) != (b == first)) return a == first;
        return earlier(*tasks_[a], *tasks_[b]);
    });
}

Digest Scheduler::situation() const {
    Digest digest = fingerprint_.value();
    digest.mix(default_goes_on() ? running_->path : 0);
    Digest open;
    deferred_.for_each([&](unsigned slot) {
        Digest one;
        one.mix(tasks_[slot]->path);
        open.add(one);
    });
    digest.mix(open);
    // The age of outstanding events decides their default order, which the class does not know.
    std::array<std::uint16_t, max_tasks> by_age;
    std::size_t count = 0;
    (live_ & events_).for_each([&](unsigned slot) {
        by_age[count++] = static_cast<std::uint16_t>(slot);
    });
    std::sort(
        by_age.begin(), by_age.begin() + static_cast<std::ptrdiff_t>(count),
        [&](unsigned x, unsigned y) { return tasks_[x]->event_order < tasks_[y]->event_order; });
    for (std::size_t i = 0; i < count; ++i)
        digest.mix(tasks_[by_age[i]]->path);
    return digest;
}

Scheduler::Deviation Scheduler::deviation_of(unsigned slot) const {
    if (default_goes_on()) return {slot != running_->slot};
    const Task& chosen = *tasks_[slot];
    if (!is_event(chosen.kind) || deferred_.test(slot) || slot == default_choice()) return {};
    unsigned skipped = 0;
    unsigned held_back = 0;
    enabled_.for_each([&](unsigned other) {
        if (other == slot || deferred_.test(other) || !earlier(*tasks_[other], chosen)) return;
        ++skipped;
        held_back = other;
    });
    const Task& other = *tasks_[held_back];
    const bool defers = skipped == 1 && (is_event(other.kind) || !other.started);
    return {true, defers ? static_cast<int>(held_back) : -1};
}

// ---- accesses
// ------------------------------------------------------------------------------------------------------------

std::uint64_t Scheduler::new_object_id(const ObjectClass& cls) {
    const std::uint64_t path = running_ == nullptr ? 0 : running_->path;
    const std::uint32_t number = running_ == nullptr ? ++root_objects_ : ++running_->objects;
    return hash_mix(hash_mix(path ^ phase_, number), cls.index);
}

void Scheduler::access(const Object& object, AccessKind kind, std::uint64_t key,
                       std::uint64_t value) {
    if (checking_ || silent()) return;
    if (grain_ == Grain::Fine)
        access_alone(object, kind, key, value);
    else
        access_merged(object, kind, key, value);
}

void Scheduler::access_merged(const Object& object, AccessKind kind, std::uint64_t key,
                              std::uint64_t value) {
    Task& self = *running_;
    const bool lockless = object.cls().discipline == Discipline::Lockless;
    if ((lockless && self.spin_depth == 0) || (splits_kinds_ && is_split(object.cls()))) {
        if (self.committed) scheduling_point(operation_of(kind), object);
        self.committed = true;
    }
    touch(self, object, kind, key, value);
}

/// In the fine grain. The switch is a part of this function: on the stack that it arrives at the
/// processor foresees no return, so each costs.
[[gnu::noinline]] void Scheduler::access_alone(const Object& object, AccessKind kind,
                                               std::uint64_t key, std::uint64_t value) {
    Task& self = *running_;
    if (!self.untouched) stand_before(operation_of(kind), object);
    touch(self, object, kind, key, value);
}

[[gnu::always_inline]] inline void Scheduler::touch(Task& self, const Object& object,
                                                    AccessKind kind, std::uint64_t key,
                                                    std::uint64_t value) {
    const bool lockless = object.cls().discipline == Discipline::Lockless;
    const bool split = splits_kinds_ && is_split(object.cls());
    self.untouched = false;
    record_here(object, kind, key, value);
    if (split) note_unordered(object, kind);
    if (lockless || split) {
        if (reads_only(kind)) {
            races_.acquire(self.slot, object);
        } else {
            races_.exchange(self.slot, object);
        }
    } else {
        note_unordered(object, kind);
    }
    if (!reads_only(kind)) queue_check(object);
}

void Scheduler::record(const Object& object, AccessKind kind, std::uint64_t key,
                       std::uint64_t value) {
    record_here(object, kind, key, value);
}

void Scheduler::note_unordered(const Object& object, AccessKind kind) {
    const unsigned slot = running_->slot;
    const Epoch rival = reads_only(kind) ? races_.read(slot, object) : races_.write(slot, object);
    if (!rival.is_start()) report_unordered(object, kind, rival);
}

void Scheduler::split(const std::vector<std::string>& kinds) {
    split_kinds_ = kinds;
    splits_kinds_ = !kinds.empty();
    is_split_.fill(IsSplit::Unknown);
}

bool Scheduler::is_split(const ObjectClass& cls) {
    IsSplit& known = is_split_[cls.index];
    if (known == IsSplit::Unknown)
        known = std::find(split_kinds_.begin(), split_kinds_.end(), cls.name) != split_kinds_.end()
                    ? IsSplit::Yes
                    : IsSplit::No;
    return known == IsSplit::Yes;
}

void Scheduler::name_touched(const Object& object) {
    const bool lock = primitive::is_lock(object.cls());
    trace_.add_touched(lock ? static_cast<const Lock&>(object).lock_class().name
                            : object.cls().name);
}

void Scheduler::order(const Object& object, AccessKind kind, std::uint64_t key) {
    // On the way to its first operation a task is at the place of its creation: ordered already.
    if (checking_ || running_ == nullptr || stopping_ || driver_ != nullptr) return;
    trace_.add_order({object.id(), key, kind});
    if (fingerprinting_) fingerprint_.touch(object.id(), kind, key);
    note_touched(object);
}

void Scheduler::change_noexcept(const Object& object, AccessKind kind, std::uint64_t key) noexcept {
    record(object, kind, key, 0);
    races_.exchange(running_->slot, object);
}

void Scheduler::sync_access(Object& object, AccessKind kind) {
    running_->untouched = false;
    record(object, kind, 0, 0);
    if (reads_only(kind) || kind == AccessKind::AcquireShared) {
        races_.acquire(running_->slot, object);
    } else if (kind == AccessKind::ReleaseShared) {
        races_.release(running_->slot, object);
    } else {
        races_.exchange(running_->slot, object);
    }
}

std::uint32_t Scheduler::name_at(Epoch epoch) const {
    std::uint32_t name = tasks_[epoch.slot()]->name;
    for (const Life& life : lives_)
        if (life.first.slot() == epoch.slot() && life.first.clock() <= epoch.clock())
            name = life.name;
    return name;
}

/// The last step of the task of that name that touched the object, not just to read it if `kind`
/// reads too.
std::uint32_t Scheduler::last_conflict(std::uint32_t name, const Object& object,
                                       AccessKind kind) const {
    const auto conflicts = [&](const Access& other) {
        return other.object == object.id() && !(reads_only(kind) && reads_only(other.kind));
    };
    for (std::uint32_t step = trace_.steps(); step-- > 0;) {
        const auto accesses = trace_.accesses_of(step);
        if (trace_.step_list()[step].task == name &&
            std::any_of(accesses.begin(), accesses.end(), conflicts))
            return step;
    }
    return no_step;
}

void Scheduler::report_unordered(const Object& object, AccessKind kind, Epoch rival) {
    constexpr std::size_t enough = 20;
    const bool split = splits_kinds_ && is_split(object.cls());
    const std::string name = object.cls().name;
    auto& kinds = unordered_kinds_;
    if (!split && std::find(kinds.begin(), kinds.end(), name) == kinds.end()) kinds.push_back(name);
    auto& texts = split ? split_unordered_ : unordered_;
    if (texts.size() >= enough) return;
    std::string text = name + " " + std::to_string(object.key()) + ": " +
                       to_string(operation_of(kind)) + " by " + task_name(*running_) + " at step " +
                       std::to_string(trace_.steps()) + " is not ordered after an access by " +
                       trace_.task_name(name_at(rival)) + " at step " +
                       std::to_string(last_conflict(name_at(rival), object, kind) + 1);
    if (std::find(texts.begin(), texts.end(), text) == texts.end())
        texts.push_back(std::move(text));
}

// ---- locks
// ---------------------------------------------------------------------------------------------------------------

bool Scheduler::orders(const Lock& lock) const {
    return grain_ == Grain::Fine || splits_kinds_ || lock.cls().index != primitive::spinlock.index;
}

void Scheduler::lock_acquired(Lock& lock, Attempt attempt, Holding holding, unsigned subclass,
                              Where where) {
    Task& self = *running_;
    self.untouched = false;
    if (orders(lock)) {
        // Who tries does not wait: before the release it would have failed.
        if (attempt == Attempt::Tries) record(lock, AccessKind::Write, 0, 1);
        record(lock, acquisition_of(holding), 0, 1);
    }
    races_.acquire(self.slot, lock);
    std::string cycle = lockdep_.acquire(self, lock.lock_class(), subclass, attempt);
    SIM_ASSERT(self.held_count < self.held.size());
    self.held[self.held_count++] = {&lock, holding,
                                    static_cast<std::uint16_t>(lock.lock_class().index + subclass),
                                    trace_.steps(), where};
    if (!cycle.empty()) {
        violation("lock-order/" + std::string(lock.lock_class().name),
                  "possible circular locking dependency: " + cycle + " (" + task_name(self) +
                      " takes " + lock.lock_class().name + " in " + where.function_name() + ")");
    }
}

void Scheduler::lock_released(Lock& lock) {
    Task& self = *running_;
    self.committed = true;
    races_.release(self.slot, lock);
    for (unsigned i = self.held_count; i-- > 0;) {
        if (self.held[i].lock != &lock) continue;
        if (orders(lock))
            record(lock,
                   self.held[i].holding == Holding::Shared ? AccessKind::ReleaseShared
                                                           : AccessKind::Release,
                   0, 2);
        std::copy(self.held.begin() + i + 1, self.held.begin() + self.held_count,
                  self.held.begin() + i);
        --self.held_count;
        return;
    }
}

void Scheduler::lock_downgraded(Lock& lock, Holding holding) {
    Task& self = *running_;
    self.committed = true;
    for (unsigned i = 0; i < self.held_count; ++i)
        if (self.held[i].lock == &lock) self.held[i].holding = holding;
    sync_access(lock, AccessKind::Release);
    sync_access(lock, acquisition_of(holding));
}

// ---- findings
// ------------------------------------------------------------------------------------------------------------

void Scheduler::violation(std::string signature, std::string text) {
    if (decided_ || stopping_) {
        stop_unless_unwinding();
        return;
    }
    decided_ = true;
    outcome_ = Outcome::Violation;
    violation_ = {std::move(signature), std::move(text), trace_.steps(), checking_, {}};
    trace_.fold(hash_text(violation_.signature));
    trace_.end_step();
    if (running_ == nullptr) return;
    if (trace_.narrating())
        trace_.narrate(Narration::Kind::Violation, running_->name, violation_.text);
    if (checking_) return;  // found between two steps: the execution stops there
    stopping_ = true;
    throw StopExecution{};
}

void Scheduler::message(std::string text) {
    if (stopping_) return;
    trace_.fold(hash_text(text));
    if (trace_.narrating() && running_ != nullptr)
        trace_.narrate(Narration::Kind::Message, running_->name, text);
    messages_.push_back(std::move(text));
}

void Scheduler::watch(const ObjectClass& cls, Check check, void* context) {
    SIM_ASSERT(cls.index < max_object_classes);
    watchers_[cls.index] = {check, context};
}

void Scheduler::queue_check(const Object& object) {
    if (watchers_[object.cls().index].check == nullptr) return;
    const std::uint32_t step = trace_.steps();
    if (object.dirty_step_ == step &&
        std::find(dirty_.begin(), dirty_.end(), &object) != dirty_.end())
        return;
    object.dirty_step_ = step;
    dirty_.push_back(const_cast<Object*>(&object));
}

void Scheduler::run_checks() {
    checking_ = true;
    for (std::size_t i = 0; i < dirty_.size() && !decided_; ++i) {
        const Watcher& watcher = watchers_[dirty_[i]->cls().index];
        ++checks_run_;
        watcher.check(watcher.context, *dirty_[i]);
    }
    dirty_.clear();
    checking_ = false;
}

std::uint16_t Scheduler::index_of(unsigned slot) const {
    const unsigned first = default_choice();
    if (slot == first) return 0;
    const bool slots_ascend =
        paths_ascend_ && (enabled_ & events_).empty() && (enabled_ & deferred_).empty();
    const auto comes_before = [&](unsigned other) {
        return slots_ascend ? other < slot : earlier(*tasks_[other], *tasks_[slot]);
    };
    std::uint16_t index = 1;
    enabled_.for_each([&](unsigned other) {
        if (other != first && other != slot && comes_before(other)) ++index;
    });
    return index;
}

std::uint64_t Scheduler::now_ns() const {
    SIM_ASSERT(strategy_ != nullptr && strategy_->is_timed());
    return time_ns;
}

}  // namespace sim
