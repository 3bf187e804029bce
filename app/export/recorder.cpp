#include "app/export/recorder.h"

#include <algorithm>
#include <tuple>

#include "app/export/object_text.h"
#include "model/invariants.h"
#include "model/probes.h"
#include "sim/lock.h"

namespace app::exporter {

void Recorder::begin() {
    recorded_ = Recorded{};
    state_ = SortedJson();
    held_.clear();
    waiting_.clear();
}

void Recorder::stepped(const sim::Scheduler& scheduler) {
    if (!reader_) return;
    if (scheduler.steps() == 0) begin();
    read_state(scheduler);
    read_locks(scheduler);
    read_choice(scheduler);
}

void Recorder::executed(const sim::Scheduler& scheduler, const sim::ExecutionResult& result) {
    if (!reader_) return;
    read_state(scheduler);
    read_locks(scheduler);
    const std::uint32_t end = scheduler.steps();
    for (auto* const open : {&held_, &waiting_})
        for (auto& [key, interval] : *open)
            interval.last = end == 0 ? 0 : end - 1;
    for (auto& [key, interval] : held_)
        recorded_.holds.push_back(interval);
    for (auto& [key, interval] : waiting_)
        recorded_.waits.push_back(interval);
    const auto earlier = [](const Interval& a, const Interval& b) {
        return std::tie(a.first, a.task, a.object) < std::tie(b.first, b.task, b.object);
    };
    std::sort(recorded_.holds.begin(), recorded_.holds.end(), earlier);
    std::sort(recorded_.waits.begin(), recorded_.waits.end(), earlier);
    recorded_.touched = scheduler.trace().touched();
    for (const model::Invariant& invariant : model::invariants())
        recorded_.evaluated.push_back(scheduler.probes()[model::probe_of(invariant.name)]);
    recorded_.result = result;
}

void Recorder::read_state(const sim::Scheduler& scheduler) {
    SortedJson now = reader_->read(scheduler);
    if (state_.is_null()) {
        recorded_.first = now;
    } else {
        recorded_.changes.push_back(difference(state_, now));
    }
    state_ = std::move(now);
}

void Recorder::name(const sim::Object& object) {
    if (!recorded_.names.contains(object.id()))
        recorded_.names.emplace(object.id(), object_text(object));
}

void Recorder::read_choice(const sim::Scheduler& scheduler) {
    if (scheduler.enabled().single()) return;
    scheduler.candidates(candidates_);
    ChoicePoint point{
        .step = scheduler.steps(), .ordinal = scheduler.choice_points(), .candidates = {}};
    for (const std::uint16_t slot : candidates_) {
        const sim::Task& task = scheduler.task(slot);
        const sim::Object* const object = task.pending_object;
        if (object != nullptr) name(*object);
        point.candidates.push_back(
            {task.name, task.pending_op, object == nullptr ? 0 : object->id()});
    }
    recorded_.choices.push_back(std::move(point));
}

void Recorder::read_locks(const sim::Scheduler& scheduler) {
    const std::uint32_t step = scheduler.steps();
    scheduler.enabled().for_each([&](unsigned slot) { read_held(scheduler.task(slot), step); });
    scheduler.for_each_blocked([&](const sim::Task& task) {
        read_held(task, step);
        read_waiting(task, step);
    });
    close(held_, recorded_.holds, step);
    close(waiting_, recorded_.waits, step);
}

void Recorder::read_held(const sim::Task& task, std::uint32_t step) {
    for (unsigned i = 0; i < task.held_count; ++i) {
        const sim::HeldLock& held = task.held[i];
        name(*held.lock);
        const std::uint32_t since = step == 0 ? 0 : step - 1;
        auto& interval = held_
                             .try_emplace({task.name, held.lock->id()},
                                          Interval{held.lock->id(), task.name, since, since,
                                                   held.shared(), held.where.function_name()})
                             .first->second;
        interval.last = step;
    }
}

void Recorder::read_waiting(const sim::Task& task, std::uint32_t step) {
    const sim::Object* const object =
        task.blocked_on != nullptr ? task.blocked_on : task.pending_object;
    if (object == nullptr) return;
    name(*object);
    auto& interval = waiting_
                         .try_emplace({task.name, object->id()},
                                      Interval{object->id(), task.name, step, step, false,
                                               task.blocked_where.function_name()})
                         .first->second;
    interval.last = step;
}

void Recorder::close(std::map<Key, Interval>& open, std::vector<Interval>& done,
                     std::uint32_t step) {
    for (auto it = open.begin(); it != open.end();) {
        if (it->second.last == step) {
            ++it;
            continue;
        }
        done.push_back(it->second);
        it = open.erase(it);
    }
}

}  // namespace app::exporter
