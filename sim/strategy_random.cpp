#include <algorithm>
#include <array>
#include <cmath>

#include "sim/rng.h"
#include "sim/strategies.h"

namespace sim {
namespace {

Choice pick(const std::vector<std::uint16_t>& candidates, std::size_t index) {
    return {candidates[index], static_cast<std::uint16_t>(index)};
}

/// A strategy drawn from one seed: runs once.
class Seeded : public Strategy {
  public:
    explicit Seeded(std::uint64_t seed) : rng_(seed) {}
    bool next_execution() override {
        const bool first = !ran_;
        ran_ = true;
        return first;
    }

  protected:
    Rng rng_;

  private:
    bool ran_ = false;
};

class Random final : public Seeded {
  public:
    using Seeded::Seeded;
    Choice choose(Scheduler& scheduler) override {
        scheduler.candidates(candidates_);
        return pick(candidates_, rng_.below(candidates_.size()));
    }

  private:
    std::vector<std::uint16_t> candidates_;
};

/// Values that belong to a task, by the index of its name: slots are reused, names are not.
template <class T> class PerTask {
  public:
    T& of(const Task& task) {
        if (task.name >= values_.size()) values_.resize(task.name + 1);
        return values_[task.name];
    }

  private:
    std::vector<T> values_;
};

class Pct final : public Seeded {
  public:
    explicit Pct(const PctOptions& options) : Seeded(options.seed), depth_(options.depth) {
        for (unsigned i = 1; i < options.depth; ++i)
            change_points_.push_back({rng_.below(std::max(1U, options.steps)), i});
        std::sort(change_points_.begin(), change_points_.end());
    }
    bool wants_every_step() const override { return true; }

    Choice choose(Scheduler& scheduler) override {
        while (next_change_ < change_points_.size() &&
               change_points_[next_change_].step <= scheduler.steps()) {
            const int running = scheduler.running_slot();
            if (running >= 0)
                priority_.of(scheduler.task(static_cast<unsigned>(running))) =
                    change_points_[next_change_].priority;
            ++next_change_;
        }
        scheduler.candidates(candidates_);
        const auto best =
            std::max_element(candidates_.begin(), candidates_.end(), [&](unsigned a, unsigned b) {
                return priority(scheduler.task(a)) < priority(scheduler.task(b));
            });
        return pick(candidates_, static_cast<std::size_t>(best - candidates_.begin()));
    }

  private:
    std::uint64_t priority(const Task& task) {
        std::uint64_t& value = priority_.of(task);
        if (value == 0) value = depth_ + 1 + (rng_.next() >> 8);
        return value;
    }
    /// Which of two changes leaves its task the least is as random as their places.
    struct ChangePoint {
        std::uint64_t step = 0;
        std::uint64_t priority = 0;  // below all that no change has touched
        auto operator<=>(const ChangePoint&) const = default;
    };
    unsigned depth_;
    std::vector<ChangePoint> change_points_;
    std::size_t next_change_ = 0;
    PerTask<std::uint64_t> priority_;
    std::vector<std::uint16_t> candidates_;
};

class Pos final : public Seeded {
  public:
    using Seeded::Seeded;
    Choice choose(Scheduler& scheduler) override {
        scheduler.candidates(candidates_);
        const auto best =
            std::max_element(candidates_.begin(), candidates_.end(), [&](unsigned a, unsigned b) {
                return score(scheduler.task(a)) < score(scheduler.task(b));
            });
        const unsigned chosen = *best;
        const Task& winner = scheduler.task(chosen);
        for (const unsigned slot : candidates_)
            if (slot == chosen || races(scheduler.task(slot), winner))
                score_.of(scheduler.task(slot)) = 0;
        return pick(candidates_, static_cast<std::size_t>(best - candidates_.begin()));
    }

