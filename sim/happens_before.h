#pragma once
#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "sim/access_chains.h"
#include "sim/scheduler.h"
#include "sim/sequence.h"
#include "sim/trace.h"

namespace sim {

/// Two steps that could have come in the other order: `first` happens before `second`, nothing
/// between them orders them too, and `second` was possible without it.
struct ReversibleRace {
    std::uint32_t first = 0, second = 0;
};

/// Happens-before among the steps of the execution that is being searched, and its reversible races
/// (Abdulla, Aronis, Jonsson, Sagonas, JACM 2017), step by step; the last steps can be taken back.
///
/// The race of two critical sections is acquisition against acquisition: what the second needs a
/// release for is no rival, and the way through that release does not hide the race (soundness, 3).
class HappensBefore {
  public:
    /// What the search that asks may run. Within a bound of deviations
    /// - an event's age decides whether its turn has come, so the order in which events are created
    /// counts;
    /// - the way to a reversal may need more deviations than the reversal. So races are listed that
    /// others lead to as well: a step's rivals are all steps that it does not commute with, back to
    /// what comes before it whatever it touches.
    enum class Within : std::uint8_t { AllOrders, Bound };
    explicit HappensBefore(AccessSets& sets) : sets_(&sets) {}
    /// For races alone: no event has its accesses.
    explicit HappensBefore(Within within = Within::AllOrders) : within_(within) {}

    struct Event {
        std::uint64_t path = 0;  // the task's name: by cause
        std::uint32_t task = 0;  // its number in this execution
        AccessSets::Id accesses = 0;
        std::uint32_t clock = 0;       // into clocks_; its own task's entry there means nothing
        std::uint32_t names = 0;       // entries of its clock
        std::uint32_t own_before = 0;  // its task's steps before it
        std::uint32_t cause = 0;       // the last of them, or the task's creation, plus 1
        std::uint32_t enabler = 0;     // the step that woke it up for this one, plus 1
        std::uint32_t follows = 0;     // the last step that comes before it, plus 1; 0: none
        bool follows_one = false;      // that, and what its task's step before knows, is all of it
        bool certain = false;          // it would touch the same before a rival
        bool shares = false;           // it took or left a lock that others may hold with it
        bool waits = false;            // it took what a completion had for it
        // How many there were before it.
        std::uint32_t tasks = 0, clocks = 0, accesses_before = 0, races = 0, enablings = 0;
    };
    static_assert(sizeof(Event) == 64);  // they are counted and looked up all the time

    /// Before the first step of an execution.
    void begin(const Trace& trace);
    /// Takes in the next step of the trace, which has ended.
    [[gnu::hot]] void add(const Trace& trace, Grain grain);
    /// Forgets all but the first `count` steps.
    [[gnu::hot]] void truncate(std::uint32_t count);

