#include <algorithm>

#include "app/cli/executions.h"
#include "app/scenario/kernel_spec.h"
#include "app/scenario/words.h"
#include "model/invariants.h"

namespace app::cli {

namespace {

std::size_t operations(const scenario::Scenario& scenario) {
    std::size_t count = 0;
    for (const scenario::TaskSpec& task : scenario.tasks)
        count += task.run.size();
    return count;
}

/// What is expected on the kernel of the command line; without one, the kernels on which it fails,
/// or PASS.
std::string expected_column(const scenario::Scenario& scenario, const Settings& settings) {
    if (settings.kernel_given) {
        const scenario::Expectation* entry = scenario.expected_on(settings.kernel);
        return entry == nullptr ? "unknown" : to_string(entry->verdict);
    }
    std::vector<std::string> failing;
    for (const scenario::Expectation& entry : scenario.expect) {
        const std::string release = to_string(entry.kernel.release());
        if (entry.verdict == Verdict::Fail &&
            std::find(failing.begin(), failing.end(), release) == failing.end())
            failing.push_back(release);
    }
    if (!failing.empty()) return "FAIL " + scenario::join(failing, " ");
    return scenario.expect.empty() ? "unknown" : to_string(scenario.expect.front().verdict);
}

Json expectation_json(const scenario::Expectation& entry) {
    Json json = {{"kernel", entry.kernel.name()}, {"verdict", to_string(entry.verdict)}};
    if (!entry.signature.empty()) json["signature"] = entry.signature;
    return json;
}

Json scenario_json(const scenario::Scenario& scenario, const Settings& settings) {
    Json tasks = Json::array(), expect = Json::array();
    for (const scenario::TaskSpec& task : scenario.tasks)
        tasks.push_back(task.name);
    for (const scenario::Expectation& entry : scenario.expect)
        expect.push_back(expectation_json(entry));
    return {{"id", scenario.id},
            {"title", scenario.title},
            {"groups", scenario.groups},
            {"refs", scenario.refs},
            {"tasks", std::move(tasks)},
            {"operations", operations(scenario)},
            {"bound", scenario.preemptions ? Json(*scenario.preemptions) : Json()},
            {"expected", expected_column(scenario, settings)},
            {"expect", std::move(expect)},
            {"file", scenario.file}};
}

/// Columns as wide as their widest word; the last one is as long as it likes.
std::string table_of_rows(const std::vector<std::vector<std::string>>& rows) {
    std::vector<std::size_t> widths;
    for (const auto& row : rows)
        for (std::size_t i = 0; i + 1 < row.size(); ++i) {
            widths.resize(std::max(widths.size(), row.size()));
            widths[i] = std::max(widths[i], row[i].size());
        }
    std::string text;
    for (const auto& row : rows) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i) {
            line += row[i];
            if (i + 1 < row.size()) line.append(widths[i] - row[i].size() + 2, ' ');
        }
        text += line + "\n";
    }
    return text;
}

Report list_fixes() {
    Report report;
    Json fixes = Json::array();
    std::vector<std::vector<std::string>> rows{{"COMMIT", "NAME", "SINCE", "SUBJECT"}};
    for (const model::Fix& fix : model::fixes()) {
        const bool upstream = fix.kind == model::Fix::Kind::Upstream;
        const char* kind = upstream                                 ? "upstream"
                           : fix.kind == model::Fix::Kind::Proposal ? "proposal"
                                                                    : "what-if";
        rows.push_back({*fix.commit == '\0' ? "-" : fix.commit, fix.name,
                        upstream ? to_string(fix.since) : kind, fix.subject});
        fixes.push_back({{"commit", fix.commit},
                         {"name", fix.name},
                         {"kind", kind},
                         {"since", upstream ? Json(to_string(fix.since)) : Json()},
                         {"subject", fix.subject}});
    }
    report.document["fixes"] = std::move(fixes);
    report.text = table_of_rows(rows);
    return report;
}

Report list_invariants() {
    Report report;
    Json list = Json::array();
    std::vector<std::vector<std::string>> rows{{"INVARIANT", "WHERE", "SENTENCE"}};
    for (const model::Invariant& invariant : model::invariants()) {
        rows.push_back({invariant.name, invariant.where, invariant.sentence});
        list.push_back({{"name", invariant.name},
                        {"where", invariant.where},
                        {"sentence", invariant.sentence}});
    }
    report.document["invariants"] = std::move(list);
    report.text = table_of_rows(rows);
    return report;
}

/// A file of the library that cannot be used is named and left out: the others are still worth
/// listing.
std::vector<ScenarioPtr> usable(Session& session, const std::vector<std::string>& patterns) {
    std::vector<ScenarioPtr> list;
    for (const auto& [id, file] : session.library.files()) {
        const auto matches = [&id = id](const std::string& pattern) {
            return scenario::glob_match(pattern, id);
        };
        if (!patterns.empty() && std::none_of(patterns.begin(), patterns.end(), matches)) continue;
        auto loaded = session.library.find(id);
        if (loaded.ok())
            list.push_back(loaded.value());
        else
            session.diagnostics.warning(loaded.error().text());
    }
    return list;
}

}  // namespace

VerbResult list_scenarios(Session& session) {
    if (session.has("fixes")) return list_fixes();
    if (session.has("invariants")) return list_invariants();
    std::vector<std::string> patterns = session.parsed.arguments;
    for (std::string& glob : session.parsed.all("id"))
        patterns.push_back(std::move(glob));
    const std::vector<std::string> groups = session.parsed.all("group");

    Report report;
    Json list = Json::array();
    std::vector<std::vector<std::string>> rows{
        {"ID", "TASKS", "DEPTH", "GROUPS", "EXPECTED", "TITLE"}};
    std::string first, details;
    for (const ScenarioPtr& scenario : usable(session, patterns)) {
        const auto in_group = [&](const std::string& group) {
            return std::find(scenario->groups.begin(), scenario->groups.end(), group) !=
                   scenario->groups.end();
        };
        if (!groups.empty() && std::none_of(groups.begin(), groups.end(), in_group)) continue;
        const auto usual = default_run(scenario, session.settings.kernel, session.settings);
        rows.push_back({scenario->id, std::to_string(scenario->tasks.size()),
                        usual ? std::to_string(usual->steps) : "?",
                        scenario::join(scenario->groups, " "),
                        expected_column(*scenario, session.settings), scenario->title});
        list.push_back(scenario_json(*scenario, session.settings));
        list.back()["depth"] = usual ? Json(usual->steps) : Json();
        if (first.empty()) first = scenario->id;
        if (!session.has("long")) continue;
        details += "\n" + scenario->id + "  " + scenario->file + "\n";
        for (const scenario::Expectation& entry : scenario->expect)
            details += "  " + entry.kernel.name() + "  " + to_string(entry.verdict) +
                       (entry.signature.empty() ? "" : "  " + entry.signature) + "\n";
    }
    report.text = (rows.size() > 1 ? table_of_rows(rows) : "") + details +
                  std::to_string(rows.size() - 1) + " of " +
                  std::to_string(session.library.files().size()) + " scenarios." +
                  (first.empty() ? "" : " Next: interleaf show " + first) + "\n";
    report.document["scenarios"] = std::move(list);
    if (rows.size() == 1 && !session.has("allow-empty")) report.forced_exit = exit_code::violation;
    return report;
}

}  // namespace app::cli
