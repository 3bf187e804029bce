#include "app/cli/coverage.h"

#include "app/scenario/words.h"

namespace app::cli {

namespace {

Json summary_json(const report::ScenarioCoverage& coverage) {
    return {{"scenario", coverage.scenario},
            {"executions", coverage.executions},
            {"pairs", coverage.pairs.size()},
            {"pairs_in_one_order", coverage.one_order()},
            {"invariants", coverage.invariants.size()},
            {"invariants_evaluated", coverage.evaluated()},
            {"changes", coverage.changes.size()},
            {"changes_run", coverage.changes_run()}};
}

std::string pairs_text(const report::ScenarioCoverage& coverage) {
    return "never seen in both orders: " + grouped(coverage.one_order()) + " of " +
           counted(coverage.pairs.size(), "conflict pair");
}

std::string conflicting_text(const report::ConflictingStep& step) {
    return step.task + ": " + step.operation + " " + step.object;
}

/// The order that was seen, then which steps.
std::string list_pairs(const report::ScenarioCoverage& coverage) {
    std::string text;
    for (const report::ConflictPair& pair : coverage.pairs) {
        if (pair.both()) continue;
        const bool in_order = pair.in_order != 0;
        text += "      " + conflicting_text(in_order ? pair.first : pair.second) +
                "\n        always before " + conflicting_text(in_order ? pair.second : pair.first) +
                ", " + counted(in_order ? pair.in_order : pair.reversed, "time") + "\n";
    }
    return text;
}

std::string list_counts(const report::ScenarioCoverage& coverage) {
    std::string text = "      invariants evaluated: " + grouped(coverage.evaluated()) + " of " +
                       grouped(coverage.invariants.size()) + "\n";
    for (const report::CountedName& invariant : coverage.invariants) {
        std::string name = invariant.name;
        name.resize(std::max<std::size_t>(30, name.size() + 1), ' ');
        text += "        " + name +
                (invariant.count == 0 ? "never" : counted(invariant.count, "time")) + "\n";
    }
    text += "      changes of the kernel whose code ran: " + grouped(coverage.changes_run()) +
            " of " + grouped(coverage.changes.size()) + "\n";
    for (const report::CountedChange& change : coverage.changes) {
        std::string name = change.name;
        name.resize(std::max<std::size_t>(30, name.size() + 1), ' ');
        text += "        " + name + (change.present ? "with it     " : "without it  ") +
                (change.count == 0 ? "never" : counted(change.count, "time")) + "\n";
    }
    return text;
}

}  // namespace

sim::Result<CoverageOption, Failure> CoverageOption::open(const Session& session) {
    CoverageOption option;
    if (!session.has("coverage")) return option;
    option.name_ = session.parsed.last("coverage");
    if (const std::string error = option.file_.open(option.name_); !error.empty())
        return usage_failure(error);
    return option;
}

void CoverageOption::add(Report& report, const scenario::Scenario& scenario,
                         const model::KernelVersion& kernel, const sim::Coverage* coverage) {
    if (!is_on()) return;
    scenarios_.push_back(report::coverage_of(*coverage, scenario.id, kernel));
    report.text +=
        "      " + pairs_text(scenarios_.back()) + "   (interleaf show " + name_ + " --pairs)\n";
    report.document["coverage"]["file"] = name_;
    report.document["coverage"]["scenarios"].push_back(summary_json(scenarios_.back()));
}

std::optional<Failure> CoverageOption::write() {
    if (!is_on()) return std::nullopt;
    const std::string error = file_.commit(report::to_text(scenarios_));
    if (error.empty()) return std::nullopt;
    return Failure{.exit = exit_code::internal, .message = error, .nearest = {}, .where = {}};
}

VerbResult show_coverage(const Session& session, const std::string& file, const std::string& text) {
    const auto coverage = report::parse_coverage(text);
    if (!coverage.ok()) return damaged(file + ": " + coverage.error());
    Report report;
    Json scenarios = Json::array();
    for (const report::ScenarioCoverage& entry : coverage.value()) {
        scenarios.push_back(summary_json(entry));
        report.text += entry.scenario + " on " + entry.kernel + ": " +
                       counted(entry.executions, "execution") + "\n      " + pairs_text(entry) +
                       "\n";
        report.text += session.has("pairs") ? list_pairs(entry) : list_counts(entry);
    }
    report.document = {{"kind", "coverage"}, {"scenarios", std::move(scenarios)}};
    return report;
}

}  // namespace app::cli
