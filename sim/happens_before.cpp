#include "sim/happens_before.h"

#include <algorithm>

namespace sim {
namespace {

constexpr std::uint64_t submission_queue = 1;  // no object has this identity

bool orders_all(AccessKind kind) {
    return kind == AccessKind::Write || kind == AccessKind::Acquire ||
           kind == AccessKind::Release || kind == AccessKind::Queue;
}
bool acquires(AccessKind kind) {
    return kind == AccessKind::Acquire || kind == AccessKind::AcquireShared;
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
    races_.resize(first.races);
    enablings_.resize(first.enablings);
    clocks_used_ = first.clocks;
    for (std::uint32_t i = size(); i-- > count;) {
        auto& steps = steps_of_[events_[i].task];
        steps.pop_back();
        last_of_task_[events_[i].task] = steps.empty() ? 0 : steps.back() + 1;
    }
    last_of_task_.resize(first.tasks);
    born_.resize(first.tasks);
    paths_.resize(first.tasks);
    events_.resize(count);
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
void HappensBefore::remember(std::vector<std::uint32_t>& list, std::uint32_t event) const {
    const bool known = one_object_ ? !list.empty() && list.back() == event
                                   : std::find(list.begin(), list.end(), event) != list.end();
    if (!known) list.push_back(event);
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
void HappensBefore::remember_last(std::vector<std::uint32_t>& list, std::uint32_t event) const {
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
        if (node.kind == AccessKind::Write) remember(rivals_, node.event);
        if (node.kind == AccessKind::ReleaseShared) left_.push_back(node.event);
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
        } else if (!acquires(node.kind)) {
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
        const std::size_t before = acquisitions_.size();
        if (access.kind == AccessKind::AcquireShared) {
            collect_for_reader(place, self);
        } else {
            collect_for_writer(place, queues, self);
        }
        if (within_ == Within::AllOrders) return;
        acquisitions_.resize(before);  // those are among all holdings
        return collect_holdings(place, access.kind, self);
    }
    chains_.for_each_rival_at(place, access, [&](const Node& node) {
        if (node.event == self) return true;
        const bool known = knows(node);
        if (!known) remember(rivals_, node.event);
        if (within_ == Within::Bound && !known) return true;
        // What came before the same key's insertion is ordered before that.
        const bool same_key = node.kind == AccessKind::Insert && is_keyed(access.kind);
        return !orders_all(node.kind) && !same_key;
    });
}

void HappensBefore::find_races(std::uint32_t self) {
    if (rivals_.empty() && acquisitions_.empty()) return;
    if (rivals_.size() == 1 && acquisitions_.empty() && releases_.empty()) {
        if (!knows(rivals_[0])) races_.push_back({rivals_[0], self});
        return;
    }
    const auto is_rival = [&](std::uint32_t event) {
        const auto leads_to = [&](std::uint32_t release) { return is_past(event, release + 1); };
        return !knows(event) && std::none_of(releases_.begin(), releases_.end(), leads_to);
    };
    std::uint32_t followed = 0;  // by rivals
    for (const std::uint32_t event : rivals_)
        followed = std::max(followed, events_[event].follows);
    const auto hidden = [&](std::uint32_t event) {
        if (within_ == Within::Bound || followed <= event) return false;
        return std::any_of(rivals_.begin(), rivals_.end(), [&](std::uint32_t other) {
            return other != event && is_rival(other) && before(event, other);
        });
    };
    for (const std::uint32_t event : rivals_)
        if (is_rival(event) && !hidden(event)) races_.push_back({event, self});
    for (const std::uint32_t event : acquisitions_) {
        const bool known =
            is_rival(event) && std::find(rivals_.begin(), rivals_.end(), event) != rivals_.end();
        if (!known && !knows(event) && !hidden(event)) races_.push_back({event, self});
    }
}

void HappensBefore::begin(const Trace& trace) {
    truncate(0);
    last_of_task_.clear();
    born_.clear();
    paths_.clear();
    name_tasks(trace, 0);
}

/// Takes in the tasks that existed once so many steps had begun.
void HappensBefore::name_tasks(const Trace& trace, std::uint32_t steps) {
    const auto& names = trace.names();
    if (born_.size() == names.size()) return;
    while (born_.size() < names.size() && names[born_.size()].born <= steps) {
        paths_.push_back(names[born_.size()].path);
        born_.push_back(steps);
    }
    last_of_task_.resize(born_.size(), 0);
    if (steps_of_.size() < born_.size()) {
        steps_of_.resize(born_.size());
        last_sets_.resize(born_.size());
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
    const auto& steps = steps_of_[task];
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
std::span<const Access> HappensBefore::accesses_of(const Trace& trace, std::uint32_t step) {
    const std::span accesses = trace.accesses_of(step);
    if (within_ == Within::AllOrders || born_.size() == trace.names().size()) return accesses;
    const auto is_event = [](const Trace::TaskName& name) {
        return name.kind == TaskKind::Completion || name.kind == TaskKind::Timer;
    };
    bool submits = false;
    for (std::size_t task = born_.size();
         task < trace.names().size() && trace.names()[task].born <= step + 1; ++task)
        submits = submits || is_event(trace.names()[task]);
    if (!submits) return accesses;
    with_submission_.assign(accesses.begin(), accesses.end());
    with_submission_.push_back({submission_queue, 0, AccessKind::Write});
    return with_submission_;
}

/// Mostly a task's step touches what it touched when the task came there last.
AccessSets::Id HappensBefore::set_of(const Event& event, std::span<const Access> accesses) {
    auto& last = last_sets_[event.task];
    if (last.size() <= event.own_before) last.resize(event.own_before + std::size_t{1});
    AccessSets::Id& set = last[event.own_before];
    return set = sets_->intern(accesses, set);
}

void HappensBefore::add(const Trace& trace, Grain grain) {
    const std::uint32_t self = size();
    const Step& step = trace.step_list()[self];
    const std::span accesses = accesses_of(trace, self);
    prepare(step);
    one_object_ = accesses.size() == 1;
    Event& event = events_.emplace_back();
    event.task = step.task;
    event.path = paths_[step.task];
    event.certain = grain == Grain::Fine && is_certain(step.op, accesses);
    event.cause = cause_;
    event.enabler = enabler_;
    event.own_before = static_cast<std::uint32_t>(steps_of_[step.task].size());
    if (sets_ != nullptr) event.accesses = set_of(event, accesses);
    // Who passes what stays open takes nothing.
    event.waits = step.op == OpKind::Wait && step.woken_in != no_step &&
                  std::any_of(accesses.begin(), accesses.end(), [&](const Access& access) {
                      return access.object == step.object && access.kind == AccessKind::Write;
                  });
    event.accesses_before = chains_.size();
    event.races = static_cast<std::uint32_t>(races_.size());
    event.enablings = static_cast<std::uint32_t>(enablings_.size());

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
    if (step.woken_in != no_step) enablings_.push_back({step.woken_in, self});
    for (const std::uint32_t release : releases_)
        enablings_.push_back({release, self});

    set_clock(self);
    last_of_task_[event.task] = self + 1;
    steps_of_[event.task].push_back(self);
    name_tasks(trace, self + 1);
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
        if (!known) races_.push_back({event, self});
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
    event.names = static_cast<std::uint32_t>(tasks());
    if (knew_nothing)
        own[events_[other].task] = other + 1;
    else
        join(own, other);
}

/// A step that nothing new comes before shares the clock of its task's step before.
void HappensBefore::set_clock(std::uint32_t self) {
    Event& event = events_[self];
    event.clocks = static_cast<std::uint32_t>(clocks_used_);
    event.tasks = static_cast<std::uint32_t>(tasks());
    if (event.own_before != 0) {
        event.clock = events_[event.cause - 1].clock;
        event.names = events_[event.cause - 1].names;
    }
    std::uint32_t news = 0, newest = 0;
    const auto learn = [&](std::uint32_t other) {
        event.follows = std::max(event.follows, other + 1);
        if (before(other, self)) return;
        ++news;
        newest = other;
        if (clocks_used_ == event.clocks)
            own_clock(event, other);
        else
            join(clocks_.data() + event.clock, other);
    };
    for (const std::uint32_t cause : {cause_, enabler_})
        if (cause != 0) learn(cause - 1);
    for (const auto* const list : {&rivals_, &acquisitions_, &releases_})
        std::for_each(list->begin(), list->end(), learn);
    event.follows_one = news == 0 || (news == 1 && newest + 1 == event.follows);
}

std::vector<std::uint32_t> HappensBefore::rivals_of_blocked(std::uint32_t task,
                                                            const Access& attempt) {
    prepare({.object = attempt.object, .task = task});
    one_object_ = true;
    collect(chains_.place_of(attempt.object), attempt, size());
    std::vector<std::uint32_t> found = acquisitions_;
    if (attempt.kind != AccessKind::Acquire)
        found.insert(found.end(), rivals_.begin(), rivals_.end());
    std::erase_if(found, [&](std::uint32_t event) { return knows(event); });
    return found;
}

}  // namespace sim
