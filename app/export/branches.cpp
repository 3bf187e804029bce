#include "app/export/branches.h"

#include <algorithm>

#include "sim/strategies.h"

namespace app::exporter {

namespace {

std::uint32_t distance(std::uint32_t a, std::uint32_t b) {
    return a < b ? b - a : a - b;
}

}  // namespace

BranchOutcome outcome_of(const sim::ExecutionResult& result) {
    if (result.failed()) return BranchOutcome::Fails;
    return result.outcome == sim::Outcome::Completed ? BranchOutcome::Passes
                                                     : BranchOutcome::Unknown;
}

std::size_t taken(const Recorded& recorded, const ChoicePoint& point) {
    const auto& departures = recorded.result.schedule.departures;
    const auto found =
        std::find_if(departures.begin(), departures.end(), [&](const sim::Departure& departure) {
            return departure.ordinal == point.ordinal;
        });
    return found == departures.end() ? 0 : found->index;
}

sim::Schedule branch_schedule(const Recorded& recorded, const ChoicePoint& point,
                              std::size_t candidate) {
    sim::Schedule schedule;
    for (const sim::Departure& departure : recorded.result.schedule.departures)
        if (departure.ordinal < point.ordinal) schedule.departures.push_back(departure);
    if (candidate != 0)
        schedule.departures.push_back({point.ordinal, static_cast<std::uint16_t>(candidate)});
    return schedule;
}

BranchOutcomes run_branches(sim::Execution& execution, const Recorded& recorded,
                            std::uint32_t around, std::uint64_t budget) {
    BranchOutcomes outcomes;
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < recorded.choices.size(); ++i) {
        const ChoicePoint& point = recorded.choices[i];
        outcomes.emplace_back(point.candidates.size(), BranchOutcome::Unknown);
        outcomes.back().at(taken(recorded, point)) = outcome_of(recorded.result);
        order.push_back(i);
    }
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return distance(recorded.choices[a].step, around) <
               distance(recorded.choices[b].step, around);
    });
    for (const std::size_t i : order)
        for (std::size_t candidate = 0; candidate < outcomes[i].size(); ++candidate) {
            const ChoicePoint& point = recorded.choices[i];
            if (candidate == taken(recorded, point)) continue;
            if (budget == 0) return outcomes;
            --budget;
            const auto branch = sim::make_replay(branch_schedule(recorded, point, candidate));
            branch->next_execution();
            outcomes[i][candidate] = outcome_of(execution.run(*branch));
        }
    return outcomes;
}

}  // namespace app::exporter
