#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <unordered_set>
#include <vector>

#include "sim/happens_before.h"
#include "sim/strategy.h"
#include "sim/trace.h"

namespace sim {

/// An order of the first steps of an execution, by the names of their tasks.
using StepOrder = std::vector<std::uint64_t>;

/// The causally closed sets of the marked steps of executions (Scheduler::mark()), each distinct
/// one once: the moments at which somebody from outside can stop an execution or any that is
/// equivalent to it. A reduction runs one execution of each class; the prefixes of that one are
/// fewer (soundness, 10).
class Cuts {
  public:
    /// More closed sets than that in one execution are not listed.
    static constexpr std::size_t most = 10'000;

    /// Takes in an execution that has come to its end.
    void add(const HappensBefore& order, const Trace& trace);
    /// The next set that no execution had before, as an order of steps: all that the set follows
    /// from, so that its last mark comes last; then all steps that no other mark comes before. The
    /// execution's next step, if there is one, is a mark.
    std::optional<StepOrder> next();
    /// Whether an execution had more sets than are listed.
    bool overflowed() const { return overflowed_; }

  private:
    /// Marks of the execution, a bit each.
    using Set = std::vector<std::uint64_t>;

    void name_steps(const HappensBefore& order);
    void group_steps(const Trace& trace);
    void list_sets();
    Set with(Set set, std::size_t mark) const;
    std::uint64_t name_of(const Set& set) const;
    StepOrder order_of(const Set& set) const;

    const HappensBefore* order_ = nullptr;     // of the execution taken in last
    std::vector<std::uint64_t> names_;         // of its steps: the same in equivalent executions
    std::vector<std::uint32_t> marks_;         // its marked steps
    std::map<Set, std::uint64_t> groups_;      // sums of names, by the marks at and before a step
    std::vector<Set> marks_to_;                // by step: its group
    std::vector<Set> sets_;                    // that are new
    std::unordered_set<std::uint64_t> known_;  // looked up only, never walked
    bool overflowed_ = false;
};

/// Runs the steps in that order and one more by default, and cuts the execution there.
class StepOrderStrategy final : public Strategy {
  public:
    explicit StepOrderStrategy(StepOrder steps) : steps_(std::move(steps)) {}
    bool wants_every_step() const override { return true; }
    bool next_execution() override { return true; }
    Choice choose(Scheduler& scheduler) override;

  private:
    StepOrder steps_;
};

}  // namespace sim
