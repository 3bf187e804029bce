#include "sim/order.h"

#include <algorithm>

#include "sim/scheduler.h"

namespace sim {
namespace {

/// Steps of one task without another's between them: [first, end).
struct Stretch {
    std::size_t first = 0, end = 0;
};

std::vector<Stretch> stretches_of(const Order& order) {
    std::vector<Stretch> stretches;
    for (std::size_t i = 0; i < order.steps.size(); ++i) {
        if (i == 0 || order.steps[i] != order.steps[i - 1]) stretches.push_back({i, i});
        stretches.back().end = i + 1;
    }
    return stretches;
}

/// Exchanges what stands in [first, middle) and [middle, end).
Order rotated(const Order& order, std::size_t first, std::size_t middle, std::size_t end) {
    Order changed = order;
    const auto at = [&](std::size_t i) {
        return changed.steps.begin() + static_cast<std::ptrdiff_t>(i);
    };
    std::rotate(at(first), at(middle), at(end));
    return changed;
}

}  // namespace

void Order::add(const std::string& name) {
    const auto it = std::find(names.begin(), names.end(), name);
    steps.push_back(static_cast<std::uint32_t>(it - names.begin()));
    if (it == names.end()) names.push_back(name);
}

Order order_of(const Trace& trace) {
    Order order;
    for (std::uint32_t i = 0; i < trace.names().size(); ++i)
        order.names.push_back(trace.task_name(i));
    for (const Step& step : trace.step_list())
        order.steps.push_back(step.task);
    return order;
}

std::vector<Order> orders_with_longer_stretches(const Order& order) {
    const std::vector<Stretch> stretches = stretches_of(order);
    std::vector<Order> orders;
    for (std::size_t i = 0; i < stretches.size(); ++i) {
        const Stretch& here = stretches[i];
        const auto same = [&](const Stretch& other) {
            return order.steps[other.first] == order.steps[here.first];
        };
        const auto next = std::find_if(stretches.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                                       stretches.end(), same);
        if (next == stretches.end()) continue;
        orders.push_back(rotated(order, here.end, next->first, next->end));
        orders.push_back(rotated(order, here.first, here.end, next->first));
    }
    return orders;
}

OrderReplay::OrderReplay(const Order& order) {
    for (std::size_t i = 0; i < order.steps.size(); ++i)
        by_name_[order.names[order.steps[i]]].at.push_back(static_cast<std::uint32_t>(i));
}

bool OrderReplay::next_execution() {
    const bool first = !ran_;
    ran_ = true;
    return first;
}

OrderReplay::Places* OrderReplay::places_of(const Scheduler& scheduler, unsigned slot) {
    const Task& task = scheduler.task(slot);
    const auto known = by_path_.find(task.path);
    if (known != by_path_.end()) return known->second;
    const auto it = by_name_.find(scheduler.task_name(task));
    return by_path_[task.path] = it == by_name_.end() ? nullptr : &it->second;
}

Choice OrderReplay::choose(Scheduler& scheduler) {
    scheduler.candidates(candidates_);
    std::size_t best = 0;
    std::uint32_t earliest = ~0U;
    Places* taken = nullptr;
    for (std::size_t i = 0; i < candidates_.size(); ++i) {
        Places* const places = places_of(scheduler, candidates_[i]);
        if (places == nullptr || places->taken == places->at.size()) continue;
        if (places->at[places->taken] >= earliest) continue;
        earliest = places->at[places->taken];
        best = i;
        taken = places;
    }
    if (taken != nullptr) ++taken->taken;
    return {candidates_[best], static_cast<std::uint16_t>(best)};
}

}  // namespace sim
