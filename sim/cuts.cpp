#include "sim/cuts.h"

#include <algorithm>
#include <set>

#include "sim/hash.h"

namespace sim {
namespace {

constexpr std::size_t bits = 64;

bool includes(const std::vector<std::uint64_t>& set, const std::vector<std::uint64_t>& part) {
    for (std::size_t i = 0; i < set.size(); ++i)
        if ((part[i] & ~set[i]) != 0) return false;
    return true;
}

bool has(const std::vector<std::uint64_t>& set, std::size_t mark) {
    return ((set[mark / bits] >> (mark % bits)) & 1) != 0;
}

}  // namespace

/// A step is called by its task and by the steps that it follows from.
void Cuts::name_steps(const HappensBefore& order) {
    order_ = &order;
    names_.assign(order.size(), 0);
    std::vector<std::uint32_t> last_before;  // of each task, plus 1
    for (std::uint32_t step = 0; step < order.size(); ++step) {
        const auto& event = order[step];
        last_before.assign(order.tasks(), 0);
        order.join(last_before, step);
        last_before[event.task] = event.cause;
        std::uint64_t sum = 0;
        for (const std::uint32_t last : last_before)
            if (last != 0) sum += hash_mix(names_[last - 1], 1);
        names_[step] = hash_mix(event.path, sum);
    }
}

Cuts::Set Cuts::with(Set set, std::size_t mark) const {
    set[mark / bits] |= std::uint64_t{1} << (mark % bits);
    return set;
}

void Cuts::group_steps(const Trace& trace) {
    marks_ = trace.marks();
    groups_.clear();
    marks_to_.clear();
    for (std::uint32_t step = 0; step < order_->size(); ++step) {
        Set group(marks_.size() / bits + 1, 0);
        for (std::size_t i = 0; i < marks_.size() && marks_[i] <= step; ++i)
            if (order_->before(marks_[i], step)) group = with(std::move(group), i);
        groups_[group] += names_[step];
        marks_to_.push_back(std::move(group));
    }
}

/// Of the largest set of steps that has these marks and no other.
std::uint64_t Cuts::name_of(const Set& set) const {
    std::uint64_t name = 0;
    for (const auto& [group, sum] : groups_)
        if (includes(set, group)) name += sum;
    return name;
}

/// From the empty set on, one mark more at a time whose predecessors are all in the set.
void Cuts::list_sets() {
    std::set<Set> met;
    std::vector<Set> open{Set(marks_.size() / bits + 1, 0)};
    for (std::size_t at = 0; at < open.size(); ++at) {
        if (open.size() > most) {
            overflowed_ = true;
            return;
        }
        const Set set = open[at];
        if (known_.insert(name_of(set)).second) sets_.push_back(set);
        for (std::size_t mark = 0; mark < marks_.size(); ++mark) {
            if (has(set, mark)) continue;
            Set more = with(set, mark);
            if (includes(more, marks_to_[marks_[mark]]) && met.insert(more).second)
                open.push_back(std::move(more));
        }
    }
}

void Cuts::add(const HappensBefore& order, const Trace& trace) {
    sets_.clear();
    name_steps(order);
    group_steps(trace);
    list_sets();
    std::reverse(sets_.begin(), sets_.end());  // next() takes them from the back
}

StepOrder Cuts::order_of(const Set& set) const {
    std::vector<bool> first(order_->size(), false);
    for (std::size_t i = 0; i < marks_.size(); ++i) {
        if (!has(set, i)) continue;
        for (std::uint32_t step = 0; step <= marks_[i]; ++step)
            if (order_->before(step, marks_[i])) first[step] = true;
    }
    StepOrder steps;
    for (const bool wanted : {true, false})
        for (std::uint32_t step = 0; step < order_->size(); ++step)
            if (first[step] == wanted && includes(set, marks_to_[step]))
                steps.push_back((*order_)[step].path);
    return steps;
}

std::optional<StepOrder> Cuts::next() {
    if (sets_.empty()) return std::nullopt;
    const Set set = std::move(sets_.back());
    sets_.pop_back();
    return order_of(set);
}

Choice StepOrderStrategy::choose(Scheduler& scheduler) {
    const std::uint32_t at = scheduler.steps();
    if (at > steps_.size()) return Choice::cut();
    if (at == steps_.size()) return {scheduler.default_choice(), 0};
    Choice choice = Choice::diverged();
    scheduler.enabled().for_each([&](unsigned slot) {
        if (scheduler.task(slot).path == steps_[at]) choice = {slot, scheduler.index_of(slot)};
    });
    return choice;
}

}  // namespace sim
