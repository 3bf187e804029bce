#include "app/cli/recording.h"
#include "app/report/comparison.h"
#include "app/scenario/kernel_spec.h"
#include "app/scenario/words.h"

namespace app::cli {

namespace {

constexpr std::size_t rows_shown = 24;

/// One of the two: what was given, and what it came to when it ran again.
struct Side {
    Recording recording;
    ScenarioPtr scenario;
    sim::ExecutionResult result;

    std::string verdict() const {
        return to_string(verdict_of(result)) +
               (result.violation ? " " + result.violation->signature : std::string());
    }
};

sim::Result<Side, Failure> load_side(const Session& session, const std::string& word) {
    auto recording = load_recording(word);
    if (!recording.ok()) return recording.error();
    auto scenario = scenario_of(session, recording.value());
    if (!scenario.ok()) return scenario.error();
    if (auto failure = other_kernel(session, recording.value())) return *failure;
    auto result = replay_exactly(session, recording.value(), scenario.value(), true);
    if (!result.ok()) return result.error();
    return Side{.recording = std::move(recording.value()),
                .scenario = scenario.value(),
                .result = std::move(result.value())};
}

std::string next_text(const Side& side, std::uint32_t step) {
    return step < side.result.trace.steps() ? report::step_text(side.result.trace, step)
                                            : "nothing: it has ended";
}

Json json_of_step(const Side& side, std::uint32_t step) {
    const sim::Trace& trace = side.result.trace;
    if (step >= trace.steps()) return nullptr;
    return {{"step", step},
            {"task", trace.task_name(trace.step_list()[step].task)},
            {"text", report::step_text(trace, step)}};
}

std::string pair_text(const std::string& label, const std::string& a, const std::string& b) {
    return label + "\n  A  " + wrapped(a, 95, "     ") + "  B  " + wrapped(b, 95, "     ");
}

/// The same task that does something else chose nothing: what it found was different.
const char* kind_of(const report::Comparison& comparison) {
    const bool same_task = comparison.next_a && comparison.next_b &&
                           comparison.next_a->task == comparison.next_b->task;
    return same_task ? "first different operation" : "first different choice";
}

Json side_json(const Side& side) {
    return {{"recording", side.recording.word},
            {"kernel", side.recording.token.kernel.name()},
            {"content", scenario::hex_digits(side.scenario->content.digest(), 16)},
            {"verdict", to_string(verdict_of(side.result))},
            {"signature", side.result.violation ? Json(side.result.violation->signature) : Json()},
            {"steps", side.result.steps},
            {"switches", side.result.switches},
            {"trace_hash", scenario::hex_digits(side.result.trace_hash, 16)}};
}

Json cell_json(const std::optional<report::Stretch>& stretch) {
    if (!stretch) return nullptr;
    return {{"task", stretch->task},
            {"step", stretch->first},
            {"steps", stretch->count},
            {"remark", stretch->remark}};
}

Json rows_json(const report::Comparison& comparison) {
    Json list = Json::array();
    for (const report::ComparedRow& row : comparison.rows)
        list.push_back({{"a", cell_json(row.a)}, {"b", cell_json(row.b)}, {"same", row.same}});
    return list;
}

Report report_of(const Session& session, const Side& a, const Side& b) {
    const report::Comparison comparison = report::compare(a.result.trace, b.result.trace);
    Report report;
    report.verdict = comparison.same() ? Verdict::Pass : Verdict::Fail;
    report.document = {
        {"scenario", a.recording.token.scenario},
        {"kernel", a.recording.token.kernel == b.recording.token.kernel
                       ? Json(a.recording.token.kernel.name())
                       : Json({a.recording.token.kernel.name(), b.recording.token.kernel.name()})},
        {"same", comparison.same()},
        {"a", side_json(a)},
        {"b", side_json(b)},
        {"common_steps", comparison.common},
        {"first_choice", nullptr},
        {"first_state", nullptr},
        {"rows", rows_json(comparison)}};
    report.text = "A  " + a.recording.word + "\n   " +
                  heading(*a.scenario, a.recording.token.kernel, "") + "B  " + b.recording.word +
                  "\n   " + heading(*b.scenario, b.recording.token.kernel, "") + "\n";
    if (a.scenario->content != b.scenario->content)
        report.text += "the scenarios differ; steps are compared by what they mean\n";
    report.text += "same for " + counted(comparison.common, "step") + "\n";
    if (comparison.next_a || comparison.next_b) {
        report.document["first_choice"] = {{"kind", kind_of(comparison)},
                                           {"a", json_of_step(a, comparison.common)},
                                           {"b", json_of_step(b, comparison.common)}};
        report.text += pair_text(std::string(kind_of(comparison)) + ", step " +
                                     std::to_string(comparison.common) + ":",
                                 next_text(a, comparison.common), next_text(b, comparison.common));
    }
    if (comparison.state) {
        const auto [at_a, at_b] = *comparison.state;
        report.document["first_state"] = {{"a", json_of_step(a, at_a)},
                                          {"b", json_of_step(b, at_b)}};
        report.text += pair_text("first different state, steps " + std::to_string(at_a) + " and " +
                                     std::to_string(at_b) +
                                     ": the same operation finds or leaves something else",
                                 next_text(a, at_a), next_text(b, at_b));
    }
    if (comparison.same()) report.text += "the two executions are the same\n";
    report.text += "verdicts: " + a.verdict() + " / " + b.verdict() + "\n";
    if (!comparison.rows.empty())
        report.text +=
            "\n" + report::columns_text(comparison, 100,
                                        session.has("full") ? comparison.rows.size() : rows_shown);
    return report;
}

}  // namespace

VerbResult diff(Session& session) {
    const auto a = load_side(session, session.argument(0));
    if (!a.ok()) return a.error();
    const auto b = load_side(session, session.argument(1));
    if (!b.ok()) return b.error();
    const std::string& first = a.value().recording.token.scenario;
    const std::string& second = b.value().recording.token.scenario;
    if (first != second)
        return usage_failure("these are executions of two scenarios, " + first + " and " + second +
                             "; interleaf diff compares two of one");
    return report_of(session, a.value(), b.value());
}

}  // namespace app::cli
