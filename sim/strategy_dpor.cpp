#include "sim/strategy_dpor.h"

#include <algorithm>

#include "sim/blocked.h"

namespace sim {

void DporStrategy::begin(const DporPart& part) {
    trees_ = {};
    frames_.clear();
    sleep_.clear();
    first_sleep_.clear();
    order_.truncate(0);
    first_new_ = 0;
    began_ = false;
    all_ended_ = true;
    for (const std::uint64_t path : part.prefix) {
        frames_.append().chosen.path = path;
    }
    fixed_ = frames_.size();
    // One of them covers an order of steps that begins with it, and none that it merely commutes
    // with: the branch that ran it first knows of that order only through a race that asks above.
    for (const DporPart::Sleeper& sleeper : part.sleepers)
        first_sleep_.append({sleeper.path, sets_.intern(sleeper.accesses), false});
}

bool DporStrategy::next_execution() {
    cut_ = false;
    if (!began_) return began_ = true;
    while (frames_.size() > fixed_) {
        Frame& frame = frames_.back();
        trees_.discard(frame.below);
        if (frame.rest != 0) {
            take_next(frame);
            return true;
        }
        frames_.pop_back();
    }
    return false;
}

/// Goes on with what is next at the last frame; what has been run there sleeps from now on.
void DporStrategy::take_next(Frame& frame) {
    const auto depth = frames_.size() - 1;
    sleep_.truncate(frame.sleepers.end);
    if (frame.resolved && depth < order_.size()) {
        const HappensBefore::Event& run = order_[depth];
        sleep_.append({run.path, run.accesses, true, run.task, run.own_before});
        ++frame.sleepers.end;
        frame.sleepers.objects |= sets_.objects_of(run.accesses);
    }
    order_.truncate(depth);
    take_asked(frame);
    frame.resolved = false;
    first_new_ = depth;
}

/// Chooses what is asked for first.
void DporStrategy::take_asked(Frame& frame) {
    frame.settled_from = trees_[frame.rest].settled_from();
    frame.below = trees_.take_first(frame.rest, frame.chosen);
    frame.asked = true;
}

Choice DporStrategy::choose(Scheduler& scheduler) {
    const std::uint32_t depth = scheduler.steps();
    if (depth == 0 && order_.size() == 0) order_.begin(scheduler.trace());
    if (depth == split_depth_) return split_off(scheduler);
    if (depth < fixed_ && !frames_[depth].resolved && !resolve(frames_[depth], scheduler))
        return Choice::diverged();
    if (depth < frames_.size()) {
        Frame& frame = frames_[depth];
        if (!frame.resolved) find_chosen(frame, scheduler);
        return pick(frame);
    }
    return open_frame(scheduler);
}

Choice DporStrategy::split_off(const Scheduler& scheduler) {
    take_in_last_step(scheduler);
    const std::uint32_t above = sleep_.size();
    const Sleepers sleepers = inherited_sleepers();
    DporPart part;
    for (const Frame& frame : frames_)
        part.prefix.push_back(frame.chosen.path);
    TaskSet awake = scheduler.enabled();
    for (const FutureStep& sleeper : sleepers_of(sleepers)) {
        const auto accesses = sets_.of(sleeper.accesses);
        part.sleepers.push_back({sleeper.path, {accesses.begin(), accesses.end()}});
        const unsigned slot = scheduler.enabled_slot(sleeper.path);
        if (slot != max_tasks) awake.reset(slot);
    }
    sleep_.truncate(above);
    cut_ = true;
    if (!awake.empty()) part_ = std::move(part);
    return Choice::cut();
}

bool DporStrategy::resolve(Frame& frame, const Scheduler& scheduler) {
    const unsigned slot = enabled_slot(frame.chosen, scheduler);
    if (slot == max_tasks) return false;
    frame.slot = static_cast<std::uint16_t>(slot);
    frame.index = scheduler.index_of(frame.slot);
    frame.resolved = true;
    return true;
}

/// The slot of a step's task; max_tasks if it cannot go on. Mostly it is the one that a task of
/// that number had last.
unsigned DporStrategy::enabled_slot(const FutureStep& step, const Scheduler& scheduler) {
    if (step.task >= most_numbers) return scheduler.enabled_slot(step.path);
    while (step.task >= last_slots_.size())
        last_slots_.append(0);
    unsigned& last = last_slots_[step.task];
    if (!scheduler.enabled().test(last) || scheduler.task(last).path != step.path) {
        const unsigned slot = scheduler.enabled_slot(step.path);
        if (slot == max_tasks) return slot;
        last = slot;
    }
    return last;
}

bool DporStrategy::sleeps(std::uint64_t path) const {
    const auto sleepers = sleepers_of(frames_.back().sleepers);
    return std::any_of(sleepers.begin(), sleepers.end(),
                       [&](const FutureStep& sleeper) { return sleeper.path == path; });
}

DporStrategy::Sleepers DporStrategy::first_sleepers() {
    sleep_ = first_sleep_;
    Sleepers sleepers{.end = sleep_.size()};
    for (const FutureStep& sleeper : sleep_)
        sleepers.objects |= sets_.objects_of(sleeper.accesses);
    return sleepers;
}

Choice DporStrategy::open_frame(Scheduler& scheduler) {
    take_in_last_step(scheduler);
    const bool first = frames_.size() == fixed_;
    const Sleepers sleepers = first ? first_sleepers() : inherited_sleepers();
    const WakeupTrees::Id rest = frames_.empty() ? 0 : std::exchange(frames_.back().below, 0);
    Frame& now = frames_.append();
    now.sleepers = sleepers;
    now.rest = rest;
    if (now.rest != 0) {
        take_asked(now);
        find_chosen(now, scheduler);
    } else {
        choose_default(now, scheduler);
        if (reduction_ == Reduction::Sleep) add_all_others(now, scheduler);
    }
    return pick(now);
}

/// The task that was to be run here; another where that one took in an earlier step what had been
/// foreseen for this one, and now waits.
void DporStrategy::find_chosen(Frame& frame, const Scheduler& scheduler) {
    if (resolve(frame, scheduler)) return;
    frame.settled_from = FutureStep::unknown;
    trees_.discard(frame.below);
    choose_default(frame, scheduler);
}

Choice DporStrategy::pick(const Frame& frame) {
    cut_ = !frame.resolved;
    return cut_ ? Choice::cut() : Choice{frame.slot, frame.index};
}

void DporStrategy::choose_default(Frame& frame, const Scheduler& scheduler) {
    const unsigned usual = scheduler.default_choice();
    if (!sleeps(scheduler.task(usual).path)) {
        frame.slot = static_cast<std::uint16_t>(usual);
        frame.index = 0;
    } else {
        scheduler.candidates(candidates_);
        const auto awake = std::find_if(candidates_.begin(), candidates_.end(), [&](unsigned slot) {
            return !sleeps(scheduler.task(slot).path);
        });
        if (awake == candidates_.end()) return;
        frame.slot = *awake;
        frame.index = static_cast<std::uint16_t>(awake - candidates_.begin());
    }
    frame.chosen = {scheduler.task(frame.slot).path, 0, false, scheduler.task(frame.slot).name};
    frame.resolved = true;
}

/// Sleep sets alone leave no transition out: every other one is a branch.
void DporStrategy::add_all_others(Frame& frame, const Scheduler& scheduler) {
    if (!frame.resolved) return;
    scheduler.candidates(candidates_);
    for (const std::uint16_t slot : candidates_) {
        const std::uint64_t path = scheduler.task(slot).path;
        if (slot != frame.slot && !sleeps(path)) trees_.extend(trees_.append(frame.rest), {path});
    }
}

void DporStrategy::take_in_last_step(const Scheduler& scheduler) {
    while (order_.size() < scheduler.steps())
        order_.add(scheduler.trace(), scheduler.grain());
}

/// Those go on sleeping that commute with the step that was run. Who asks for a step relies on it
/// that those that commute with all of it are covered where they ran; if nobody could tell, they
/// cover from now on what begins with them alone.
DporStrategy::Sleepers DporStrategy::inherited_sleepers() {
    const Sleepers above = frames_.back().sleepers;
    const bool trusted = !frames_.back().asked || frames_.back().chosen.certain;
    const AccessSets::Id touched = order_[order_.size() - 1].accesses;
    if (trusted && (above.objects & sets_.objects_of(touched)) == 0) return above;
    const auto wakes = [&](std::uint32_t i) {
        return sets_.dependent(sleep_[i].accesses, touched);
    };
    std::uint32_t first = above.begin;
    while (first < above.end && !wakes(first))
        ++first;
    if (first == above.end && trusted) return above;
    const std::uint32_t begin = sleep_.size();
    std::uint64_t objects = 0;
    for (std::uint32_t i = above.begin; i < above.end; ++i)
        if (i < first || (i > first && !wakes(i))) {
            sleep_.append(sleep_[i]);
            sleep_.back().certain = sleep_.back().certain && trusted;
            objects |= sets_.objects_of(sleep_[i].accesses);
        }
    return {begin, sleep_.size(), objects};
}

void DporStrategy::execution_ended(Outcome outcome, Scheduler& scheduler) {
    if (scheduler.steps() == 0) return;
    take_in_last_step(scheduler);
    if (reduction_ != Reduction::Dpor || outcome == Outcome::Nondeterministic) return;
    all_ended_ = all_ended_ && (cut_ || scheduler.enabled().empty());
    compare_with_foreseen(outcome, scheduler);
    if (!surprise_.empty()) return scheduler.set_diverged();
    reverse_races();
    reverse_withdrawn(scheduler);
    if (cut_) return;
    reverse_blocked(scheduler);
    reverse_end(scheduler);
}

/// A step that a violation broke off touched less than it would have.
void DporStrategy::compare_with_foreseen(Outcome outcome, const Scheduler& scheduler) {
    const std::uint32_t end = order_.size() - (outcome == Outcome::Violation ? 1 : 0);
    for (std::uint32_t i = first_new_; i < end; ++i) {
        const FutureStep& foreseen = frames_[i].chosen;
        if (!foreseen.certain || order_[i].accesses == foreseen.accesses) continue;
        surprise_ = "step " + std::to_string(i + 1) + ", by " +
                    scheduler.trace().task_name(order_[i].task) +
                    ", comes after the same steps as where it was found, and touches something "
                    "else: an access is not declared";
        return;
    }
}

void DporStrategy::insert_at(std::uint32_t depth) {
    if (depth < fixed_) return;  // there every task is a branch
    Frame& frame = frames_[depth];
    if (!reversal_.begins_with_one_of(sleepers_of(frame.sleepers)))
        reversal_.insert(trees_, frame.rest);
}

/// Whether both steps, x and then q, were asked for instead of a step e that raced with q. All that
/// can follow e has been run, so q before x has been, too; e raced with q there, and its reversal
/// asked at the same prefix for q without x before it. (Had an execution stopped while somebody
/// could go on, it might not have come so far.)
bool DporStrategy::is_settled(const ReversibleRace& race) const {
    return frames_[race.second].settled_from <= race.first && all_ended_;
}

void DporStrategy::reverse_races() {
    reversal_.begin_execution();
    const auto& races = order_.races();
    for (std::size_t i = order_.races_before(first_new_); i < races.size(); ++i) {
        if (races[i].first < fixed_ || is_settled(races[i])) continue;
        reversal_.begin(races[i].first, races[i].second);
        insert_at(races[i].first);
    }
}

/// From the prefix before a step, a task that was possible there and has not run since.
void DporStrategy::try_instead(std::uint32_t depth, const Task& task) {
    const std::uint32_t cause = order_.cause_of_next(task.name);
    if (task.path == order_[depth].path || cause > depth) return;  // not possible before it
    reversal_.begin(depth, {task.path, 0, false, task.name}, cause);
    insert_at(depth);
}

/// A task that waits for a lock or a completion when all is over takes part as if it had got it
/// (soundness, 3).
void DporStrategy::reverse_blocked(const Scheduler& scheduler) {
    scheduler.for_each_blocked([&](const Task& task) {
        const auto attempt = blocked_attempt(task);
        if (!attempt) return;
        const FutureStep step{task.path, sets_.intern({&*attempt, 1}),
                              attempt->kind != AccessKind::AcquireShared &&
                                  scheduler.grain() == Grain::Fine,
                              task.name};
        for (const std::uint32_t event : order_.rivals_of_blocked(task.name, *attempt)) {
            reversal_.begin(event, step, order_.cause_of_next(task.name));
            insert_at(event);
        }
    });
}

/// A timer that was cancelled could have fired before.
void DporStrategy::reverse_withdrawn(const Scheduler& scheduler) {
    for (const Scheduler::Withdrawn& event : scheduler.withdrawn()) {
        const std::uint32_t cause = order_.cause_of_next(event.name);
        if (cause > event.step) continue;
        reversal_.begin(event.step, {event.path, 0, false, event.name}, cause);
        insert_at(event.step);
    }
}

/// Who could still have gone on when the execution was over could have done so before its last
/// step.
void DporStrategy::reverse_end(const Scheduler& scheduler) {
    if (order_.size() == 0) return;
    scheduler.enabled().for_each(
        [&](unsigned slot) { try_instead(order_.size() - 1, scheduler.task(slot)); });
}

}  // namespace sim
