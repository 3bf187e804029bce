#include "app/cli/costs.h"

#include <algorithm>
#include <cmath>

#include "app/cli/executions.h"

namespace app::cli {

namespace {

/// Six digits behind the point: what is left of the quotient says nothing.
double rounded_share(double share) {
    return std::round(share * 1e6) / 1e6;
}

}  // namespace

std::optional<report::Costs> costs_of(const Session& session, const sim::Coverage* coverage) {
    if (!session.has("costs") || coverage == nullptr) return std::nullopt;
    report::Costs costs{
        .executions = coverage->executions(), .races = coverage->races(), .kinds = {}};
    for (const auto& [object, races] : coverage->races_by_object())
        costs.kinds.push_back({object, races});
    std::stable_sort(costs.kinds.begin(), costs.kinds.end(),
                     [](const auto& a, const auto& b) { return a.races > b.races; });
    return costs;
}

void add_costs(const report::Costs& costs, Report& report) {
    Json kinds = Json::array();
    for (const report::Costs::Kind& kind : costs.kinds)
        kinds.push_back({{"object", kind.object},
                         {"races", kind.races},
                         {"share", rounded_share(costs.share(kind))}});
    report.document["costs"] = {
        {"executions", costs.executions}, {"races", costs.races}, {"objects", std::move(kinds)}};
    const std::string text = "costs: " + grouped(costs.races) + " reversible races" +
                             (costs.races == 0 ? "" : ": " + report::shares_in_words(costs));
    report.text += "      " + wrapped(text, 94, "             ");
}

}  // namespace app::cli
