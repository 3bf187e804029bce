#include "sim/fewest_switches.h"

#include <vector>

#include "sim/order.h"
#include "sim/prefix_cache.h"
#include "sim/strategies.h"

namespace sim {
namespace {

constexpr std::size_t prefixes_cached = 1 << 18;

/// Depth-first search of all executions with at most so many deviations, cut where they have as
/// many switches as the best one so far, or where an equivalent prefix with the same deviations and
/// no more switches was searched before.
class FewerSwitches final : public Strategy {
  public:
    explicit FewerSwitches(std::uint32_t max_deviations)
        : max_deviations_(max_deviations), cache_(prefixes_cached) {}

    bool wants_every_step() const override { return true; }
    bool wants_fingerprint() const override { return true; }
    /// From now on only executions with fewer switches count.
    void set_best(std::uint32_t switches) { best_ = switches; }

    bool next_execution() override {
        if (depth_ < frames_.size()) frames_.resize(depth_);  // cut above them, now for good
        depth_ = switches_ = 0;
        last_ = none;
        if (!started_) return started_ = true;
        while (!frames_.empty()) {
            Frame& frame = frames_.back();
            if (++frame.at < frame.choices.size()) return true;
            frames_.pop_back();
        }
        return false;
    }

    Choice choose(Scheduler& scheduler) override {
        const Choice choice = scheduler.enabled().single() ? Choice{scheduler.default_choice(), 0}
                                                           : branch(scheduler);
        if (choice.slot >= max_tasks) return choice;
        switches_ += switches_to(scheduler, choice.slot);
        last_ = scheduler.task(choice.slot).path;
        return switches_ < best_ ? choice : Choice::cut();
    }

  private:
    static constexpr std::uint64_t none = 0;
    struct Frame {
        std::vector<Choice> choices;
        std::size_t at = 0;
    };

    std::uint32_t switches_to(const Scheduler& scheduler, unsigned slot) const {
        return last_ != none && scheduler.task(slot).path != last_ ? 1 : 0;
    }
    Choice branch(Scheduler& scheduler) {
        if (depth_ == frames_.size()) {
            if (seen_before(scheduler)) return Choice::cut();
            open_frame(scheduler);
        }
        const Frame& frame = frames_[depth_++];
        return frame.choices[frame.at];
    }
    bool seen_before(Scheduler& scheduler) {
        Digest here = scheduler.situation();
        here.mix(scheduler.deviations());
        here.mix(last_);
        return cache_.visited(here, switches_);
    }
    void open_frame(Scheduler& scheduler) {
        const bool spent = scheduler.deviations() >= max_deviations_;
        scheduler.candidates(candidates_);
        Frame frame;
        for (std::size_t i = 0; i < candidates_.size(); ++i)
            if (!spent || !scheduler.is_deviation(candidates_[i]))
                frame.choices.push_back({candidates_[i], static_cast<std::uint16_t>(i)});
        frames_.push_back(std::move(frame));
    }

    std::uint32_t max_deviations_;
    PrefixCache cache_;
    std::vector<Frame> frames_;
    std::vector<std::uint16_t> candidates_;
    std::size_t depth_ = 0;
    std::uint32_t switches_ = 0, best_ = ~0U;
    std::uint64_t last_ = none;  // the path of the task that had the last step
    bool started_ = false;
};

class FewestSearch {
  public:
    FewestSearch(Execution& execution, const ExecutionResult& failing, std::uint64_t budget)
        : execution_(execution), budget_(budget), bound_(failing.deviations) {
        found_.result = failing;
    }

    FewestSwitches run() {
        join_stretches();
        search();
        return std::move(found_);
    }

  private:
    bool takes(const ExecutionResult& result) const {
        return result.failed() &&
               result.violation->signature == found_.result.violation->signature &&
               result.switches < found_.result.switches && result.deviations <= bound_;
    }
    const ExecutionResult& run(Strategy& strategy) {
        ++found_.executions;
        return execution_.run(strategy);
    }

    /// A good start makes the search short.
    void join_stretches() {
        for (bool smaller = true; smaller;) {
            smaller = false;
            const auto replay = make_replay(found_.result.schedule);
            replay->next_execution();
            run(*replay);
            for (const Order& order :
                 orders_with_longer_stretches(order_of(execution_.scheduler().trace()))) {
                if (found_.executions >= budget_) return;
                OrderReplay strategy(order);
                strategy.next_execution();
                const ExecutionResult& result = run(strategy);
                if (!takes(result)) continue;
                found_.result = result;
                smaller = true;
                break;
            }
        }
    }

    void search() {
        FewerSwitches strategy(bound_);
        strategy.set_best(found_.result.switches);
        while (strategy.next_execution()) {
            if (found_.executions >= budget_) return;
            const ExecutionResult& result = run(strategy);
            if (!takes(result)) continue;
            found_.result = result;
            strategy.set_best(result.switches);
        }
        found_.complete = true;
    }

    Execution& execution_;
    std::uint64_t budget_;
    std::uint32_t bound_;
    FewestSwitches found_;
};

}  // namespace

FewestSwitches find_fewest_switches(Execution& execution, const ExecutionResult& failing,
                                    std::uint64_t budget) {
    return FewestSearch(execution, failing, budget).run();
}

}  // namespace sim
