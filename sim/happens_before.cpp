#include "sim/happens_before.h"

#include <algorithm>

namespace sim {
namespace {

constexpr std::uint64_t submission_queue = 1;  // no object has this identity

bool orders_all(AccessKind kind) {
    return is_one_of<AccessKind::Write, AccessKind::Acquire, AccessKind::Release,
                     AccessKind::Queue>(kind);
}
bool acquires(AccessKind kind) {
    return is_one_of<AccessKind::Acquire, AccessKind::AcquireShared>(kind);
}
/// Whether the step would touch just the same, were it moved before its rival: one operation, on an
/// object that was known before it, with one possible effect on it.
bool is_certain(OpKind op, std::span<const Access> accesses) {
    if (accesses.empty()) return true;
    switch (op) {
    case OpKind::Read:
    case OpKind::Write:
    case OpKind::Add:
    case OpKind::Lookup:
    case OpKind::Insert:
    case OpKind::Release:
        return accesses.size() == 1;
    case OpKind::Acquire:
        return accesses.size() == 1 && accesses[0].kind == AccessKind::Acquire;
    default:
        return false;
    }
}

}  // namespace

void HappensBefore::truncate(std::uint32_t count) {
    if (count >= size()) return;
    const Event& first = events_[count];
    chains_.truncate(first.accesses_before);
    races_.truncate(first.races);
    enablings_.truncate(first.enablings);
    clocks_used_ = first.clocks;
    for (std::uint32_t i = size(); i-- > count;)
        of_task_[events_[i].task].steps.pop_back();
    tasks_ = first.tasks;
    events_.truncate(count);
}

void HappensBefore::join(std::uint32_t* clock, std::uint32_t event) const {
    const Event& other = events_[event];
    const std::uint32_t* const row = clocks_.data() + other.clock;
    for (std::uint32_t task = 0; task < other.names; ++task)
        clock[task] = std::max(clock[task], row[task]);
    clock[other.task] = std::max(clock[other.task], event + 1);
}

/// Whether a holding goes on from an exclusive one, which the same step gave up.
bool HappensBefore::is_downgrade(const Node& node) const {
    if (!acquires(node.kind) || node.before == 0) return false;
    const Node& before = chains_[node.before];
    return before.event == node.event && before.kind == AccessKind::Release;
}

/// Adds a step once. The accesses of one object come in order: those of a step follow each other.
[[gnu::always_inline]] inline void HappensBefore::remember(Sequence<std::uint32_t>& list,
                                                           std::uint32_t event) const {
    const bool known = one_object_ ? !list.empty() && list.back() == event
                                   : std::find(list.begin(), list.end(), event) != list.end();
    if (!known) list.append(event);
}

/// Whether the task of the step being taken in queues for the lock since its last one.
bool HappensBefore::is_queued(std::uint32_t place) const {
    if (cause_ == 0) return false;
    const std::uint32_t end = cause_ < size() ? events_[cause_].accesses_before : chains_.size();
    for (std::uint32_t i = events_[cause_ - 1].accesses_before; i < end; ++i)
        if (chains_[i + 1].place == place && chains_[i + 1].kind == AccessKind::Queue) return true;
    return false;
}

/// Adds a step unless it comes before one that is there.
void HappensBefore::remember_last(Sequence<std::uint32_t>& list, std::uint32_t event) const {
    const auto follows = [&](std::uint32_t other) { return before(event, other); };
    if (std::none_of(list.begin(), list.end(), follows)) remember(list, event);
}

/// The acquisition that began the exclusive holding that an access (index + 1) is part of.
void HappensBefore::remember_holder(std::uint32_t at) {
    while (at != 0 && (chains_[at].kind != AccessKind::Acquire || is_downgrade(chains_[at])))
        at = chains_[at].before;
    if (at != 0) remember(acquisitions_, chains_[at].event);
}

/// Visits the accesses since the last exclusive holding, the latest first.
/// @return where that holding ended, or began if it goes on (index + 1); 0: nowhere
template <class Visit>
std::uint32_t HappensBefore::visit_back_to_exclusive(std::uint32_t place, std::uint32_t self,
                                                     Visit&& visit) {
    std::uint32_t at = chains_.latest_at(place);
    for (; at != 0; at = chains_[at].before) {
        const Node& node = chains_[at];
        if (node.event == self) continue;
        if (node.kind == AccessKind::Release) remember(releases_, node.event);
        if (node.kind == AccessKind::Release ||
            (node.kind == AccessKind::Acquire && !is_downgrade(node)))
            break;
        visit(node);
    }
    return at;
}

/// The rivals of who takes a lock that others may hold with it: the acquisition of the exclusive
/// holding before it, failed attempts, and the writers who queued in front of it. These hold it
/// back as an acquisition does, until those inside have left.
void HappensBefore::collect_for_reader(std::uint32_t place, std::uint32_t self) {
    left_.clear();
    const std::uint32_t end = visit_back_to_exclusive(place, self, [&](const Node& node) {
        if (node.kind == AccessKind::Write && !knows(node)) remember(rivals_, node.event);
        if (node.kind == AccessKind::ReleaseShared) left_.append(node.event);
        if (node.kind != AccessKind::Queue) return;
        remember(acquisitions_, node.event);
        for (const std::uint32_t event : left_)
            remember(releases_, event);
        left_.clear();
    });
    remember_holder(end);
}

/// The rivals of who takes a lock for itself, or queues for it behind those inside: the
/// acquisitions of the holdings before it, back to the last one that excludes all others, and all
/// attempts. Who takes it and has not queued could have done so before the last of those inside
/// left.
void HappensBefore::collect_for_writer(std::uint32_t place, bool queues, std::uint32_t self) {
    const bool queued = is_queued(place);
    bool shared_holdings = false;
    const std::uint32_t end = visit_back_to_exclusive(place, self, [&](const Node& node) {
        if (node.kind == AccessKind::ReleaseShared && !queues) {
            remember(releases_, node.event);
            if (!queued) remember_last(acquisitions_, node.event);
        } else if (node.kind == AccessKind::AcquireShared && !is_downgrade(node)) {
            shared_holdings = true;
            remember(acquisitions_, node.event);
        } else if (!acquires(node.kind) && !knows(node)) {
            remember(rivals_, node.event);
        }
    });
    if (!shared_holdings) remember_holder(end);  // else those inside came after its release
}

/// The acquisitions that exclude this one, and the writers who queued in front of it, back to an
/// exclusive one that comes before it whatever it touches. That a writer queues is noticed only by
/// those whom it holds back, so where readers leave asks for nothing.
void HappensBefore::collect_holdings(std::uint32_t place, AccessKind kind, std::uint32_t self) {
    const bool shared = kind == AccessKind::AcquireShared;
    const auto rival_from = [&](std::uint32_t at) { return shared ? chains_.not_shared(at) : at; };
    for (std::uint32_t at = rival_from(chains_.latest_at(place)); at != 0;
         at = rival_from(chains_[at].before)) {
        const Node& node = chains_[at];
        const bool excludes =
            node.kind == AccessKind::Acquire ||
            (shared ? node.kind == AccessKind::Queue : node.kind == AccessKind::AcquireShared);
        if (node.event == self || !excludes) continue;
        const bool known = knows(node);
        if (!known) remember(acquisitions_, node.event);
        if (known && node.kind == AccessKind::Acquire) return;
    }
}

void HappensBefore::collect(std::uint32_t place, const Access& access, std::uint32_t self) {
    const bool queues = access.kind == AccessKind::Queue && within_ == Within::AllOrders;
    if (acquires(access.kind) || queues) {
        const std::uint32_t before = acquisitions_.size();
        if (access.kind == AccessKind::AcquireShared) {
            collect_for_reader(place, self);
        } else {
            collect_for_writer(place, queues, self);
        }
        if (within_ == Within::AllOrders) return;
        acquisitions_.truncate(before);  // those are among all holdings
        return collect_holdings(place, access.kind, self);
    }
    chains_.for_each_rival_at(place, access, [&](const Node& node) {
        // What came before the same key's insertion is ordered before that.
        const bool same_key = node.kind == AccessKind::Insert && is_keyed(access.kind);
        return node.event == self || collect_rival(node, same_key || orders_all(node.kind));
    });
}

/// @param is_after_rest  whether the rivals before it come before it
/// @return whether they are asked for
[[gnu::always_inline]] inline bool HappensBefore::collect_rival(const Node& node,
                                                                bool is_after_rest) {
    const bool known = knows(node);
    if (!known) remember(rivals_, node.event);
    return !is_after_rest || (within_ == Within::Bound && !known);
}

/// Whether it comes before another rival.
bool HappensBefore::is_hidden(std::uint32_t event) const {
    if (within_ == Within::Bound) return false;
    return std::any_of(rivals_.begin(), rivals_.end(), [&](std::uint32_t other) {
        return other != event && !is_before_release(other) && before(event, other);
    });
}

void HappensBefore::find_races(std::uint32_t self) {
    std::uint32_t followed = 0;  // by rivals
    for (const std::uint32_t event : rivals_)
        followed = std::max(followed, events_[event].follows);
    const auto add = [&](std::uint32_t event) {
        if (followed <= event || !is_hidden(event)) races_.append({event, self});
    };
    for (const std::uint32_t event : rivals_)
        if (!is_before_release(event)) add(event);
    for (const std::uint32_t event : acquisitions_) {
        const bool known = knows(event) || (!is_before_release(event) && is_rival(event));
        if (!known) add(event);
    }
}

void HappensBefore::begin(const Trace& trace) {
    truncate(0);
    tasks_ = 0;
    name_tasks(trace, 0);
}

/// Takes in the tasks that existed once so many steps had begun.
void HappensBefore::name_new_tasks(const Trace& trace, std::uint32_t steps) {
    const auto& names = trace.names();
    for (; tasks_ < names.size() && names[tasks_].born <= steps; ++tasks_) {
        if (tasks_ == of_task_.size()) of_task_.emplace_back();
        of_task_[tasks_].path = names[tasks_].path;
        of_task_[tasks_].born = steps;
    }
}

void HappensBefore::causes_of(std::uint32_t event, std::vector<std::uint32_t>& clock) const {
    clock.assign(tasks(), 0);
    if (const std::uint32_t cause = events_[event].cause; cause != 0) join(clock, cause - 1);
}

void HappensBefore::needs_of(std::uint32_t event, std::vector<std::uint32_t>& clock) const {
    causes_of(event, clock);
    if (const std::uint32_t enabler = events_[event].enabler; enabler != 0)
        join(clock, enabler - 1);
}

void HappensBefore::causes_of_next(std::uint32_t task, std::vector<std::uint32_t>& clock) const {
    clock.assign(tasks(), 0);
    if (const std::uint32_t cause = cause_of_next(task); cause != 0) join(clock, cause - 1);
}

std::uint32_t HappensBefore::first_of_task(std::uint32_t task, std::uint32_t from) const {
    const auto& steps = of_task_[task].steps;
    const auto found = std::lower_bound(steps.begin(), steps.end(), from);
    return found == steps.end() ? size() : *found;
}

void HappensBefore::prepare(const Step& step) {
    cause_ = cause_of_next(step.task);
    enabler_ = step.woken_in == no_step ? 0 : step.woken_in + 1;
    rivals_.clear();
    acquisitions_.clear();
    releases_.clear();
}

/// What a step touched; and that it created an event, where that counts.
std::span<const Access> HappensBefore::accesses_and_submission(const Trace& trace,
                                                               std::uint32_t step) {
    const std::span accesses = trace.accesses_of(step);
    const auto is_event = [](const Trace::TaskName& name) {
        return name.kind == TaskKind::Completion || name.kind == TaskKind::Timer;
    };
    bool submits = false;
    for (std::uint32_t task = tasks_;
         task < trace.names().size() && trace.names()[task].born <= step + 1; ++task)
        submits = submits || is_event(trace.names()[task]);
    if (!submits) return accesses;
    with_submission_.assign(accesses.begin(), accesses.end());
    with_submission_.push_back({submission_queue, 0, AccessKind::Write});
    return with_submission_;
}

/// Mostly a task's step touches what it touched when the task came there last.
AccessSets::Id HappensBefore::set_of(OfTask& task, std::span<const Access> accesses) {
    while (task.last_sets.size() <= task.steps.size())
        task.last_sets.append(0);
    AccessSets::Id& set = task.last_sets[task.steps.size()];
    return set = sets_->intern(accesses, set);
}

HappensBefore::Event& HappensBefore::begin_event(const Step& step,
                                                 std::span<const Access> accesses) {
    OfTask& task = of_task_[step.task];
    Event& event = events_.append();
    event.path = task.path;
    event.task = step.task;
    if (sets_ != nullptr) event.accesses = set_of(task, accesses);
    event.own_before = task.steps.size();
    event.cause = cause_;
    event.enabler = enabler_;
    event.tasks = tasks_;
    event.clocks = static_cast<std::uint32_t>(clocks_used_);
    event.accesses_before = chains_.size();
    event.races = races_.size();
    event.enablings = enablings_.size();
    return event;
}

void HappensBefore::add(const Trace& trace, Grain grain) {
    const std::uint32_t self = size();
    const Step& step = trace.step_list()[self];
    const std::span accesses = accesses_of(trace, self);
    prepare(step);
    Event& event = begin_event(step, accesses);
    event.certain = grain == Grain::Fine && is_certain(step.op, accesses);
    one_object_ = accesses.size() == 1;
    const bool is_simple = one_object_ && never_blocks(accesses[0].kind) &&
                           !is_keyed(accesses[0].kind) && step.woken_in == no_step;
    if (is_simple)
        take_in_one(accesses[0], self);
    else
        take_in_all(step, accesses, self);
    set_clock(event);
    of_task_[step.task].steps.append(self);
    name_tasks(trace, self + 1);
}

/// Of a step that waited for nobody, and could not have: most of them.
void HappensBefore::take_in_one(const Access& access, std::uint32_t self) {
    const std::uint32_t place = chains_.place_of(access.object);
    chains_.for_each_unkeyed_rival_at(place, access.kind, [&](const Node& node) {
        return collect_rival(node, orders_all(node.kind));
    });
    chains_.put(place, access, self, events_[self].task);
    if (rivals_.size() == 1)
        races_.append({rivals_[0], self});
    else
        find_races(self);
}

void HappensBefore::take_in_all(const Step& step, std::span<const Access> accesses,
                                std::uint32_t self) {
    Event& event = events_[self];
    // Who passes what stays open takes nothing.
    event.waits = step.op == OpKind::Wait && step.woken_in != no_step &&
                  std::any_of(accesses.begin(), accesses.end(), [&](const Access& access) {
                      return access.object == step.object && access.kind == AccessKind::Write;
                  });
    for (std::size_t i = 0; i < accesses.size(); ++i) {
        const Access& access = accesses[i];
        event.shares = event.shares || access.kind == AccessKind::AcquireShared ||
                       access.kind == AccessKind::ReleaseShared;
        const bool acquisition = acquires(access.kind);
        const bool tried = acquisition && i > 0 && accesses[i - 1].object == access.object &&
                           accesses[i - 1].kind == AccessKind::Write;
        const std::uint32_t place = chains_.place_of(access.object);
        const bool is_new = chains_.put(place, access, self, step.task);
        if ((is_new || acquisition) && !tried) collect(place, access, self);
    }
    find_races(self);
    if (event.waits) find_earlier_wait(step.object, self);
    if (step.woken_in != no_step) enablings_.append({step.woken_in, self});
    for (const std::uint32_t release : releases_)
        enablings_.append({release, self});
}

/// The rival of a wait is the wait before it, whatever call made this one possible: it could have
/// taken what that one took.
void HappensBefore::find_earlier_wait(std::uint64_t completion, std::uint32_t self) {
    for (std::uint32_t at = chains_.latest_at(chains_.place_of(completion)); at != 0;
         at = chains_[at].before) {
        const std::uint32_t event = chains_[at].event;
        if (event == self || !events_[event].waits) continue;
        if (is_past(event, cause_)) return;
        const bool known =
            std::any_of(races_.begin() + events_[self].races, races_.end(),
                        [&](const ReversibleRace& race) { return race.first == event; });
        if (!known) races_.append({event, self});
        if (within_ == Within::AllOrders) return;
    }
}

/// Gives a step a clock of its own: the one that it shared, and the step.
void HappensBefore::own_clock(Event& event, std::uint32_t other) {
    clocks_used_ += tasks();
    if (clocks_.size() < clocks_used_) clocks_.resize(2 * clocks_used_);
    std::uint32_t* const own = clocks_.data() + event.clocks;
    const bool knew_nothing = event.names == 0;
    const Event& former = knew_nothing ? events_[other] : event;
    std::copy_n(clocks_.data() + former.clock, former.names, own);
    std::fill(own + former.names, own + tasks(), 0);
    event.clock = event.clocks;
    event.names = tasks_;
    if (knew_nothing)
        own[events_[other].task] = other + 1;
    else
        join(own, other);
}

[[gnu::always_inline]] inline void HappensBefore::learn(Event& event, std::uint32_t other) {
    event.follows = std::max(event.follows, other + 1);
    const std::uint32_t task = events_[other].task;
    if (task == event.task || is_in_clock(other, task, event)) return;
    ++news_;
    newest_ = other;
    if (clocks_used_ == event.clocks)
        own_clock(event, other);
    else
        join(clocks_.data() + event.clock, other);
}

/// A step that nothing new comes before shares the clock of its task's step before.
void HappensBefore::set_clock(Event& event) {
    if (event.own_before != 0) {
        event.clock = events_[cause_ - 1].clock;
        event.names = events_[cause_ - 1].names;
    }
    news_ = 0;
    if (cause_ != 0) learn(event, cause_ - 1);
    if (enabler_ != 0) learn(event, enabler_ - 1);
    for (const std::uint32_t rival : rivals_)
        learn(event, rival);
    if (!acquisitions_.empty() || !releases_.empty()) learn_from_others(event);
    event.follows_one = news_ == 0 || (news_ == 1 && newest_ + 1 == event.follows);
}

[[gnu::noinline]] void HappensBefore::learn_from_others(Event& event) {
    for (const std::uint32_t acquisition : acquisitions_)
        learn(event, acquisition);
    for (const std::uint32_t release : releases_)
        learn(event, release);
}

std::vector<std::uint32_t> HappensBefore::rivals_of_blocked(std::uint32_t task,
                                                            const Access& attempt) {
    prepare({.object = attempt.object, .task = task});
    one_object_ = true;
    collect(chains_.place_of(attempt.object), attempt, size());
    std::vector<std::uint32_t> found(acquisitions_.begin(), acquisitions_.end());
    if (attempt.kind != AccessKind::Acquire)
        found.insert(found.end(), rivals_.begin(), rivals_.end());
    std::erase_if(found, [&](std::uint32_t event) { return knows(event); });
    return found;
}

}  // namespace sim
