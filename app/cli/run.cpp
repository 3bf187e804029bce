#include "app/cli/devices.h"
#include "app/cli/executions.h"
#include "app/report/step_table.h"
#include "app/scenario/kernel_spec.h"
#include "app/scenario/program.h"
#include "app/scenario/words.h"

namespace app::cli {

namespace {

std::string result_word(const scenario::OpResult& result) {
    if (!result.ended) return "not finished";
    return result.error ? "E" + std::string(model::errno_name(*result.error)) : "ok";
}

Json operations_json(const scenario::Scenario& scenario, const scenario::ScenarioProgram& program) {
    Json list = Json::array();
    for (std::size_t task = 0; task < scenario.tasks.size(); ++task)
        for (std::size_t i = 0; i < scenario.tasks[task].run.size(); ++i)
            list.push_back({{"task", scenario.tasks[task].name},
                            {"operation", scenario.tasks[task].run[i].text},
                            {"result", result_word(program.results()[task][i])}});
    return list;
}

std::string operations_text(const Json& operations) {
    std::string text;
    for (const Json& entry : operations) {
        const std::string result = entry.at("result").get<std::string>();
        if (result != "ok")
            text += "      " + entry.at("task").get<std::string>() + ": " +
                    entry.at("operation").get<std::string>() + ": " + result + "\n";
    }
    return text;
}

}  // namespace

void describe(Report& report, const scenario::Scenario& scenario,
              const model::KernelVersion& kernel, const sim::ExecutionResult& result) {
    report.verdict = verdict_of(result);
    report.document["scenario"] = scenario.id;
    report.document["kernel"] = kernel.name();
    report.document["trace_hash"] = scenario::hex_digits(result.trace_hash, 16);
    report.document["steps"] = result.steps;
    report.document["switches"] = result.switches;
    report.document["deviations"] = result.deviations;
    report.document["signature"] = result.violation ? Json(signature_of(result)) : Json();
    report.document["messages"] = result.messages;
    if (result.violation) {
        report.document["violation"] = result.violation->text;
        report.document["step"] = result.violation->step;
    }
    report.text +=
        std::string(to_string(report.verdict)) + "  " + scenario.id + " on " + kernel.name() + ": ";
    if (result.violation)
        report.text += "step " + std::to_string(result.violation->step) + "   signature " +
                       result.violation->signature + "\n      " +
                       wrapped(result.violation->text, 100, "      ");
    else if (result.outcome == sim::Outcome::StepLimit)
        report.text += "still running after " + grouped(result.steps) + " steps (--max-steps)\n";
    else if (result.outcome == sim::Outcome::TaskLimit)
        report.text += result.task_limit + "\n";
    else if (!result.unordered.empty())
        report.text += "no violation, but accesses without an order:\n";
    else
        report.text += "no violation in this execution\n";
    for (const std::string& race : result.unordered)
        report.text += "      " + wrapped(race, 100, "      ");
    if (!result.unordered.empty()) report.document["unordered"] = result.unordered;
    report.text += "      " + grouped(result.steps) + " steps, " + grouped(result.switches) +
                   " context switches, " + counted(result.deviations, "deviation") + ", trace " +
                   scenario::hex_digits(result.trace_hash, 16) + "\n";
    for (const std::string& message : result.messages)
        report.text += "      " + message + "\n";
}

VerbResult run(Session& session) {
    const Settings& settings = session.settings;
    const auto found = session.library.find(session.argument(0));
    if (!found.ok()) return found.error();
    const scenario::Scenario& scenario = *found.value();
    const bool trace = session.has("trace");
    const auto search = crash_search(session);
    auto prepared = prepare(found.value(), settings.kernel, execution_options(settings, trace),
                            crash::program_options(search, settings.kernel, scenario.geometry));
    if (!prepared.ok()) return prepared.error();
    sim::Execution& execution = *prepared.value();
    const report::StrategyRun strategy = strategy_run(execution, settings.strategy, settings.seed);

    const auto choices = make_strategy(strategy, execution);
    choices->next_execution();
    const sim::ExecutionResult& result = execution.run(*choices);
    const auto recording = recording_of(session, found.value(), settings.kernel, result, strategy);
    if (!recording.ok()) return recording.error();
    if (session.has("save"))
        if (auto failure =
                save_recording(session, session.parsed.last("save"), found.value(),
                               make_token(scenario, settings.kernel, settings.grain, result)))
            return *failure;

    Report report;
    report.text = heading(scenario, settings.kernel,
                          "strategy " + settings.strategy.name() + "  seed " +
                              std::to_string(settings.seed)) +
                  "reproduce: interleaf replay " + recording.value() +
                  replay_options(session, scenario) + "\n\n";
    if (trace)
        report.text +=
            report::step_table(result.trace, report::Columns(scenario, report::Columns::By::Task)) +
            "\n";
    report.document = {{"seed", settings.seed},
                       {"strategy", settings.strategy.name()},
                       {"token", recording.value()}};
    describe(report, scenario, settings.kernel, result);
    const Json operations = operations_json(
        scenario, static_cast<const scenario::ScenarioProgram&>(execution.program()));
    report.text += operations_text(operations);
    if (!result.failed()) describe_devices(report, search);
    report.document["operations"] = operations;
    if (result.failed())
        report.text += "next: interleaf explain " + recording.value() +
                       replay_options(session, scenario) + "\n";
    return report;
}

}  // namespace app::cli
