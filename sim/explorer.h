#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sim/execution.h"
#include "sim/reduction.h"
#include "sim/search_tree.h"
#include "sim/self_check.h"
#include "sim/strategies.h"

namespace sim {

/// When a search stops before it is done.
struct SearchLimits {
    std::uint64_t max_executions = ~std::uint64_t{0};
    std::optional<std::chrono::nanoseconds>
        time;  // wall clock: a search cut by it is not repeatable, and says so
    const std::atomic<bool>* interrupted = nullptr;     // set by a signal handler
    std::optional<std::chrono::nanoseconds> until_new;  // hunt: wall clock, since the search began
                                                        // or last found a failure that is new
};

/// What a search has done so far, for progress lines. Read while workers run.
struct SearchProgress {
    std::uint64_t executions = 0;
    std::uint64_t steps = 0;
    double share_done = 0;    // of the tree at the present bound; an estimate
    std::uint32_t bound = 0;  // deviations allowed at present
    std::uint64_t failures = 0;
    std::chrono::nanoseconds elapsed{};
};
using ProgressCallback = std::function<void(const SearchProgress&)>;

/// One way to fail: the first execution in the search's order that shows it.
struct Failure {
    std::string signature;
    std::uint64_t count = 0;
    std::uint64_t first_run = 0;  // hunt: the run's number
    ExecutionResult result;       // with messages, without a trace
};

enum class SearchEnd : std::uint8_t {
    Complete,
    Found,
    Time,
    Executions,
    StepLimit,
    TaskLimit,
    Interrupted,
    Nondeterministic,
    PreparationFailed,
    Planned,     // as many open branches as a plan asked for
    NothingNew,  // hunt: no new signature for as long as was asked for
};

/// A search that was interrupted, as plain data: all that it takes to go on. Resumed, it runs the
/// executions that were left, and its totals are those of a search that was not interrupted.
struct SavedSearch {
    struct Found {
        std::string signature;
        std::uint64_t count = 0;
        Schedule schedule;  // of the first in the search's order
    };
    std::uint32_t bound = 0;    // the one being explored
    std::uint64_t refused = 0;  // branches beyond it: those of the next bound
    std::uint64_t spent = 0;    // branches begun with the last deviation, of so many expected
    std::uint64_t expected = 0;
    std::uint64_t executions = 0, steps = 0, steps_before = 0;
    std::uint32_t max_depth = 0;
    std::vector<Found> found;
    std::vector<std::uint64_t> final_states;
    std::vector<std::string> unordered, unordered_kinds, split, split_unordered;
    SavedTree tree;
};

struct SearchReport {
    SearchEnd end = SearchEnd::Complete;
    std::uint64_t executions =
        0;  // explore: of the last bound; both: up to the failure that ended the search
    std::uint64_t steps = 0;
    std::uint64_t blocked = 0;    // cut short: an equivalent prefix had been searched
    std::uint64_t cuts = 0;       // with a reduction: closed sets of marked steps that were run to
    std::uint32_t max_depth = 0;  // most choice points of an execution
    std::uint32_t max_steps = 0, max_tasks = 0;  // of an execution
    std::uint32_t bound =
        0;  // explore: the bound that was completed, or was being explored when it ended
    double share_done = 0;                    // of the tree at this bound; an estimate
    bool whole_space = false;                 // no schedule was left out at this bound
    std::vector<Failure> failures;            // one for each signature, in the search's order
    std::vector<std::uint64_t> final_states;  // when asked for: sorted, distinct
    std::vector<std::string>
        unordered;  // accesses without an order: the merged steps were not sound
    std::vector<std::string> unordered_kinds;  // of objects, in `unordered`
    /// Kinds of objects whose accesses were found without an order, so that the search began anew
    /// with each of those as a step of its own; and such accesses, on whose order nothing rests.
    std::vector<std::string> split, split_unordered;
    unsigned restarts = 0;
    std::string error;
    std::uint64_t pairs_checked = 0;          // self-check: that could be swapped
    std::optional<Undeclared> undeclared;     // self-check: one that could not; ends the search
    std::optional<ExecutionResult> unending;  // reached the step limit, or that of tasks
    std::optional<SavedSearch> left;          // of a bounded search that was stopped: how to go on
};

inline constexpr unsigned most_restarts = 8;

struct ExploreOptions {
    ExecutionOptions execution;
    std::uint32_t max_deviations = 2;  // DfsStrategy::unbounded: all schedules
    unsigned jobs = 1;
    SearchLimits limits;
    bool keep_going =
        false;  // collect all failures instead of stopping at the first bound that has one
    /// Begins anew, at most `most_restarts` times, with the kinds of objects split whose accesses
    /// had no order. Not for a plan or its shards: those are one search.
    bool split_unordered = false;
    bool deepen = true;  // bounds 0, 1, ... up to the maximum, so that the failure found has the
                         // fewest deviations
    bool collect_final_states = false;  // else nobody learns of one, observers neither
    std::size_t cache_entries = 0;  // of happens-before prefixes, for each worker; 0: plain search
    /// Sleep sets: only for a search without a bound. Checks that read more than one object see
    /// every state without a reduction or with sleep sets alone, and are sampled under the other.
    Reduction reduction = Reduction::None;
    /// Without a bound, with a reduction: take the tree in parts that know nothing of each other,
    /// as several workers do, so that all counts are those of any number of workers. Complete
    /// executions are the same in either case, but some more are cut.
    bool in_parts = false;
    // The following are for a search with a bound and with Reduction::Dpor.
    bool stop_at_first = false;           // at any failure, instead of the first of its bound
    const SavedSearch* resume = nullptr;  // where to go on
    std::size_t plan = 0;                 // stop once so many branches are open; 0: never
    bool shard = false;                   // `resume` is one of several: what it comes to is left
    std::function<void(SavedSearch)> on_checkpoint;  // called now and then; nobody runs meanwhile
    std::chrono::milliseconds checkpoint_interval{10'000};
    /// With a reduction: after each execution, run to each causally closed set of its marked steps
    /// that no execution had before (Cuts), so that who looks on at marks sees all that it would
    /// see without the reduction.
    bool cuts = false;
    SelfCheckOptions self_check;
    ProgressCallback on_progress;  // called by one thread, several times a second
};

/// Runs all executions within the bound or, with a reduction, one of each trace. The verdict and
/// the failure reported (the first in the search's order at the least bound) do not depend on the
/// number of jobs; nor do the counts, unless a cache of prefixes cuts executions.
SearchReport explore(const ProgramFactory& factory, const ExploreOptions& options);

struct HuntOptions {
    ExecutionOptions execution;
    StrategySpec strategy;
    std::uint64_t seed = 0;
    std::uint64_t first = 0, count = 1000;
    unsigned jobs = 1;
    SearchLimits limits;
    bool keep_going = false;
    std::set<std::string> known;  // signatures at which the hunt does not stop; none of them is new
    bool each_execution = false;  // failures are listed by trace, not by signature
    bool collect_final_states = false;
    ProgressCallback on_progress;
};

/// Seeds of single runs: run i depends on (seed, i) only.
std::uint64_t seed_of_run(std::uint64_t seed, std::uint64_t run);
SearchReport hunt(const ProgramFactory& factory, const HuntOptions& options);

}  // namespace sim
