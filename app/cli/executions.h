#pragma once
#include <memory>
#include <optional>
#include <string>

#include "app/cli/session.h"
#include "app/report/failure_file.h"
#include "app/report/token.h"
#include "app/scenario/program.h"
#include "sim/execution.h"
#include "sim/explorer.h"

/// What the verbs that run executions share.
namespace app::cli {

sim::ExecutionOptions execution_options(const Settings& settings, bool narrate);
/// The same with the steps of a recorded execution: its grain, and what was split.
sim::ExecutionOptions execution_options(const Settings& settings, const report::Token& recorded,
                                        bool narrate);

/// A scenario on a kernel, prepared. @return a failure with exit 3 when its preparation fails or it
/// does not exist there
sim::Result<std::unique_ptr<sim::Execution>, Failure>
prepare(const ScenarioPtr& scenario, const model::KernelVersion& kernel,
        const sim::ExecutionOptions& options, const scenario::ProgramOptions& program = {});

/// One execution's verdict: FAIL, CLEAN, or why it says nothing.
Verdict verdict_of(const sim::ExecutionResult& result);
/// A search's verdict. @param accepted  whether the bound was the scenario's or the user's
Verdict verdict_of(const sim::SearchReport& report, bool accepted);
/// Of one run: "livelock/step-limit" where the engine names none.
std::string signature_of(const sim::ExecutionResult& result);

/// What the default order comes to: its steps, together and by the scenario's tasks (what they
/// caused counts as theirs).
struct DefaultRun {
    std::uint32_t steps = 0;
    std::vector<std::uint32_t> by_task;
};
/// Nothing when the scenario cannot be prepared there.
std::optional<DefaultRun> default_run(const ScenarioPtr& scenario,
                                      const model::KernelVersion& kernel, const Settings& settings);

/// The strategy with what it needs of a default run. Runs one when it needs it.
report::StrategyRun strategy_run(sim::Execution& execution, const sim::StrategySpec& strategy,
                                 std::uint64_t seed);
/// Runs the default schedule where the strategy has to know of all tasks.
std::unique_ptr<sim::Strategy> make_strategy(const report::StrategyRun& run,
                                             sim::Execution& execution);
/// Makes the token's choices once more: its schedule, or what its strategy chooses.
std::unique_ptr<sim::Strategy> make_strategy(const report::Token& token, sim::Execution& execution);

/// A token of the execution with these choices.
report::Token make_token(const scenario::Scenario& scenario, const model::KernelVersion& kernel,
                         sim::Grain grain, const sim::ExecutionResult& result);

/// How a reader repeats an execution: the shorter token of its choices or of the strategy that made
/// them, or the name of the file it was saved to when neither fits.
sim::Result<std::string, Failure>
recording_of(const Session& session, const ScenarioPtr& scenario,
             const model::KernelVersion& kernel, const sim::ExecutionResult& result,
             const std::optional<report::StrategyRun>& made_by = std::nullopt);
/// "interleaf-out/replace-001-5c1e22.ilf": named by what it holds, so that the same failure makes
/// the same name.
std::string recording_name(const Session& session, std::string id, std::uint64_t trace_hash);
/// Runs the schedule once more, and writes it with the meaning of each step. @return what went
/// wrong
std::optional<Failure> save_recording(const Session& session, const std::string& file,
                                      const ScenarioPtr& scenario, const report::Token& token);

/// What run and replay say of one execution: verdict, counts, messages.
void describe(Report& report, const scenario::Scenario& scenario,
              const model::KernelVersion& kernel, const sim::ExecutionResult& result);

/// "interleaf 0.1.0  replace/001@5c1e22  kernel 5.5@91d0  " and the rest.
std::string heading(const scenario::Scenario& scenario, const model::KernelVersion& kernel,
                    const std::string& rest);
/// Whether the id alone finds this scenario.
bool in_library(const Session& session, const scenario::Scenario& scenario);
/// What to write on a command line for the scenario: its id, or its file when it was given as one.
std::string scenario_word(const Session& session, const scenario::Scenario& scenario);
/// " --scenario FILE" when the id alone would not find it.
std::string scenario_option(const Session& session, const scenario::Scenario& scenario);
/// What replay and explain need beside the token: that, and where the machine was stopped.
std::string replay_options(const Session& session, const scenario::Scenario& scenario);

/// Lines of at most `width` columns; those after the first are indented.
std::string wrapped(const std::string& text, std::size_t width, const std::string& indent);

}  // namespace app::cli
