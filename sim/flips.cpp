#include "sim/flips.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "sim/blocked.h"
#include "sim/happens_before.h"
#include "sim/order.h"
#include "sim/strategies.h"

namespace sim {
namespace {

/// Follows a schedule, and keeps the happens-before of what it does.
class Causes final : public Strategy {
  public:
    Causes(const Schedule& schedule, Grain grain)
        : replay_(make_replay(schedule)), grain_(grain), order_(sets_) {}

    bool next_execution() override { return replay_->next_execution(); }
    bool wants_every_step() const override { return true; }
    Choice choose(Scheduler& scheduler) override {
        if (scheduler.steps() == 0) order_.begin(scheduler.trace());
        take_in(scheduler);
        if (scheduler.enabled().single()) return {scheduler.default_choice(), 0};
        return replay_->choose(scheduler);
    }
    void execution_ended(Outcome /*outcome*/, Scheduler& scheduler) override {
        take_in(scheduler);
        for (std::uint32_t i = 0; i < order_.races().size(); ++i)
            pairs_.push_back({.first = order_.races()[i].first,
                              .second = order_.races()[i].second,
                              .task = scheduler.trace().step_list()[order_.races()[i].second].task,
                              .passing = {}});
        scheduler.for_each_blocked([&](const Task& task) { add_blocked(task); });
    }

    const HappensBefore& order() const { return order_; }
    const std::vector<Flip>& pairs() const { return pairs_; }

  private:
    void take_in(const Scheduler& scheduler) {
        while (order_.size() < scheduler.steps())
            order_.add(scheduler.trace(), grain_);
    }
    void add_blocked(const Task& task) {
        const auto attempt = blocked_attempt(task);
        if (!attempt) return;
        for (const std::uint32_t event : order_.rivals_of_blocked(task.name, *attempt))
            pairs_.push_back(
                {.first = event, .second = Flip::not_run, .task = task.name, .passing = {}});
    }

    AccessSets sets_;
    std::unique_ptr<Strategy> replay_;
    Grain grain_;
    HappensBefore order_;
    std::vector<Flip> pairs_;
};

/// A step in words that hold in another execution of the program: task, operation, object, for the
/// how manieth time.
using StepName = std::tuple<std::uint64_t, OpKind, std::uint64_t, std::uint32_t>;

std::vector<StepName> names_of(const Trace& trace) {
    std::vector<StepName> names;
    std::map<std::tuple<std::uint64_t, OpKind, std::uint64_t>, std::uint32_t> seen;
    for (const Step& step : trace.step_list()) {
        const std::uint64_t path = trace.names()[step.task].path;
        names.emplace_back(path, step.op, step.object, ++seen[{path, step.op, step.object}]);
    }
    return names;
}

class FlipSearch {
  public:
    FlipSearch(Execution& execution, const Schedule& failing, Grain grain)
        : execution_(execution), causes_(failing, grain) {
        causes_.next_execution();
        execution_.run(causes_);
        const Trace& trace = execution_.scheduler().trace();
        order_ = order_of(trace);
        names_ = names_of(trace);
    }

    Flips run(std::uint64_t budget) {
        Flips flips;
        std::vector<Flip> pairs = causes_.pairs();
        std::stable_sort(pairs.begin(), pairs.end(), [](const Flip& a, const Flip& b) {
            return a.first != b.first ? a.first > b.first : a.second < b.second;
        });
        flips.pairs = pairs.size();
        for (Flip& pair : pairs) {
            if (flips.tried == budget) break;
            ++flips.tried;
            if (passes_reversed(pair)) flips.found.push_back(pair);
        }
        return flips;
    }

  private:
    bool passes_reversed(Flip& pair) {
        OrderReplay strategy(reversed(pair));
        strategy.next_execution();
        const ExecutionResult& result = execution_.run(strategy);
        if (result.outcome != Outcome::Completed || !result.unordered.empty()) return false;
        if (!came_reversed(pair)) return false;
        pair.passing = result.schedule;
        pair.passing_hash = result.trace_hash;
        return true;
    }

    /// The steps between the two that do not happen after the first, the second, the first, and
    /// the rest.
    Order reversed(const Flip& pair) const {
        Order order{.names = order_.names, .steps = {}};
        const auto end = static_cast<std::uint32_t>(order_.steps.size());
        const std::uint32_t second = std::min(pair.second, end);
        const auto add = [&](std::uint32_t from, std::uint32_t to, bool after) {
            for (std::uint32_t i = from; i < to; ++i)
                if (causes_.order().before(pair.first, i) == after)
                    order.steps.push_back(order_.steps[i]);
        };
        order.steps.assign(order_.steps.begin(), order_.steps.begin() + pair.first);
        add(pair.first + 1, second, false);
        order.steps.push_back(pair.task);
        order.steps.push_back(order_.steps[pair.first]);
        add(pair.first + 1, second, true);
        for (std::uint32_t i = second + 1; i < end; ++i)
            order.steps.push_back(order_.steps[i]);
        return order;
    }

    bool came_reversed(const Flip& pair) const {
        const Trace& trace = execution_.scheduler().trace();
        const std::vector<StepName> names = names_of(trace);
        const auto first = std::find(names.begin(), names.end(), names_[pair.first]);
        const auto second = pair.second == Flip::not_run
                                ? names.begin()  // it was blocked, and now everything ended
                                : std::find(names.begin(), names.end(), names_[pair.second]);
        return second != names.end() && second < first;
    }

    Execution& execution_;
    Causes causes_;
    Order order_;
    std::vector<StepName> names_;
};

}  // namespace

Flips find_flips(Execution& execution, const Schedule& failing, Grain grain, std::uint64_t budget) {
    return FlipSearch(execution, failing, grain).run(budget);
}

}  // namespace sim
