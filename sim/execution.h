#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/arena.h"
#include "sim/program.h"
#include "sim/scheduler.h"
#include "sim/strategy.h"

namespace sim {

struct ExecutionResult;

/// The decisions of one execution, as departures from the default rule. Exact for one program only.
struct Schedule {
    std::vector<Departure> departures;
    friend bool operator==(const Schedule&, const Schedule&) = default;
};

/// Looks on at the executions of one worker, on its thread. Nothing that an execution does depends
/// on it.
class Observer {
  public:
    Observer() = default;
    virtual ~Observer() = default;
    Observer(const Observer&) = delete;
    Observer& operator=(const Observer&) = delete;

    /// After each execution, those that were cut short included, while its tasks still stand where
    /// it ended.
    virtual void executed(const Scheduler& scheduler, const ExecutionResult& result) = 0;
    /// Whether stepped() is to be called.
    virtual bool wants_steps() const { return false; }
    /// Before each step is chosen, the first included: every task stands before what it does next.
    /// Called on the stack of the task that ran last, which is small.
    virtual void stepped(const Scheduler& /*scheduler*/) {}
};

struct ExecutionOptions {
    Grain grain = Grain::Coarse;
    std::uint32_t max_steps = 100'000;
    /// Under the timed strategy, a kernel function that takes longer: Scheduler::set_delay().
    struct Delay {
        std::string function;
        std::uint64_t ns = 0;
    };
    Delay delay = {};
    /// What a check made of a state is recalled, not made again, where an execution begins as the
    /// one before did (Scheduler::once()). For programs that nothing but choices decides.
    bool recall = false;
    bool final_state = true;  // whether ExecutionResult::state_hash is computed
    bool narrate = false;     // keep scopes and remarks, and a copy of the trace in the result
    /// Kinds of objects, by name, whose every access may be seen although they are declared Locked:
    /// the coarse grain does not merge them (soundness, 9).
    std::vector<std::string> split = {};
    /// Makes each worker's observer; it goes with the worker. Empty: nobody looks on.
    std::function<std::unique_ptr<Observer>()> observer = {};
};

/// What one execution came to.
struct ExecutionResult {
    Outcome outcome = Outcome::Completed;
    std::optional<Violation> violation;  // also for deadlocks and lost wake-ups
    std::string task_limit;              // with Outcome::TaskLimit: which task started too many
    std::uint64_t trace_hash = 0;
    std::uint64_t state_hash = 0;  // of completed and deadlocked executions, when asked for
    std::uint32_t steps = 0;
    std::uint32_t tasks = 0;  // and events
    std::uint32_t switches = 0;
    std::uint32_t deviations = 0;
    std::uint32_t choice_points = 0;
    Schedule schedule;
    std::vector<std::string> messages;  // the simulated kernel's log
    std::vector<std::string>
        unordered;  // accesses without an order: the merged steps were not sound
    std::vector<std::string> unordered_kinds;  // of objects, in `unordered`
    std::vector<std::string> split;            // ExecutionOptions::split
    std::vector<std::string> split_unordered;  // the same of kinds that were split: nothing rests
                                               // on their order
    Trace trace;                               // only when narrating
    bool failed() const { return outcome == Outcome::Violation || outcome == Outcome::Deadlock; }
};

/// One worker's simulation: arena, scheduler, program and prepared state. Belongs to the thread
/// that made it.
class Execution {
  public:
    /// Runs the preparation and takes the snapshot.
    Execution(const ProgramFactory& factory, const ExecutionOptions& options);
    ~Execution();

    /// Why the preparation failed; empty if it did not. Nothing may be run then.
    const std::string& preparation_error() const { return preparation_error_; }
    /// Digest of the prepared state: equal on every worker.
    std::uint64_t prepared_hash() const { return prepared_hash_; }

    /// Runs one schedule from the prepared state. The result is valid until the next run.
    [[gnu::hot]] const ExecutionResult& run(Strategy& strategy);

    Scheduler& scheduler() { return scheduler_; }
    Program& program() { return *program_; }
    const Arena& arena() const { return arena_; }
    Grain grain() const { return options_.grain; }
    void set_narrating(bool on) { options_.narrate = on; }
    /// Where the next executions are stopped.
    void set_max_steps(std::uint32_t steps) { options_.max_steps = steps; }
    /// Runs the next executions without the observer, or with it again.
    void set_observed(bool on) {
        memo_.clear();  // what is not looked at counts nothing
        scheduler_.observed_ = on && observer_ != nullptr;
        scheduler_.step_observer_ =
            scheduler_.observed_ && observer_->wants_steps() ? observer_.get() : nullptr;
    }

  private:
    void prepare();
    std::string error_of_preparation();
    void collect();

    ExecutionOptions options_;
    Arena arena_;
    Scheduler scheduler_;
    std::unique_ptr<Program> program_;
    std::unique_ptr<Observer> observer_;
    PrefixMemo memo_;
    std::string preparation_error_;
    std::uint64_t prepared_hash_ = 0;
    ExecutionResult result_;
};

}  // namespace sim