    std::uint32_t size() const { return events_.size(); }
    const Event& operator[](std::uint32_t event) const { return events_[event]; }
    /// How many tasks there are so far: the size of a clock.
    std::uint32_t tasks() const { return tasks_; }
    bool before(std::uint32_t a, std::uint32_t b) const {
        const Event& later = events_[b];
        const std::uint32_t task = events_[a].task;
        return task == later.task ? a <= b : is_in_clock(a, task, later);
    }
    /// Adds what happens before a step, and the step itself, to a clock (by task, plus 1).
    void join(std::vector<std::uint32_t>& clock, std::uint32_t event) const {
        join(clock.data(), event);
    }
    /// A clock: what came before a step whatever it touched, the wake-up that it followed included.
    void needs_of(std::uint32_t event, std::vector<std::uint32_t>& clock) const;
    /// The same without the wake-up: its task's steps and what they followed.
    void causes_of(std::uint32_t event, std::vector<std::uint32_t>& clock) const;
    /// The same of a task's next step, which was not run.
    void causes_of_next(std::uint32_t task, std::vector<std::uint32_t>& clock) const;
    /// The first step of a task from `from` on; size() if there is none.
    std::uint32_t first_of_task(std::uint32_t task, std::uint32_t from) const;
    /// A task's step, by the number of its steps before that; size() if there is none.
    std::uint32_t step_of_task(std::uint32_t task, std::uint32_t own) const {
        const auto& steps = of_task_[task].steps;
        return own < steps.size() ? steps[own] : size();
    }
    std::uint32_t steps_of_task(std::uint32_t task) const { return of_task_[task].steps.size(); }
    /// The next step from `from` on that does not happen after `first`; size() if there is none.
    std::uint32_t next_not_after(std::uint32_t first, std::uint32_t from) const {
        const std::uint32_t task = events_[first].task, end = size();
        const std::uint32_t* const clocks = clocks_.data();
        for (const Event* event = events_.data() + from; from < end; ++from, ++event)
            if (event->task != task &&
                (task >= event->names || clocks[event->clock + task] <= first))
                break;
        return from;
    }
    /// A task's last step so far, or the one that created it, plus 1; 0: neither.
    std::uint32_t cause_of_next(std::uint32_t task) const {
        const OfTask& of = of_task_[task];
        return of.steps.empty() ? of.born : of.steps.back() + 1;
    }
    /// The step that created a step's task, plus 1; 0: none did.
    std::uint32_t creator_of(std::uint32_t event) const {
        return of_task_[events_[event].task].born;
    }
    /// A task's name: by cause.
    std::uint64_t path_of(std::uint32_t task) const { return of_task_[task].path; }
    /// The number of the task of that name; tasks() if there is none.
    /// @param likely  it, most probably
    std::uint32_t task_of(std::uint64_t path, std::uint32_t likely) const {
        if (likely < tasks_ && of_task_[likely].path == path) return likely;
        std::uint32_t task = 0;
        while (task < tasks_ && of_task_[task].path != path)
            ++task;
        return task;
    }
    /// Visits the steps after `first` with an access that does not commute with this one, the
    /// latest first, until one returns false.
    /// @return whether all were visited
    template <class Visit>
    bool for_each_access_after(std::uint32_t first, const Access& access, Visit&& visit) const {
        bool all = true;
        chains_.for_each_rival(access, [&](const AccessChains::Node& node) {
            return node.event > first && (all = visit(node.event));
        });
        return all;
    }
    /// The same between `first` and a step, of those that do not commute with that.
    template <class Visit>
    bool for_each_rival_between(std::uint32_t first, std::uint32_t second, Visit&& visit) const {
        const std::uint32_t end =
            second + 1 < size() ? events_[second + 1].accesses_before : chains_.size();
        bool all = true;
        for (std::uint32_t i = events_[second].accesses_before; all && i < end; ++i)
            chains_.for_each_rival_before(chains_[i + 1], [&](const AccessChains::Node& node) {
                return node.event > first && (all = visit(node.event));
            });
        return all;
    }
    /// Reversible races, by their second step.
    const Sequence<ReversibleRace>& races() const { return races_; }
    /// How many of them end before step `event`.
    std::uint32_t races_before(std::uint32_t event) const {
        return event < size() ? events_[event].races : races_.size();
    }
    /// What made steps possible that might have been blocked: a release or a wake-up, and the step.
    const Sequence<ReversibleRace>& enablings() const { return enablings_; }
    std::uint32_t enablings_before(std::uint32_t event) const {
        return event < size() ? events_[event].enablings : enablings_.size();
    }
    /// The steps that an attempt which is blocked at the end could have come before: what its races
    /// would be, were it executed.
    std::vector<std::uint32_t> rivals_of_blocked(std::uint32_t task, const Access& attempt);

  private:
    using Node = AccessChains::Node;
    struct OfTask {
        std::uint64_t path = 0;  // its name: by cause
        std::uint32_t born = 0;  // the creating step, plus 1
        Sequence<std::uint32_t> steps;
        Sequence<AccessSets::Id> last_sets;  // by its steps, in any execution
    };

