#include <algorithm>

#include "app/cli/coverage.h"
#include "app/cli/executions.h"
#include "app/report/certificate.h"
#include "app/report/failure_file.h"
#include "app/scenario/kernel_spec.h"
#include "app/scenario/words.h"
#include "model/format.h"
#include "model/invariants.h"

namespace app::cli {

namespace {

constexpr std::size_t label_width = 13;

/// "Label        text", further lines under the text.
std::string entry(std::string label, const std::string& text) {
    label.resize(std::max(label_width, label.size() + 1), ' ');
    return label + wrapped(text, 100 - label_width, std::string(label_width, ' '));
}

const char* profile_name(model::u64 profile) {
    if (profile == 0) return "single";
    return profile == model::bg_raid1 ? "raid1" : "dup";
}

std::string devices_text(const model::Geometry& geometry) {
    std::vector<std::string> words;
    for (const auto& device : geometry.devices)
        words.push_back(device.name + " " + scenario::format_size(device.size) +
                        (device.spare ? " (spare)" : ""));
    return scenario::join(words, ", ") + "; data " + profile_name(geometry.data_profile) +
           ", metadata " + profile_name(geometry.metadata_profile);
}

std::vector<std::string> op_texts(const std::vector<scenario::Op>& ops) {
    std::vector<std::string> texts;
    for (const scenario::Op& op : ops)
        texts.push_back(op.text);
    return texts;
}

VerbResult show_scenario(Session& session, const ScenarioPtr& loaded) {
    const scenario::Scenario& scenario = *loaded;
    Report report;
    if (session.has("raw")) {
        const auto raw = read_file(scenario.file);
        if (!raw.ok()) return raw.error();
        report.text = raw.value();
    } else {
        report.text = scenario.id + "  " + scenario.title + "  [" +
                      scenario::join(scenario.groups, " ") + "]\n";
        if (!scenario.description.empty())
            report.text += "  " + wrapped(scenario.description, 98, "  ");
        report.text += entry("Devices", devices_text(scenario.geometry));
        report.text += entry("Prepared", scenario::join(scenario.prepare_lines, "; "));
        const auto usual = default_run(loaded, session.settings.kernel, session.settings);
        for (std::size_t i = 0; i < scenario.tasks.size(); ++i) {
            const scenario::TaskSpec& task = scenario.tasks[i];
            report.text +=
                entry("CPU " + std::to_string(task.cpu),
                      task.name + ": " + scenario::join(op_texts(task.run), "; ") +
                          (usual ? " (" + std::to_string(usual->by_task[i]) + " steps)" : ""));
        }
        if (usual)
            report.text +=
                entry("Size", grouped(usual->steps) + " steps in the default order, on " +
                                  session.settings.kernel.name());
        if (scenario.preemptions)
            report.text += entry("Bound", counted(*scenario.preemptions, "deviation") +
                                              " from the default order");
        for (const scenario::Expectation& expected : scenario.expect)
            report.text += entry("Expected",
                                 expected.kernel.name() + ": " + to_string(expected.verdict) +
                                     (expected.signature.empty() ? "" : "  " + expected.signature));
        if (!scenario.refs.empty())
            report.text += entry("See", scenario::join(scenario.refs, ", "));
        report.text += entry("File", scenario.file);
        report.text += entry("Run it", "interleaf explore " + scenario_word(session, scenario) +
                                           " " + scenario::kernel_options(session.settings.kernel));
    }
    Json tasks = Json::object();
    for (const scenario::TaskSpec& task : scenario.tasks)
        tasks[task.name] = {{"cpu", task.cpu}, {"run", op_texts(task.run)}};
    report.document = {{"scenario", scenario.id},
                       {"kind", "scenario"},
                       {"title", scenario.title},
                       {"content", scenario::hex_digits(scenario.content.digest(), 16)},
                       {"groups", scenario.groups},
                       {"prepare", op_texts(scenario.prepare)},
                       {"tasks", std::move(tasks)},
                       {"bound", scenario.preemptions ? Json(*scenario.preemptions) : Json()},
                       {"file", scenario.file}};
    return report;
}

Json fix_json(const model::Fix& fix) {
    return {{"commit", fix.commit}, {"name", fix.name}, {"subject", fix.subject}};
}

Report show_kernel(const model::KernelVersion& kernel) {
    Report report;
    Json fixes = Json::array();
    report.text = "kernel " + scenario::kernel_label(kernel) + "\n";
    for (const model::Fix& fix : model::fixes()) {
        if (!kernel.has(fix)) continue;
        report.text += entry(fix.id(), fix.subject);
        fixes.push_back(fix_json(fix));
    }
    report.document = {{"kind", "kernel"}, {"kernel", kernel.name()}, {"fixes", std::move(fixes)}};
    return report;
}

sim::Result<model::KernelVersion, Failure> kernel_of(const std::string& text) {
    const auto spec = scenario::parse_kernel_spec(text);
    if (!spec)
        return invalid("\"" + text + "\" is no kernel; write 5.5, or \"5.5 with X without Y\"");
    const auto kernel = spec->resolve();
    if (!kernel.ok()) return invalid(kernel.error().message, kernel.error().hint);
    return kernel.value();
}

VerbResult show_difference(const std::string& first, const std::string& second) {
    const auto a = kernel_of(first), b = kernel_of(second);
    if (!a.ok()) return a.error();
    if (!b.ok()) return b.error();
    Report report;
    Json gained = Json::array(), lost = Json::array();
    report.text = a.value().name() + " -> " + b.value().name() + "\n";
    for (const model::Fix& fix : model::fixes()) {
        if (a.value().has(fix) == b.value().has(fix)) continue;
        report.text += entry(std::string(b.value().has(fix) ? "+ " : "- ") + fix.id(), fix.subject);
        (b.value().has(fix) ? gained : lost).push_back(fix_json(fix));
    }
    report.document = {{"kind", "kernel-difference"},
                       {"kernel", b.value().name()},
                       {"from", a.value().name()},
                       {"added", std::move(gained)},
                       {"removed", std::move(lost)}};
    return report;
}

Report show_fix(const model::Fix& fix) {
    Report report;
    report.text = std::string(fix.id()) + "  " + fix.subject + "\n" + entry("Name", fix.name);
    switch (fix.kind) {
    case model::Fix::Kind::Upstream:
        report.text += entry("Since", to_string(fix.since));
        break;
    case model::Fix::Kind::Proposal:
        report.text += entry("Kind", "proposed, not merged");
        break;
    case model::Fix::Kind::WhatIf:
        report.text += entry("Kind", "what-if: no kernel has it");
        break;
    }
    for (const char* needed : fix.needs)
        report.text += entry("Needs", needed);
    for (const char* replaced : fix.replaces)
        report.text += entry("Replaces", replaced);
    report.document = fix_json(fix);
    report.document["kind"] = "change";
    return report;
}

Report show_invariant(const model::Invariant& invariant) {
    Report report;
    report.text = std::string(invariant.name) + "\n" + entry("Promise", invariant.sentence) +
                  entry("Checked", invariant.where);
    report.document = {{"kind", "invariant"},
                       {"name", invariant.name},
                       {"sentence", invariant.sentence},
                       {"where", invariant.where}};
    return report;
}

std::string schedule_text(const report::Token& token) {
    if (token.run)
        return "strategy " + token.run->strategy.name() + ", seed " +
               std::to_string(token.run->seed);
    std::string text =
        counted(token.schedule.departures.size(), "choice") + " other than the default";
    for (std::size_t i = 0; i < token.schedule.departures.size() && i < 20; ++i)
        text += (i == 0 ? ": " : ", ") + std::to_string(token.schedule.departures[i].index) +
                " at " + std::to_string(token.schedule.departures[i].ordinal);
    return token.schedule.departures.size() > 20 ? text + ", ..." : text;
}

Report show_token(const report::Token& token) {
    Report report;
    report.text = entry("Scenario", token.scenario) + entry("Kernel", token.kernel.name()) +
                  entry("Schedule", schedule_text(token)) +
                  entry("Grain", token.fine ? "fine" : "coarse") +
                  entry("Model", "revision " + std::to_string(token.revision));
    report.document = {{"scenario", token.scenario},
                       {"kind", "token"},
                       {"kernel", token.kernel.name()},
                       {"schedule", schedule_text(token)},
                       {"revision", token.revision}};
    return report;
}

VerbResult show_failure_file(const std::string& file) {
    const auto text = read_file(file);
    if (!text.ok()) return text.error();
    const auto recording = report::parse_failure_file(text.value());
    if (!recording.ok()) return damaged(file + ": " + recording.error().message);
    Report report = show_token(recording.value().token);
    report.text += entry("Verdict", recording.value().verdict + "  " + recording.value().signature);
    if (!recording.value().text.empty()) report.text += entry("Because", recording.value().text);
    report.text += entry("Steps", std::to_string(recording.value().steps.size()));
    report.document["kind"] = "failure file";
    report.document["signature"] = recording.value().signature;
    return report;
}

VerbResult show_certificate(const std::string& file) {
    const auto text = read_file(file);
    if (!text.ok()) return text.error();
    const auto certificate = report::parse_certificate(text.value());
    if (!certificate.ok()) return damaged(file + ": " + certificate.error().message);
    Report report;
    for (const auto& [label, words] : report::in_words(certificate.value()))
        report.text += entry(label, words);
    report.document = Json::parse(text.value());
    report.document["kind"] = "certificate";
    report.document["certified"] = certificate.value().verdict;
    return report;
}

}  // namespace

VerbResult show(Session& session) {
    if (session.has("diff-kernel")) {
        const std::vector<std::string> pair = session.parsed.all("diff-kernel");
        return show_difference(pair.at(0), pair.at(1));
    }
    if (session.parsed.arguments.empty()) {
        if (session.settings.kernel_given) return show_kernel(session.settings.kernel);
        return usage_failure("THING is missing: interleaf show THING");
    }
    const std::string& word = session.argument(0);
    if (report::looks_like_token(word)) {
        const auto token = report::decode(word);
        if (!token.ok()) return damaged(token.error().message);
        return show_token(token.value());
    }
    if (word.ends_with(".cert.json")) return show_certificate(word);
    if (word.ends_with(".ilf")) return show_failure_file(word);
    if (is_file_name(word))
        if (const auto text = read_file(word);
            text.ok() && report::looks_like_coverage(text.value()))
            return show_coverage(session, word, text.value());
    if (const model::Fix* fix = model::find_fix(word)) return show_fix(*fix);
    for (const model::Invariant& invariant : model::invariants())
        if (word == invariant.name) return show_invariant(invariant);
    if (!word.empty() && word[0] >= '0' && word[0] <= '9') {
        const auto kernel = kernel_of(word);
        if (!kernel.ok()) return kernel.error();
        return show_kernel(kernel.value());
    }
    const auto scenario = session.library.find(word);
    if (!scenario.ok()) return scenario.error();
    return show_scenario(session, scenario.value());
}

}  // namespace app::cli
