#include "app/cli/why.h"

#include <algorithm>

#include "app/cli/devices.h"
#include "app/report/comparison.h"

namespace app::cli {

namespace {

constexpr std::uint64_t usual_continuations = 1'000;
constexpr std::size_t shown_shares = 11;
constexpr std::uint64_t runs_of_share = 100;
constexpr std::uint64_t most_pairs = 2'000;

sim::Result<bool, Failure> wanted(const Session& session, const std::string& key) {
    const std::string word = session.has(key) ? session.parsed.last(key) : "on";
    if (word == "on" || word == "off") return word == "on";
    return usage_failure("--" + key + " \"" + word + "\": expected on or off");
}

/// The fewest departures from the failing one's first; else the latest.
void sort_by_nearness(std::vector<sim::Flip>& flips) {
    std::stable_sort(flips.begin(), flips.end(), [](const sim::Flip& a, const sim::Flip& b) {
        return a.passing.departures.size() < b.passing.departures.size();
    });
}

/// The nearest flip, and what the others add to either end of it: steps in the order that the
/// failure needs.
std::vector<const sim::Flip*> chain_of(const std::vector<sim::Flip>& flips) {
    std::vector<const sim::Flip*> chain;
    if (flips.empty()) return chain;
    chain.push_back(&flips.front());
    for (bool longer = true; longer;) {
        longer = false;
        for (const sim::Flip& flip : flips) {
            const bool before = flip.second == chain.front()->first;
            const bool after = flip.first == chain.back()->second;
            if (before) chain.insert(chain.begin(), &flip);
            if (after && !before) chain.push_back(&flip);
            longer = longer || before || after;
        }
    }
    return chain;
}

std::string step_text(const sim::Trace& trace, std::uint32_t step, std::uint32_t task) {
    if (step == sim::Flip::not_run) return trace.task_name(task) + ": what it waits for at the end";
    return report::step_text(trace, step) + ", step " + std::to_string(step);
}

std::string critical_text(const sim::CriticalStep& critical, const sim::Trace& trace,
                          std::size_t width) {
    const std::string after = critical.after.complete
                                  ? "after it every continuation fails."
                                  : "after it all " + grouped(critical.after.all()) +
                                        " that were tried fail (approximate).";
    return explain_entry("Critical step", step_text(trace, critical.step, 0) + ".", width) +
           explain_entry("",
                         "Before it " + grouped(critical.before.passing) + " of " +
                             grouped(critical.before.all()) + " random continuations pass; " +
                             after,
                         width);
}

std::string flips_text(const Why& why, const sim::Trace& trace, std::size_t width) {
    const sim::Flips& flips = *why.flips;
    if (flips.found.empty())
        return explain_entry("Needed order",
                             "no single pair of steps makes it pass when reversed (" +
                                 counted(flips.tried, "pair") + " tried).",
                             width);
    const auto chain = chain_of(flips.found);
    std::string text;
    for (const sim::Flip* flip : chain)
        text += explain_entry(text.empty() ? "Needed order" : "",
                              step_text(trace, flip->first, 0) + "  <", width);
    text += explain_entry("", step_text(trace, chain.back()->second, chain.back()->task), width);
    text +=
        explain_entry("",
                      chain.size() == 1 ? "Reversing this pair alone makes it pass."
                                        : "Reversing any one of these pairs alone makes it pass.",
                      width);
    if (const std::size_t others = flips.found.size() - chain.size(); others != 0)
        text += explain_entry("",
                              std::string(others == 1 ? "So does " : "So do ") +
                                  counted(others, "other pair") + " of " +
                                  std::to_string(flips.tried) + " tried, further away from it.",
                              width);
    return text;
}

std::string in_column(const std::string& text) {
    constexpr std::size_t column = 6;
    return std::string(column - std::min(column, text.size()), ' ') + text;
}

std::string shares_text(const std::vector<sim::FailingShare>& shares) {
    std::string steps = "step ", fails = "fails";
    for (const sim::FailingShare& share : shares) {
        steps += in_column(std::to_string(share.step));
        fails += in_column(std::to_string(100 * share.failing / share.runs) + "%");
    }
    return "\nshare of " + std::to_string(runs_of_share) +
           " random continuations that fail, from each step\n" + steps + "\n" + fails + "\n";
}

Json count_json(const sim::Continuations& found) {
    return {{"passing", found.passing}, {"failing", found.failing}, {"complete", found.complete}};
}

Json step_json(const sim::Trace& trace, std::uint32_t step, std::uint32_t task) {
    Json json = {{"step", step == sim::Flip::not_run ? Json() : Json(step)},
                 {"task", trace.task_name(
                              step == sim::Flip::not_run ? task : trace.step_list()[step].task)}};
    json["text"] = step_text(trace, step, task);
    return json;
}

}  // namespace

std::string explain_entry(std::string label, const std::string& text, std::size_t width) {
    constexpr std::size_t label_width = 16;
    label.resize(label_width, ' ');
    for (const char c : wrapped(text, width - label_width, "")) {
        if (label.back() == '\n') label += std::string(label_width, ' ');
        label += c;
    }
    return label;
}

sim::Result<Why, Failure> find_why(const Session& session, const Recording& recording,
                                   const ScenarioPtr& scenario,
                                   const sim::ExecutionResult& failed) {
    const auto critical = wanted(session, "critical");
    if (!critical.ok()) return critical.error();
    const auto flips = wanted(session, "flips");
    if (!flips.ok()) return flips.error();
    Why why;
    const bool probability = session.has("probability");
    if (!failed.failed() || (!critical.value() && !flips.value() && !probability)) return why;
    const std::uint64_t budget =
        session.has("max-executions") ? session.settings.max_executions : usual_continuations;
    const sim::ExecutionOptions options =
        execution_options(session.settings, recording.token, false);
    const auto execution = prepare(scenario, recording.token.kernel, options,
                                   watch_devices(session, *scenario, recording.token.kernel));
    if (!execution.ok()) return execution.error();
    if (critical.value())
        why.critical =
            sim::find_critical_step(*execution.value(), failed.schedule, budget, why.executions);
    if (probability)
        why.shares =
            sim::failing_shares(*execution.value(), failed.schedule, shown_shares, runs_of_share);
    if (!flips.value()) return why;
    why.flips = sim::find_flips(*execution.value(), failed.schedule, options.grain, most_pairs);
    sort_by_nearness(why.flips->found);
    why.executions += why.flips->tried;
    for (const sim::Flip& flip : why.flips->found) {
        sim::ExecutionResult passing;
        passing.schedule = flip.passing;
        passing.trace_hash = flip.passing_hash;
        why.passing.push_back(
            report::encode(make_token(*scenario, recording.token.kernel, options.grain, passing)));
    }
    return why;
}

void describe_why(Report& report, const Why& why, const sim::Trace& trace) {
    report.document["critical"] = nullptr;
    if (why.critical)
        report.document["critical"] = {{"step", why.critical->step},
                                       {"text", step_text(trace, why.critical->step, 0)},
                                       {"exact", why.critical->exact()},
                                       {"before", count_json(why.critical->before)},
                                       {"after", count_json(why.critical->after)}};
    for (const sim::FailingShare& share : why.shares)
        report.document["probability"].push_back(
            {{"step", share.step}, {"failing", share.failing}, {"runs", share.runs}});
    report.document["flips"] = nullptr;
    if (!why.flips) return;
    Json found = Json::array(), needed = Json::array();
    for (std::size_t i = 0; i < why.flips->found.size(); ++i) {
        const sim::Flip& flip = why.flips->found[i];
        found.push_back({{"first", step_json(trace, flip.first, 0)},
                         {"second", step_json(trace, flip.second, flip.task)},
                         {"passing", why.passing[i].empty() ? Json() : Json(why.passing[i])}});
    }
    const auto chain = chain_of(why.flips->found);
    for (const sim::Flip* flip : chain)
        needed.push_back(flip->first);
    if (!chain.empty() && chain.back()->second != sim::Flip::not_run)
        needed.push_back(chain.back()->second);
    report.document["flips"] = {{"pairs", why.flips->pairs},
                                {"tried", why.flips->tried},
                                {"needed_order", std::move(needed)},
                                {"found", std::move(found)}};
}

std::string why_text(const Why& why, const sim::Trace& trace, std::size_t width) {
    std::string text;
    if (why.critical) text += critical_text(*why.critical, trace, width);
    if (why.flips) text += flips_text(why, trace, width);
    if (!why.shares.empty()) text += shares_text(why.shares);
    return text;
}

}  // namespace app::cli
