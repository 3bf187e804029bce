#include "app/cli/executions.h"

#include <algorithm>
#include <filesystem>

#include "app/cli/build_info.h"
#include "app/cli/devices.h"
#include "app/cli/output.h"
#include "app/report/columns.h"
#include "app/scenario/kernel_spec.h"
#include "app/scenario/program.h"
#include "app/scenario/words.h"
#include "sim/meaning.h"
#include "sim/profile.h"

namespace app::cli {

std::string recording_name(const Session& session, std::string id, std::uint64_t trace_hash) {
    std::replace(id.begin(), id.end(), '/', '-');
    return session.settings.artifacts + "/" + id + "-" + scenario::hex_digits(trace_hash, 8) +
           ".ilf";
}

sim::ExecutionOptions execution_options(const Settings& settings, bool narrate) {
    sim::ExecutionOptions options;
    options.grain = settings.grain;
    options.max_steps = settings.max_steps;
    options.narrate = narrate;
    options.split = settings.split;
    return options;
}

sim::ExecutionOptions execution_options(const Settings& settings, const report::Token& recorded,
                                        bool narrate) {
    sim::ExecutionOptions options = execution_options(settings, narrate);
    options.grain = recorded.fine ? sim::Grain::Fine : sim::Grain::Coarse;
    options.split = recorded.split;
    return options;
}

sim::Result<std::unique_ptr<sim::Execution>, Failure>
prepare(const ScenarioPtr& scenario, const model::KernelVersion& kernel,
        const sim::ExecutionOptions& options, const scenario::ProgramOptions& program) {
    if (!scenario->exists_on(kernel.release()))
        return invalid("scenario " + scenario->id + " needs kernel " + to_string(*scenario->since) +
                           " or later",
                       "--kernel " + to_string(*scenario->since));
    auto execution = std::make_unique<sim::Execution>(
        scenario::make_factory(scenario, kernel, program), options);
    if (execution->preparation_error().empty()) return execution;
    return invalid(scenario->file + ": cannot be prepared on kernel " + kernel.name() + ": " +
                   execution->preparation_error());
}

Verdict verdict_of(const sim::ExecutionResult& result) {
    if (result.outcome == sim::Outcome::Nondeterministic) return Verdict::Nondeterministic;
    if (result.failed()) return Verdict::Fail;
    // An access without an order means that steps were merged that should not have been: nothing is
    // claimed then.
    return result.outcome == sim::Outcome::Completed && result.unordered.empty()
               ? Verdict::Clean
               : Verdict::Inconclusive;
}

Verdict verdict_of(const sim::SearchReport& report, bool accepted) {
    if (report.end == sim::SearchEnd::Nondeterministic) return Verdict::Nondeterministic;
    if (!report.failures.empty()) return Verdict::Fail;
    if (report.end != sim::SearchEnd::Complete || !report.unordered.empty())
        return Verdict::Inconclusive;
    if (report.whole_space) return Verdict::Pass;
    return accepted ? Verdict::PassBounded : Verdict::Inconclusive;
}

std::string signature_of(const sim::ExecutionResult& result) {
    return result.violation ? result.violation->signature : "";
}

std::optional<DefaultRun> default_run(const ScenarioPtr& scenario,
                                      const model::KernelVersion& kernel,
                                      const Settings& settings) {
    auto execution = prepare(scenario, kernel, execution_options(settings, false));
    if (!execution.ok()) return std::nullopt;
    const auto usual = sim::make_default();
    usual->next_execution();
    DefaultRun run{.steps = execution.value()->run(*usual).steps,
                   .by_task = std::vector<std::uint32_t>(scenario->tasks.size())};
    const report::Columns columns(*scenario, report::Columns::By::Task);
    const sim::Trace& trace = execution.value()->scheduler().trace();
    for (const sim::Step& step : trace.step_list())
        ++run.by_task[columns.of(trace, step.task)];
    return run;
}

report::StrategyRun strategy_run(sim::Execution& execution, const sim::StrategySpec& strategy,
                                 std::uint64_t seed) {
    report::StrategyRun run{.strategy = strategy, .seed = seed};
    if (strategy.kind != sim::StrategySpec::Kind::Pct) return run;
    const sim::Profile profile = sim::profile_of(execution);
    run.tasks = profile.tasks;
    run.steps = profile.steps;
    return run;
}

std::unique_ptr<sim::Strategy> make_strategy(const report::StrategyRun& run,
                                             sim::Execution& execution) {
    sim::Profile profile{.tasks = run.tasks, .steps = run.steps, .steps_below = {}};
    if (run.strategy.kind == sim::StrategySpec::Kind::Walk) profile = sim::profile_of(execution);
    return sim::make_strategy(run.strategy, run.seed,
                              std::make_shared<const sim::Profile>(std::move(profile)));
}

std::unique_ptr<sim::Strategy> make_strategy(const report::Token& token,
                                             sim::Execution& execution) {
    return token.run ? make_strategy(*token.run, execution) : sim::make_replay(token.schedule);
}

report::Token make_token(const scenario::Scenario& scenario, const model::KernelVersion& kernel,
                         sim::Grain grain, const sim::ExecutionResult& result) {
    report::Token token;
    token.scenario = scenario.id;
    token.content = scenario.content;
    token.kernel = kernel;
    token.fine = grain == sim::Grain::Fine;
    token.trace_hash = report::short_hash(result.trace_hash);
    token.schedule = result.schedule;
    token.split = result.split;
    return token;
}

sim::Result<std::string, Failure> recording_of(const Session& session, const ScenarioPtr& scenario,
                                               const model::KernelVersion& kernel,
                                               const sim::ExecutionResult& result,
                                               const std::optional<report::StrategyRun>& made_by) {
    const report::Token token = make_token(*scenario, kernel, session.settings.grain, result);
    std::string text = report::encode(token);
    if (made_by) {
        report::Token by_strategy = token;
        by_strategy.run = made_by;
        const std::string shorter = report::encode(by_strategy);
        if (text.empty() || shorter.size() < text.size()) text = shorter;
    }
    if (!text.empty()) return text;
    const std::string file = recording_name(session, scenario->id, result.trace_hash);
    std::error_code error;
    std::filesystem::create_directories(session.settings.artifacts, error);
    if (auto failure = save_recording(session, file, scenario, token)) return *failure;
    return file;
}

std::optional<Failure> save_recording(const Session& session, const std::string& file,
                                      const ScenarioPtr& scenario, const report::Token& token) {
    AtomicFile output;  // opened first: a wrong name is known before the run
    if (std::string error = output.open(file); !error.empty())
        return Failure{
            .exit = exit_code::usage, .message = std::move(error), .nearest = {}, .where = {}};
    const auto execution =
        prepare(scenario, token.kernel, execution_options(session.settings, token, true),
                watch_devices(session, *scenario, token.kernel));
    if (!execution.ok()) return execution.error();
    const auto strategy = make_strategy(token, *execution.value());
    strategy->next_execution();
    const sim::ExecutionResult& result = execution.value()->run(*strategy);
    report::FailureFile recording{.token = token,
                                  .verdict = to_string(verdict_of(result)),
                                  .signature = signature_of(result),
                                  .text = result.violation ? result.violation->text : "",
                                  .trace_hash = result.trace_hash,
                                  .steps = sim::meanings(result.trace),
                                  .definition = in_library(session, *scenario) ? std::string()
                                                                               : scenario->text};
    if (std::string error = output.commit(report::to_text(recording)); !error.empty())
        return Failure{
            .exit = exit_code::internal, .message = std::move(error), .nearest = {}, .where = {}};
    return std::nullopt;
}

std::string heading(const scenario::Scenario& scenario, const model::KernelVersion& kernel,
                    const std::string& rest) {
    return "interleaf " + program_version() + "  " + scenario.label() + "  kernel " +
           scenario::kernel_label(kernel) + (rest.empty() ? "" : "  " + rest) + "\n";
}

bool in_library(const Session& session, const scenario::Scenario& scenario) {
    const auto it = session.library.files().find(scenario.id);
    return it != session.library.files().end() && it->second == scenario.file;
}

std::string scenario_word(const Session& session, const scenario::Scenario& scenario) {
    return in_library(session, scenario) ? scenario.id : scenario.file;
}

std::string scenario_option(const Session& session, const scenario::Scenario& scenario) {
    const std::string word = scenario_word(session, scenario);
    return word == scenario.id ? "" : " --scenario " + word;
}

std::string replay_options(const Session& session, const scenario::Scenario& scenario) {
    return scenario_option(session, scenario) + devices_options(session);
}

std::string wrapped(const std::string& text, std::size_t width, const std::string& indent) {
    std::string result;
    const std::string_view body =
        std::string_view(text).substr(0, text.size() - (text.ends_with('\n') ? 1 : 0));
    for (const std::string& paragraph : scenario::split(body, '\n')) {
        std::string line = result.empty() ? "" : indent;
        bool fresh = true;
        for (const std::string& word : scenario::split_words(paragraph)) {
            if (!fresh && line.size() + 1 + word.size() > width) {
                result += line + "\n";
                line = indent;
                fresh = true;
            }
            line += (fresh ? "" : " ") + word;
            fresh = false;
        }
        result += line + "\n";
    }
    return result;
}

}  // namespace app::cli