    std::span<const Access> accesses_of(const Trace& trace, std::uint32_t step) {
        return within_ == Within::AllOrders || tasks_ == trace.names().size()
                   ? trace.accesses_of(step)
                   : accesses_and_submission(trace, step);
    }
    std::span<const Access> accesses_and_submission(const Trace& trace, std::uint32_t step);
    Event& begin_event(const Step& step, std::span<const Access> accesses);
    void take_in_one(const Access& access, std::uint32_t self);
    [[gnu::noinline]] void take_in_all(const Step& step, std::span<const Access> accesses,
                                       std::uint32_t self);
    void join(std::uint32_t* clock, std::uint32_t event) const;
    void set_clock(Event& event);
    [[gnu::hot]] void own_clock(Event& event, std::uint32_t other);
    inline void learn(Event& event, std::uint32_t other);
    void learn_from_others(Event& event);
    AccessSets::Id set_of(OfTask& task, std::span<const Access> accesses);
    void name_tasks(const Trace& trace, std::uint32_t steps) {
        if (tasks_ != trace.names().size()) name_new_tasks(trace, steps);
    }
    void name_new_tasks(const Trace& trace, std::uint32_t steps);
    void prepare(const Step& step);
    void collect(std::uint32_t place, const Access& access, std::uint32_t self);
    inline bool collect_rival(const Node& node, bool is_after_rest);
    template <class Visit>
    std::uint32_t visit_back_to_exclusive(std::uint32_t place, std::uint32_t self, Visit&& visit);
    void remember_holder(std::uint32_t at);
    void collect_for_reader(std::uint32_t place, std::uint32_t self);
    void collect_for_writer(std::uint32_t place, bool queues, std::uint32_t self);
    void collect_holdings(std::uint32_t place, AccessKind kind, std::uint32_t self);
    bool is_queued(std::uint32_t place) const;
    bool is_downgrade(const Node& node) const;
    inline void remember(Sequence<std::uint32_t>& list, std::uint32_t event) const;
    void remember_last(Sequence<std::uint32_t>& list, std::uint32_t event) const;
    bool is_rival(std::uint32_t event) const {
        return std::find(rivals_.begin(), rivals_.end(), event) != rivals_.end();
    }
    /// Whether it comes before a release that the step being taken in needs.
    bool is_before_release(std::uint32_t event) const {
        return std::any_of(releases_.begin(), releases_.end(),
                           [&](std::uint32_t release) { return is_past(event, release + 1); });
    }
    bool is_hidden(std::uint32_t event) const;
    [[gnu::hot]] void find_races(std::uint32_t self);
    void find_earlier_wait(std::uint64_t completion, std::uint32_t self);
    /// Whether a step of a task is another one (its number plus 1; 0: none), or comes before it.
    bool is_past(std::uint32_t event, std::uint32_t task, std::uint32_t of) const {
        if (of == 0) return false;
        const Event& later = events_[of - 1];
        return task == later.task ? event < of : is_in_clock(event, task, later);
    }
    /// Whether a step of another task comes before a step.
    bool is_in_clock(std::uint32_t event, std::uint32_t task, const Event& later) const {
        return task < later.names && clocks_[later.clock + task] > event;
    }
    bool is_past(std::uint32_t event, std::uint32_t of) const {
        return is_past(event, events_[event].task, of);
    }
    /// Whether a step comes before the one being taken in, whatever that touches.
    bool knows(std::uint32_t event) const { return knows(event, events_[event].task); }
    bool knows(const Node& node) const { return knows(node.event, node.task); }
    bool knows(std::uint32_t event, std::uint32_t task) const {
        return is_past(event, task, cause_) || is_past(event, task, enabler_);
    }

    AccessSets* sets_ = nullptr;
    Within within_ = Within::AllOrders;
    Sequence<Event> events_;
    std::vector<std::uint32_t> clocks_;  // the first clocks_used_
    std::size_t clocks_used_ = 0;
    AccessChains chains_;
    std::vector<OfTask> of_task_;  // by number; the first tasks_
    std::uint32_t tasks_ = 0;
    Sequence<ReversibleRace> races_, enablings_;
    // Of the step being taken in: its cause and enabler (plus 1), steps that it conflicts with and
    // that do not come before it anyway, acquisitions whose holding had to end for it, releases.
    std::vector<Access> with_submission_;
    std::uint32_t cause_ = 0, enabler_ = 0;
    bool one_object_ = false;              // is all it touches
    std::uint32_t news_ = 0, newest_ = 0;  // those that its task did not know of, and the last one
    Sequence<std::uint32_t> rivals_, acquisitions_, releases_, left_;
};

}  // namespace sim
