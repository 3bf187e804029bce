#include "sim/execution.h"

#include <utility>

#include "sim/strategies.h"

namespace sim {
namespace {
constexpr std::uint64_t executing = std::uint64_t{1} << 63;
constexpr std::uint32_t preparation_steps = 10'000'000;

/// Makes a simulation the thread's current one for a while: several may live side by side, or one
/// inside another's check.
class CurrentScope {
  public:
    explicit CurrentScope(Scheduler& scheduler)
        : outer_(std::exchange(detail::scheduler_of_this_thread, &scheduler)) {}
    ~CurrentScope() { detail::scheduler_of_this_thread = outer_; }
    CurrentScope(const CurrentScope&) = delete;
    CurrentScope& operator=(const CurrentScope&) = delete;

  private:
    Scheduler* outer_;
};

/// Mostly there is nothing to copy, and nothing of the execution before.
template <class T> void copy_any(const T& from, T& to) {
    if (!from.empty() || !to.empty()) to = from;
}
}  // namespace

Execution::Execution(const ProgramFactory& factory, const ExecutionOptions& options)
    : options_(options), scheduler_(arena_), program_(factory()) {
    scheduler_.split(options_.split);
    result_.split = options_.split;
    scheduler_.set_delay(options_.delay.function, options_.delay.ns);
    prepare();
    if (options.observer) observer_ = options.observer();
    set_observed(true);
    if (options.recall) scheduler_.memo_ = &memo_;
}

Execution::~Execution() {
    const CurrentScope scope(scheduler_);
    program_.reset();
}

void Execution::prepare() {
    const auto usual = make_default();
    usual->next_execution();
    scheduler_.trace().set_narrating(options_.narrate);
    scheduler_.begin_execution(options_.grain, *usual, preparation_steps, preparation_phase);
    Program* const program = program_.get();
    scheduler_.create("prepare", TaskKind::Task).job = [program] { program->prepare(); };
    scheduler_.run_to_end();
    preparation_error_ = error_of_preparation();
    scheduler_.end_execution();
    if (!preparation_error_.empty()) return;
    prepared_hash_ = program_->state_hash();
    arena_.snapshot();
}

std::string Execution::error_of_preparation() {
    const std::string last = program_->prepared_last();
    const std::string where = last.empty() ? std::string() : last + ": ";
    switch (scheduler_.outcome()) {
    case Outcome::Completed:
        return program_->check_prepared();
    case Outcome::StepLimit:
        return where + "the preparation does not end: " + std::to_string(preparation_steps) +
               " steps are the limit";
    case Outcome::TaskLimit:
        return where + scheduler_.task_limit();
    default:
        return scheduler_.found().text;
    }
}

const ExecutionResult& Execution::run(Strategy& strategy) {
    const CurrentScope scope(scheduler_);
    arena_.restore();
    memo_.begin_execution();
    scheduler_.trace().set_narrating(options_.narrate);
    scheduler_.begin_execution(options_.grain, strategy, options_.max_steps, executing);
    program_->start();
    scheduler_.run_to_end();

    result_.state_hash = 0;
    if (scheduler_.outcome() == Outcome::Completed) {
        scheduler_.decided_ = false;  // the end may still find something
        program_->check_end();
        scheduler_.decided_ = true;
    }
    const Outcome outcome = scheduler_.outcome();
    if (options_.final_state && (outcome == Outcome::Completed || outcome == Outcome::Deadlock))
        result_.state_hash = program_->state_hash();
    collect();
    strategy.execution_ended(outcome, scheduler_);
    result_.outcome = scheduler_.outcome();
    if (scheduler_.observed_) observer_->executed(scheduler_, result_);
    scheduler_.end_execution();
    return result_;
}

void Execution::collect() {
    const Trace& trace = scheduler_.trace();
    result_.outcome = scheduler_.outcome();
    result_.violation.reset();
    if (result_.failed()) result_.violation = scheduler_.found();
    result_.trace_hash = trace.hash();
    result_.steps = trace.steps();
    copy_any(scheduler_.task_limit(), result_.task_limit);
    result_.tasks = static_cast<std::uint32_t>(trace.names().size());
    result_.deviations = scheduler_.deviations();
    result_.choice_points = scheduler_.choice_points();
    const auto& departures = scheduler_.departures();
    result_.schedule.departures.assign(departures.begin(), departures.end());
    copy_any(scheduler_.messages(), result_.messages);
    copy_any(scheduler_.unordered_accesses(), result_.unordered);
    copy_any(scheduler_.unordered_kinds(), result_.unordered_kinds);
    copy_any(scheduler_.split_unordered_accesses(), result_.split_unordered);
    result_.switches = trace.switches();
    if (options_.narrate) result_.trace = trace;
}

}  // namespace sim
