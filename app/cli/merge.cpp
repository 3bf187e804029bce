#include <algorithm>

#include "app/cli/frontier.h"
#include "sim/search_shards.h"

namespace app::cli {

namespace {

/// Why the files are not all shards of one plan, each of them once and each done; empty: they are.
std::string not_a_whole(const std::vector<report::FrontierFile>& shards,
                        const std::vector<std::string>& names) {
    const report::Shard& first = shards.front().shard;
    std::vector<std::string> seen(first.count);
    for (std::size_t i = 0; i < shards.size(); ++i) {
        const report::Shard& shard = shards[i].shard;
        if (shard.count == 0)
            return names[i] + " is no shard of a plan; interleaf explore --resume goes on with it";
        if (shard.plan != first.plan || shard.count != first.count)
            return names[i] + " is of another plan than " + names[0];
        if (shard.index == 0 || shard.index > shard.count)
            return names[i] + " is shard " + std::to_string(shard.index) + " of " +
                   std::to_string(shard.count);
        if (!seen[shard.index - 1].empty())
            return names[i] + " and " + seen[shard.index - 1] + " are the same shard";
        seen[shard.index - 1] = names[i];
        if (!shards[i].search.tree.branches.empty())
            return names[i] + " is not done: interleaf explore --resume " + names[i];
    }
    for (std::size_t i = 0; i < seen.size(); ++i)
        if (seen[i].empty())
            return "shard " + std::to_string(i + 1) + " of " + std::to_string(first.count) +
                   " is missing";
    return "";
}

/// What shards found for each other, as the next plan.
VerbResult plan_again(const Session& session, const ScenarioPtr& scenario,
                      const report::FrontierFile& whole) {
    const std::size_t shards = std::min<std::size_t>(
        session.settings.plan == 0 ? 1 : session.settings.plan, whole.search.tree.branches.size());
    const auto names = write_plan(session, scenario, whole, shards);
    if (!names.ok()) return names.error();
    Report report;
    report.verdict = Verdict::Inconclusive;
    report.document = {{"scenario", scenario->id},
                       {"kernel", session.settings.kernel.name()},
                       {"executions", whole.search.executions},
                       {"branches", whole.search.tree.branches.size()},
                       {"plan", names.value()}};
    report.text = heading(*scenario, session.settings.kernel, "merge") + "\nINCONCLUSIVE  " +
                  scenario->id + " on " + session.settings.kernel.name() +
                  ": what shards asked for in each other's parts is left, " +
                  grouped(whole.search.tree.branches.size()) + " open, after " +
                  grouped(whole.search.executions) + " executions\n";
    for (const std::string& name : names.value())
        report.text += "      interleaf explore --resume " + name + "\n";
    report.text += "      then interleaf merge them\n";
    return report;
}

}  // namespace

VerbResult merge(Session& session) {
    const std::vector<std::string>& names = session.parsed.arguments;
    std::vector<report::FrontierFile> shards;
    for (const std::string& name : names) {
        auto shard = load_frontier(name);
        if (!shard.ok()) return shard.error();
        shards.push_back(std::move(shard.value()));
    }
    if (const std::string why = not_a_whole(shards, names); !why.empty()) return invalid(why, "");
    report::FrontierFile whole = shards.front();
    whole.shard = {};
    std::vector<sim::SavedSearch> searches;
    searches.reserve(shards.size());
    for (report::FrontierFile& shard : shards)
        searches.push_back(std::move(shard.search));
    whole.search = sim::merge_shards(searches);

    const auto scenario = scenario_of(session, whole);
    if (!scenario.ok()) return scenario.error();
    const Settings settings = settings_of(session.settings, whole);
    const Session same = session.with(settings);
    if (!whole.search.tree.branches.empty()) return plan_again(same, scenario.value(), whole);
    return explore(same, scenario.value(), &whole);
}

}  // namespace app::cli
