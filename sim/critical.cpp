#include "sim/critical.h"

#include <algorithm>
#include <vector>

#include "sim/strategies.h"
#include "sim/strategy_dfs.h"

namespace sim {
namespace {

constexpr std::size_t continuations_cached = 1 << 14;
constexpr std::uint32_t most_deviations = 3;  // beyond those of the prefix

/// A choice point of the execution: what was chosen in which step, and the deviations before it.
struct ChoicePoint {
    std::uint16_t index = 0;
    std::uint32_t step = 0, deviations = 0;
};

/// Follows a schedule and notes its choice points.
class Recorder final : public Strategy {
  public:
    explicit Recorder(const Schedule& schedule) : replay_(make_replay(schedule)) {}
    bool next_execution() override { return replay_->next_execution(); }
    Choice choose(Scheduler& scheduler) override {
        const Choice choice = replay_->choose(scheduler);
        points.push_back({choice.index, scheduler.steps(), scheduler.deviations()});
        return choice;
    }
    std::vector<ChoicePoint> points;

  private:
    std::unique_ptr<Strategy> replay_;
};

/// Follows a schedule up to a choice point, and then chooses at random.
class ThenRandom final : public Strategy {
  public:
    ThenRandom(const Schedule& prefix, std::size_t choices, std::uint64_t seed)
        : replay_(make_replay(prefix)), random_(make_random(seed)), choices_(choices) {}
    bool next_execution() override {
        return replay_->next_execution() && random_->next_execution();
    }
    Choice choose(Scheduler& scheduler) override {
        return (scheduler.choice_points() < choices_ ? replay_ : random_)->choose(scheduler);
    }

  private:
    std::unique_ptr<Strategy> replay_, random_;
    std::size_t choices_;
};

class CriticalSearch {
  public:
    CriticalSearch(Execution& execution, const Schedule& failing, std::uint64_t budget,
                   std::uint64_t& executions)
        : execution_(execution), failing_(failing), budget_(budget), executions_(executions) {
        Recorder recorder(failing);
        recorder.next_execution();
        run(recorder);
        points_ = std::move(recorder.points);
    }

    std::optional<CriticalStep> find() {
        // What passes below a longer prefix passes below a shorter one. First with little effort;
        // where the whole budget still finds something, the step is a later one.
        std::size_t good = 0;
        if (points_.empty() || !some_pass(0)) return std::nullopt;
        good = last_good(good, [&](std::size_t choices) { return some_pass(choices); });
        Continuations after = below(good + 1);
        if (after.passing > 0) {
            good = last_good(good + 1,
                             [&](std::size_t choices) { return below(choices).passing > 0; });
            after = below(good + 1);
        }
        Continuations before;
        sample(good, samples, false, before);
        return CriticalStep{.step = points_[good].step, .before = before, .after = after};
    }

    std::vector<FailingShare> shares(std::size_t columns, std::uint64_t runs) {
        const std::uint32_t end = execution_.scheduler().steps();
        std::vector<FailingShare> list;
        for (std::size_t i = 0; i < columns; ++i) {
            const std::size_t choices = i * points_.size() / (columns - 1);
            const bool at_end = choices == points_.size();
            Continuations found;
            sample(choices, runs, false, found);
            const FailingShare share{.step = at_end ? end : points_[choices].step,
                                     .failing = found.failing,
                                     .runs = runs};
            if (list.empty() || list.back().step != share.step) list.push_back(share);
        }
        return list;
    }

  private:
    static constexpr std::uint64_t samples = 200;

    /// The longest prefix below which something passes; `good` is one of those.
    template <class Passes> std::size_t last_good(std::size_t good, Passes&& passes) const {
        std::size_t bad = points_.size();
        while (bad - good > 1) {
            const std::size_t middle = good + (bad - good) / 2;
            (passes(middle) ? good : bad) = middle;
        }
        return good;
    }
    bool some_pass(std::size_t choices) {
        Continuations found;
        if (passes_in_default_order(choices)) return true;
        sample(choices, samples / 4, true, found);
        if (found.passing == 0) search(choices, budget_ / 4, found);
        return found.passing > 0;
    }

    /// What follows the first choices: some of it at random, then all of it, or until something
    /// passes.
    Continuations below(std::size_t choices) {
        Continuations found;
        if (choices == points_.size()) {  // nothing is left to choose
            found.failing = 1;
            found.complete = true;
            return found;
        }
        sample(choices, samples, true, found);
        if (found.passing == 0) search(choices, budget_, found);
        return found;
    }

    Schedule prefix(std::size_t choices) const {
        Schedule prefix;
        for (const Departure& departure : failing_.departures)
            if (departure.ordinal < choices) prefix.departures.push_back(departure);
        return prefix;
    }
    bool passes_in_default_order(std::size_t choices) {
        const auto replay = make_replay(prefix(choices));
        replay->next_execution();
        return passes(run(*replay));
    }
    void sample(std::size_t choices, std::uint64_t count, bool until_pass, Continuations& found) {
        const Schedule followed = prefix(choices);
        for (std::uint64_t seed = 0; seed < count; ++seed) {
            if (until_pass && found.passing > 0) return;
            ThenRandom strategy(followed, choices, seed);
            strategy.next_execution();
            add(run(strategy), found);
        }
    }

    /// With more and more deviations, until something passes.
    void search(std::size_t choices, std::uint64_t left, Continuations& found) {
        Prefix prefix;
        for (std::size_t i = 0; i < choices; ++i)
            prefix.choices.push_back(points_[i].index);
        for (std::uint32_t more = 1; more <= most_deviations && left > 0; ++more) {
            DfsStrategy strategy(points_[choices].deviations + more, continuations_cached);
            strategy.begin(prefix);
            bool over = true;
            while (over && strategy.next_execution()) {
                over = left > 0;
                if (!over) break;
                --left;
                add(run(strategy), found);
                if (found.passing > 0) return;
            }
            found.complete = over && !strategy.left_out_schedules();
            if (found.complete) return;
        }
    }

    const ExecutionResult& run(Strategy& strategy) {
        ++executions_;
        return execution_.run(strategy);
    }
    static void add(const ExecutionResult& result, Continuations& found) {
        if (passes(result)) ++found.passing;
        if (result.failed()) ++found.failing;
    }
    static bool passes(const ExecutionResult& result) {
        return result.outcome == Outcome::Completed && result.unordered.empty();
    }

    Execution& execution_;
    const Schedule& failing_;
    std::uint64_t budget_;
    std::uint64_t& executions_;
    std::vector<ChoicePoint> points_;
};

}  // namespace

std::optional<CriticalStep> find_critical_step(Execution& execution, const Schedule& failing,
                                               std::uint64_t budget, std::uint64_t& executions) {
    return CriticalSearch(execution, failing, budget, executions).find();
}

std::vector<FailingShare> failing_shares(Execution& execution, const Schedule& failing,
                                         std::size_t columns, std::uint64_t samples) {
    std::uint64_t executions = 0;
    return CriticalSearch(execution, failing, 0, executions).shares(columns, samples);
}

}  // namespace sim
