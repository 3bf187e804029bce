#include "app/shrink/shrinker.h"

#include <algorithm>
#include <set>

#include "sim/strategies.h"
#include "sim/strategy_dfs.h"

namespace app::shrink {

namespace {

constexpr std::size_t cache_entries = 1 << 16;

class Shrinker {
  public:
    Shrinker(const Specimen& start, const MakeExecution& make, const ShrinkOptions& options)
        : make_(make), options_(options), signature_(start.result.violation->signature) {
        shrunk_.smallest = start;
        reuse(start.scenario);
    }

    Shrunk run() {
        note("start", 0, 0);
        bool smaller = true;
        for (bool first = true; smaller && left() > 0; first = false) {
            const std::uint64_t kept =
                pass(first ? "tasks" : "tasks again", &Shrinker::tasks) +
                pass(first ? "operations" : "operations again", &Shrinker::operations);
            smaller = pass(first ? "switches" : "switches again", &Shrinker::switches) + kept > 0;
        }
        // The last round tried every part of what it began with, and kept nothing.
        shrunk_.minimal = !smaller && !cut_;
        return std::move(shrunk_);
    }

  private:
    std::uint64_t left() const {
        return options_.budget - std::min(options_.budget, shrunk_.executions);
    }
    void note(const std::string& name, std::uint64_t tried, std::uint64_t kept) {
        const Specimen& now = shrunk_.smallest;
        shrunk_.passes.push_back({.name = name,
                                  .tasks = now.tasks(),
                                  .operations = now.operations(),
                                  .switches = now.result.switches,
                                  .steps = now.result.steps,
                                  .tried = tried,
                                  .kept = kept});
    }
    std::uint64_t pass(const std::string& name, void (Shrinker::*remove)()) {
        tried_ = kept_ = 0;
        (this->*remove)();
        note(name, tried_, kept_);
        return kept_;
    }

    void tasks() { parts(tasks_of); }
    void operations() { parts(operations_of); }
    /// One part after the other, from the last: what comes late is more often idle.
    void parts(std::vector<Part> (*list)(const scenario::Scenario&)) {
        std::vector<Part> parts = list(*shrunk_.smallest.scenario);
        for (std::size_t i = parts.size(); i-- > 0;) {
            if (!try_without(parts[i])) continue;
            parts = list(*shrunk_.smallest.scenario);
            i = std::min(i, parts.size());
        }
    }

    bool try_without(const Part& part) {
        if (out_of_budget()) return false;
        ++tried_;
        const Specimen before = shrunk_.smallest;
        const Remains remains = remains_of(before.result.trace, part);
        const ScenarioPtr reduced = without(*before.scenario, part, options_.file);
        if (!reuse(reduced)) {
            reuse(before.scenario);
            return false;
        }
        sim::OrderReplay by_order(remains.order);
        sim::MeaningReplay by_meaning(remains.meanings, sim::OnDivergence::Nearest);
        if (fails_same(by_order) || fails_same(by_meaning) || search_below_bound()) return keep();
        reuse(before.scenario);
        return false;
    }

    /// Where neither way of following the old execution fails: all executions with few deviations,
    /// up to the candidate's budget. It depends on the scenario alone, so once is enough.
    bool search_below_bound() {
        if (!searched_.insert(scenario_->content.digest()).second) return false;
        std::uint64_t budget = options_.budget_of_candidate;
        for (std::uint32_t bound = 0; bound <= options_.deviations; ++bound) {
            sim::DfsStrategy search(bound, cache_entries);
            search.begin({});
            while (search.next_execution()) {
                if (out_of_budget() || budget == 0) return false;
                --budget;
                if (fails_same_prepared(search)) return true;
            }
        }
        return false;
    }

    /// Until no stretch of a task can be joined to its next one.
    void switches() {
        bool smaller = true;
        while (smaller) {
            smaller = false;
            for (const sim::Order& order :
                 orders_with_longer_stretches(sim::order_of(shrunk_.smallest.result.trace))) {
                if (out_of_budget()) return;
                ++tried_;
                sim::OrderReplay strategy(order);
                if (!fails_same(strategy) ||
                    execution_result_->switches >= shrunk_.smallest.result.switches)
                    continue;
                smaller = keep();
                break;
            }
        }
    }

    bool out_of_budget() {
        if (left() == 0) cut_ = true;
        return left() == 0;
    }
    bool fails_same(sim::Strategy& strategy) {
        strategy.next_execution();
        return fails_same_prepared(strategy);
    }
    bool fails_same_prepared(sim::Strategy& strategy) {
        ++shrunk_.executions;
        execution_result_ = &execution_->run(strategy);
        if (!execution_result_->failed()) return false;
        if (execution_result_->violation->signature == signature_) return true;
        add_lead();
        return false;
    }
    void add_lead() {
        const std::string& signature = execution_result_->violation->signature;
        if (!shrunk_.leads.contains(signature))
            shrunk_.leads.emplace(signature,
                                  Lead{.scenario = scenario_, .result = *execution_result_});
    }

    /// What ran last is the smallest so far. It runs once more, to be told in words.
    bool keep() {
        const auto again = sim::make_replay(execution_result_->schedule);
        again->next_execution();
        ++shrunk_.executions;
        execution_->set_narrating(true);
        const sim::ExecutionResult& result = execution_->run(*again);
        execution_->set_narrating(false);
        SIM_ASSERT(result.failed() && result.violation->signature == signature_);
        shrunk_.smallest = {.scenario = scenario_, .result = result};
        ++kept_;
        return true;
    }

    bool reuse(const ScenarioPtr& scenario) {
        scenario_ = scenario;
        execution_.reset();  // one simulation at a time on this thread
        execution_ = make_(scenario, options_.execution);
        return execution_ != nullptr;
    }

    const MakeExecution& make_;
    const ShrinkOptions& options_;
    const std::string signature_;
    Shrunk shrunk_;
    ScenarioPtr scenario_;
    std::unique_ptr<sim::Execution> execution_;
    const sim::ExecutionResult* execution_result_ = nullptr;
    std::set<std::uint64_t> searched_;  // reduced scenarios, by content
    std::uint64_t tried_ = 0, kept_ = 0;
    bool cut_ = false;
};

}  // namespace

std::size_t Specimen::operations() const {
    std::size_t count = 0;
    for (const scenario::TaskSpec& task : scenario->tasks)
        count += task.run.size();
    return count;
}

Shrunk shrink(const Specimen& start, const MakeExecution& make, const ShrinkOptions& options) {
    return Shrinker(start, make, options).run();
}

}  // namespace app::shrink
