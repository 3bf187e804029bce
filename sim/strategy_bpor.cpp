#include "sim/strategy_bpor.h"

#include <algorithm>

#include "sim/blocked.h"

namespace sim {

// ---- the stack
// --------------------------------------------------------------------------------------------------

void BporStrategy::begin(const OpenBranch& branch) {
    frames_.clear();
    order_.truncate(0);
    began_ = false;
    first_new_ = 0;
    shared_ = fixed_ = 0;
    branch_ = branch;
    if (branch.node == nullptr) return;
    first_new_ = branch.node->depth;
    shared_ = fixed_ = std::size_t{first_new_} + 1;
    frames_.resize(shared_);
    std::uint16_t slot = branch.slot;
    for (auto node = branch.node; node != nullptr; node = node->parent) {
        Frame& frame = frames_[node->depth];
        frame.at = tree_.state_of(*node);
        frame.node = node;
        frame.slot = slot;
        slot = node->via;
    }
    for (std::uint32_t depth = 0; depth < frames_.size(); ++depth)
        choose_at(depth, frames_[depth].slot);
}

void BporStrategy::choose_at(std::uint32_t depth, unsigned slot) {
    Frame& frame = frames_[depth];
    frame.slot = static_cast<std::uint16_t>(slot);
    frame.done.set(slot);
    frame.resolved = false;
    const bool goes_on = depth > 0 && frames_[depth - 1].slot == slot;
    frame.block = goes_on ? frames_[depth - 1].block : depth;
    const std::uint32_t idle_before = depth > 0 ? frames_[depth - 1].idle : never;
    frame.idle = frame.at.idle ? depth : idle_before;
}

void BporStrategy::note_spent(const Frame& frame) {
    if (frame.at.deviations + 1 == max_deviations_ && !frame.at.free.test(frame.slot)) ++spent_;
}

bool BporStrategy::next_execution() {
    if (!began_) {
        began_ = true;
        if (!frames_.empty()) note_spent(frames_.back());
        return true;
    }
    for (; frames_.size() > fixed_; frames_.pop_back()) {
        Frame& frame = frames_.back();
        TaskSet left = frame.at.asked;
        left.remove(frame.done);
        if (left.empty()) continue;
        first_new_ = static_cast<std::uint32_t>(frames_.size() - 1);
        choose_at(first_new_, left.first());
        note_spent(frame);
        order_.truncate(first_new_);
        return true;
    }
    return false;
}

void BporStrategy::take_in_steps(const Scheduler& scheduler) {
    if (scheduler.steps() == 0 && order_.size() == 0) order_.begin(scheduler.trace());
    while (order_.size() < scheduler.steps())
        order_.add(scheduler.trace(), scheduler.grain());
}

Choice BporStrategy::choose(Scheduler& scheduler) {
    const std::uint32_t depth = scheduler.steps();
    take_in_steps(scheduler);
    if (depth == frames_.size()) open_frame(scheduler);
    Frame& frame = frames_[depth];
    frame.is_event = scheduler.events().test(frame.slot);
    if (!(frame.at.enabled == scheduler.enabled())) return Choice::diverged();
    if (!frame.resolved) frame.index = scheduler.index_of(frame.slot);
    frame.resolved = true;
    return {frame.slot, frame.index};
}

void BporStrategy::open_frame(const Scheduler& scheduler) {
    Frame frame;
    frame.at.enabled = scheduler.enabled();
    frame.at.deviations = scheduler.deviations();
    const unsigned usual = scheduler.default_choice();
    frame.at.free.set(usual);
    frame.at.goes_on = scheduler.default_goes_on();
    TaskSet tasks = frame.at.enabled;
    frame.at.idle = tasks.remove(scheduler.events()).empty();
    if (!frame.at.goes_on && !frame.at.enabled.single()) {
        frame.at.enabled.for_each([&](unsigned slot) {
            if (!scheduler.is_deviation(slot)) frame.at.free.set(slot);
        });
    }
    frame.at.asked.set(usual);
    frames_.push_back(std::move(frame));
    choose_at(static_cast<std::uint32_t>(frames_.size() - 1), usual);
    frames_.back().resolved = true;  // the first of the candidates
}

// ---- sharing
// ----------------------------------------------------------------------------------------------------

void BporStrategy::share_down_to(std::size_t depth) {
    for (; shared_ <= depth; ++shared_) {
        Frame& frame = frames_[shared_];
        const bool root = shared_ == 0;
        frame.node = std::make_shared<SharedBranching>(SharedBranching{
            root ? nullptr : frames_[shared_ - 1].node, static_cast<std::uint32_t>(shared_),
            root ? std::uint16_t{0} : frames_[shared_ - 1].slot, frame.at});
    }
}

std::vector<OpenBranch> BporStrategy::give_at(std::size_t depth) {
    Frame& frame = frames_[depth];
    TaskSet left = frame.at.asked;
    left.remove(frame.done);
    std::vector<OpenBranch> given;
    if (left.empty()) return given;
    share_down_to(depth);
    left.for_each([&](unsigned slot) {
        given.push_back({frame.node, static_cast<std::uint16_t>(slot)});
    });
    frame.done |= left;
    return given;
}

void BporStrategy::share() {
    for (std::size_t depth = shared_; depth < frames_.size(); ++depth) {
        auto given = give_at(depth);
        if (given.empty()) continue;
        tree_.give(std::move(given));
        fixed_ = std::max(fixed_, depth + 1);
        return;
    }
}

void BporStrategy::share_all() {
    if (!began_) {
        tree_.give({branch_});
        return;
    }
    for (std::size_t depth = shared_; depth < frames_.size(); ++depth)
        tree_.give(give_at(depth));
    fixed_ = frames_.size();
}

// ---- races
// ------------------------------------------------------------------------------------------------------

void BporStrategy::ask(std::uint32_t depth, TaskSet tasks) {
    Frame& frame = frames_[depth];
    tasks = tasks & frame.at.enabled;
    // What an event costs out of its turn depends on whom it passes.
    TaskSet out_of_turn = tasks;
    out_of_turn.remove(frame.at.free);
    if (!out_of_turn.empty() && !frame.at.goes_on) tasks |= frame.at.enabled;
    if (frame.at.deviations >= max_deviations_) {
        const TaskSet free = tasks & frame.at.free;
        tasks.remove(free);
        refuse(depth, tasks);
        tasks = free;
    }
    tasks.remove(frame.at.asked);
    if (tasks.empty()) return;
    frame.at.asked |= tasks;
    if (depth >= shared_) return;
    frame.done |= tasks;
    tree_.ask(frame.node, tasks);
}

void BporStrategy::refuse(std::uint32_t depth, TaskSet tasks) {
    Frame& frame = frames_[depth];
    tasks.remove(frame.at.refused);
    if (tasks.empty()) return;
    frame.at.refused |= tasks;
    refused_ += depth < shared_ ? tree_.refuse(frame.node, tasks) : tasks.count();
}

/// Whether all have been asked for here, or refused.
bool BporStrategy::is_settled(std::uint32_t depth) const {
    const Branching& at = frames_[depth].at;
    TaskSet open = at.enabled;
    return open.remove(at.asked).remove(at.refused).empty();
}

/// Who can go first at `from`, so that the late step comes about from there: whoever does what it
/// needs, or its own task.
TaskSet BporStrategy::initials(std::uint32_t from, std::uint16_t late) {
    candidates_.clear();
    for (std::uint32_t task = 0; task < needs_.size(); ++task)
        if (needs_[task] > from) candidates_.push_back(order_.first_of_task(task, from));
    TaskSet tasks;
    if (candidates_.empty()) tasks.set(late);
    for (const std::uint32_t step : candidates_)
        if (std::none_of(candidates_.begin(), candidates_.end(), [&](std::uint32_t other) {
                return other != step && order_.before(other, step);
            }))
            tasks.set(frames_[step].slot);
    return tasks;
}

void BporStrategy::ask_before(std::uint32_t step, std::uint16_t late) {
    TaskSet tasks = initials(step, late);
    if ((tasks & frames_[step].at.enabled).empty()) tasks = frames_[step].at.enabled;
    ask(step, tasks);
}

/// Where a race with this first step asks for its second, besides there.
/// @return whether it can make a difference at all
bool BporStrategy::find_places(std::uint32_t first) {
    places_.clear();
    const auto add = [&](std::uint32_t step) {
        if (!is_settled(step)) places_.push_back(step);
    };
    const std::uint32_t block = frames_[first].block;
    if (block != first) add(block);
    const auto& enablings = order_.enablings();
    for (std::size_t i = order_.enablings_before(block);
         i < enablings.size() && enablings[i].second == block; ++i)
        if (frames_[enablings[i].first].is_event) add(enablings[i].first);
    if (frames_[first].idle < first) add(frames_[first].idle);
    if (const std::uint32_t start = order_.first_of_task(order_[first].task, 0); start < first)
        add(start);
    for (std::uint32_t at = order_.creator_of(first); at != 0; at = order_.creator_of(at - 1)) {
        if (frames_[at - 1].is_event) add(at - 1);
        add(frames_[at - 1].block);
    }
    for (const std::uint32_t step : deviated_) {
        if (step > first) break;
        if (step != first) add(step);
        if (step > 0) add(frames_[step - 1].block);
    }
    return !places_.empty() || !is_settled(first);
}

/// After find_places(), with what the late step needs in needs_.
void BporStrategy::reverse(std::uint32_t first, std::uint16_t late, bool may_block) {
    if (may_block || !is_settled(first)) {
        const TaskSet tasks = initials(first + 1, late);
        const bool possible = !(tasks & frames_[first].at.enabled).empty();
        if (may_block && !possible) return;  // it was blocked
        ask(first, possible ? tasks : frames_[first].at.enabled);
    }
    for (const std::uint32_t step : places_)
        ask_before(step, late);
}

void BporStrategy::execution_ended(Outcome outcome, Scheduler& scheduler) {
    if (outcome == Outcome::Nondeterministic || scheduler.steps() == 0) return;
    take_in_steps(scheduler);
    deviated_.clear();
    for (std::uint32_t step = 0; step < frames_.size(); ++step)
        if (!frames_[step].at.free.test(frames_[step].slot)) deviated_.push_back(step);
    reverse_races();
    reverse_blocked(scheduler);
    reverse_end(scheduler);
}

/// A step of several accesses needs the releases of what it takes, too, where the first one is not
/// their cause.
void BporStrategy::need_releases(std::uint32_t first, std::uint32_t second) {
    const auto& enablings = order_.enablings();
    for (std::size_t i = order_.enablings_before(second); i < enablings.size(); ++i) {
        const auto [release, enabled] = enablings[i];
        if (enabled != second) break;
        if (release > first && !order_.before(first, release)) order_.join(needs_, release);
    }
}

void BporStrategy::reverse_races() {
    const auto& races = order_.races();
    for (std::size_t i = order_.races_before(first_new_); i < races.size(); ++i) {
        const auto [first, second] = races[i];
        if (!find_places(first)) continue;
        if (order_[second].waits) {
            order_.causes_of(second, needs_);
        } else {
            order_.needs_of(second, needs_);
        }
        need_releases(first, second);
        reverse(first, frames_[second].slot);
    }
    const auto& enablings = order_.enablings();
    for (std::size_t i = order_.enablings_before(first_new_); i < enablings.size(); ++i) {
        const auto [first, second] = enablings[i];
        if (!find_places(first)) continue;
        order_.causes_of(second, needs_);
        const bool possible_before = needs_[order_[first].task] <= first;
        if (possible_before) reverse(first, frames_[second].slot, true);
    }
}

/// Those who wait when all is over take part as if they had got what they wait for (soundness, 3);
/// and a timer that was cancelled could have fired before.
void BporStrategy::reverse_blocked(const Scheduler& scheduler) {
    scheduler.for_each_blocked([&](const Task& task) {
        const auto attempt = blocked_attempt(task);
        if (!attempt) return;
        for (const std::uint32_t event : order_.rivals_of_blocked(task.name, *attempt)) {
            if (!find_places(event)) continue;
            order_.causes_of_next(task.name, needs_);
            reverse(event, task.slot);
        }
    });
    for (const Scheduler::Withdrawn& event : scheduler.withdrawn()) {
        if (!find_places(event.step)) continue;
        order_.causes_of_next(event.name, needs_);
        reverse(event.step, event.slot);
    }
}

/// Who could still have gone on when the execution was over could have done so before its last
/// step.
void BporStrategy::reverse_end(const Scheduler& scheduler) {
    scheduler.enabled().for_each([&](unsigned slot) {
        if (slot == frames_.back().slot || !find_places(order_.size() - 1)) return;
        order_.causes_of_next(scheduler.task(slot).name, needs_);
        reverse(order_.size() - 1, static_cast<std::uint16_t>(slot));
    });
}

}  // namespace sim
