#include "sim/meaning.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "sim/scheduler.h"

namespace sim {
namespace {

constexpr std::size_t look_ahead = 500;  // recorded steps that a changed program may leave out

bool same_operation(const Meaning& a, const Meaning& b) {
    return a.task == b.task && a.op == b.op && a.object_class == b.object_class && a.key == b.key;
}

}  // namespace

std::string to_string(const Meaning& meaning) {
    std::string text = meaning.task + ": " + to_string(meaning.op);
    if (!meaning.object_class.empty())
        text += " " + meaning.object_class + " " + std::to_string(meaning.key);
    if (meaning.occurrence > 1) text += " (time " + std::to_string(meaning.occurrence) + ")";
    return text;
}

std::vector<Meaning> meanings(const Trace& trace) {
    std::vector<Meaning> all;
    std::map<std::tuple<std::string, OpKind, std::string, std::uint64_t>, std::uint32_t> seen;
    for (std::size_t i = 0; i < trace.step_list().size(); ++i) {
        const Step& step = trace.step_list()[i];
        const ObjectLabel& label = trace.labels().at(i);
        Meaning meaning{trace.task_name(step.task), step.op, label.object_class, label.key, 1};
        meaning.occurrence = ++seen[{meaning.task, meaning.op, meaning.object_class, meaning.key}];
        all.push_back(std::move(meaning));
    }
    return all;
}

MeaningReplay::MeaningReplay(std::vector<Meaning> recorded, OnDivergence mode)
    : recorded_(std::move(recorded)), mode_(mode) {}

bool MeaningReplay::next_execution() {
    const bool first = !ran_;
    ran_ = true;
    return first;
}

Meaning MeaningReplay::pending(const Scheduler& scheduler, unsigned slot) {
    const Task& task = scheduler.task(slot);
    Meaning meaning{scheduler.task_name(task), task.pending_op, "", 0, 1};
    if (task.pending_object != nullptr) {
        meaning.object_class = task.pending_object->cls().name;
        meaning.key = task.pending_object->key();
    }
    return meaning;
}

bool MeaningReplay::find_possible(const Scheduler& scheduler, std::size_t from, std::size_t limit,
                                  std::size_t& step, std::size_t& candidate) {
    std::vector<Meaning> possible;
    for (const std::uint16_t slot : candidates_)
        possible.push_back(pending(scheduler, slot));
    for (step = from; step < std::min(limit, recorded_.size()); ++step) {
        const auto at = std::find_if(possible.begin(), possible.end(), [&](const Meaning& m) {
            return same_operation(m, recorded_[step]);
        });
        if (at == possible.end()) continue;
        candidate = static_cast<std::size_t>(at - possible.begin());
        return true;
    }
    return false;
}

Choice MeaningReplay::choose(Scheduler& scheduler) {
    scheduler.candidates(candidates_);
    const auto take = [&](std::size_t candidate) {
        return Choice{candidates_[candidate], static_cast<std::uint16_t>(candidate)};
    };
    std::size_t step = 0;
    std::size_t candidate = 0;
    if (next_ >= recorded_.size()) return take(0);
    if (find_possible(scheduler, next_, next_ + 1, step, candidate)) {
        ++next_;
        return take(candidate);
    }
    if (mode_ == OnDivergence::Stop) {
        divergences_.push_back({scheduler.steps(), to_string(recorded_[next_]), "nothing"});
        return Choice::diverged();
    }
    const bool found = find_possible(scheduler, next_ + 1, next_ + look_ahead, step, candidate);
    const std::size_t chosen = found && mode_ == OnDivergence::Nearest ? candidate : 0;
    divergences_.push_back({scheduler.steps(), to_string(recorded_[next_]),
                            to_string(pending(scheduler, candidates_[chosen]))});
    if (found && (mode_ == OnDivergence::Nearest || candidate == 0)) next_ = step + 1;
    return take(chosen);
}

}  // namespace sim