  private:
    std::uint64_t score(const Task& task) {
        std::uint64_t& value = score_.of(task);
        if (value == 0) value = 1 + (rng_.next() >> 1);
        return value;
    }
    static bool reads(OpKind op) { return op == OpKind::Read || op == OpKind::Lookup; }
    static bool races(const Task& a, const Task& b) {
        return a.pending_object != nullptr && a.pending_object == b.pending_object &&
               !(reads(a.pending_op) && reads(b.pending_op));
    }
    PerTask<std::uint64_t> score_;
    std::vector<std::uint16_t> candidates_;
};

class Timed final : public Seeded {
  public:
    Timed(std::uint64_t seed, const TimedNoise& noise) : Seeded(seed), noise_(noise) {}
    bool wants_every_step() const override { return true; }
    bool is_timed() const override { return true; }

    Choice choose(Scheduler& scheduler) override {
        charge_last_step(scheduler);
        scheduler.candidates(candidates_);
        std::size_t best = 0;
        for (std::size_t i = 1; i < candidates_.size(); ++i)
            if (starts_at(scheduler, candidates_[i]) < starts_at(scheduler, candidates_[best]))
                best = i;
        const Task& task = scheduler.task(candidates_[best]);
        scheduler.time_ns = std::max(scheduler.time_ns, starts_at(scheduler, candidates_[best]));
        last_cpu_ = is_event(task) ? no_cpu : task.cpu;
        return pick(candidates_, best);
    }

  private:
    struct Ready {
        bool known = false;
        std::uint64_t at_ns = 0;
    };
    static constexpr unsigned no_cpu = 256;
    static bool is_event(const Task& task) {
        return task.kind == TaskKind::Completion || task.kind == TaskKind::Timer;
    }

    void charge_last_step(Scheduler& scheduler) {
        std::uint64_t cost_ns = 200 + rng_.below(800) + scheduler.take_delay();
        if (noise_.stall_one_in != 0 && rng_.below(noise_.stall_one_in) == 0)
            cost_ns += rng_.below(noise_.stall_ns);
        if (last_cpu_ < no_cpu) cpu_free_ns_[last_cpu_] = scheduler.time_ns + cost_ns;
    }
    std::uint64_t starts_at(Scheduler& scheduler, unsigned slot) {
        const Task& task = scheduler.task(slot);
        Ready& ready = ready_.of(task);
        if (!ready.known) {
            ready.known = true;
            ready.at_ns = scheduler.time_ns;
            if (task.latency_ns != 0)
                ready.at_ns += task.latency_ns / 2 + rng_.below(task.latency_ns);
            else if (noise_.start_within_ns != 0 && is_programs_own(scheduler, task))
                ready.at_ns += rng_.below(noise_.start_within_ns);
        }
        return is_event(task) ? ready.at_ns : std::max(ready.at_ns, cpu_free_ns_[task.cpu]);
    }

    static bool is_programs_own(Scheduler& scheduler, const Task& task) {
        return scheduler.trace().names()[task.name].parent == Trace::no_parent;
    }

    TimedNoise noise_;
    PerTask<Ready> ready_;
    std::array<std::uint64_t, 256> cpu_free_ns_{};
    unsigned last_cpu_ = no_cpu;
    std::vector<std::uint16_t> candidates_;
};

}  // namespace

std::unique_ptr<Strategy> make_random(std::uint64_t seed) {
    return std::make_unique<Random>(seed);
}
std::unique_ptr<Strategy> make_pct(const PctOptions& options) {
    return std::make_unique<Pct>(options);
}
std::unique_ptr<Strategy> make_pos(std::uint64_t seed) {
    return std::make_unique<Pos>(seed);
}
std::unique_ptr<Strategy> make_timed(std::uint64_t seed, const TimedNoise& noise) {
    return std::make_unique<Timed>(seed, noise);
}

double pct_guarantee(const PctOptions& options) {
    return 1.0 / (std::max(1U, options.tasks) *
                  std::pow(std::max(1U, options.steps), options.depth - 1.0));
}

}  // namespace sim
