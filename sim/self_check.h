#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/access_sets.h"
#include "sim/execution.h"
#include "sim/meaning.h"
#include "sim/order.h"

namespace sim {

/// What a search checks of itself (soundness, 8).
struct SelfCheckOptions {
    double rate = 0;  // share of the executions, 0 to 1
    /// Makes the checked program, where the searched one has more than the program's own state:
    /// somebody who looks on at devices. Empty: the searched one.
    ProgramFactory factory = {};
};

/// Two steps that were taken for independent, and are not: something that they share is not
/// declared. Or an execution that does not repeat itself; then there are no steps.
struct Undeclared {
    std::string first, second;       // "step 12, writer: write root 5"
    std::string difference;          // what the other order changes
    ExecutionResult usual, swapped;  // both to be replayed; without a trace

    std::string text() const;
};

/// Whether an execution belongs to the share that is checked: by its schedule alone.
bool in_sample(const Schedule& schedule, double rate);

/// Runs executions again, in a simulation of its own, with each pair of adjacent independent steps
/// in the other order, and compares all that follows: what each later step of each task touches,
/// the values and messages it reports, how the execution ends, the results of its tasks, and the
/// state that it leaves. Belongs to the thread that made it.
class SelfCheck {
  public:
    SelfCheck(const ProgramFactory& factory, ExecutionOptions options);

    /// Checks an execution of the search that has come to its end.
    /// @return the first pair whose order makes a difference
    std::optional<Undeclared> check(const ExecutionResult& searched);
    /// Pairs that made none, so far.
    std::uint64_t pairs() const { return pairs_; }
    /// Executions met on the way that break a promise between the two steps: no undeclared access,
    /// but a state that the searched execution does not pass through.
    /// One of each signature.
    const std::vector<ExecutionResult>& failures() const { return failures_; }

  private:
    /// A step, in words that hold in both orders.
    struct Deed {
        std::uint64_t path = 0, object = 0;
        std::uint64_t effect = 0;
        AccessSets::Id accesses = 0;
        OpKind op = OpKind::Start;
        friend bool operator==(const Deed&, const Deed&) = default;
    };
    struct Run {
        ExecutionResult result;
        std::vector<Deed> deeds;
        std::uint64_t results = 0;                     // of its tasks
        std::map<std::uint64_t, std::uint32_t> woken;  // tasks that could go on at its end, and
                                                       // in which step they were woken
        /// Whether step first + 1 woke the task of step first, which went to sleep in it.
        bool wakes_former(std::uint32_t first) const;
    };

    Run run(Strategy& choices);
    std::vector<std::uint32_t> independent_pairs(const Run& usual) const;
    std::optional<Undeclared> swap(const Run& usual, std::uint32_t first);
    void keep_failure(ExecutionResult result);
    std::string difference(const Run& usual, const Run& swapped, std::uint32_t first) const;
    std::string difference_of_steps(const Run& usual, std::uint32_t a, const Run& swapped,
                                    std::uint32_t b) const;
    std::string difference_of_accesses(const Run& usual, std::uint32_t a, const Run& swapped,
                                       std::uint32_t b) const;

    Execution execution_;
    mutable AccessSets sets_;
    std::uint64_t pairs_ = 0;
    std::vector<ExecutionResult> failures_;
};

}  // namespace sim
