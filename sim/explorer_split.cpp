#include "sim/explorer_split.h"

#include <algorithm>

namespace sim {
namespace {

void add(std::vector<std::string>& kinds, const std::vector<std::string>& more) {
    kinds.insert(kinds.end(), more.begin(), more.end());
    std::sort(kinds.begin(), kinds.end());
    kinds.erase(std::unique(kinds.begin(), kinds.end()), kinds.end());
}

/// A failure is one however steps were merged; what goes on after failures wants them all.
bool came_to_its_end(const SearchReport& report, const ExploreOptions& options) {
    return report.end == SearchEnd::Complete ||
           (report.end == SearchEnd::Found && options.keep_going);
}

}  // namespace

SearchReport explore_splitting(const ProgramFactory& factory, const ExploreOptions& options,
                               const Search& search) {
    const auto began = std::chrono::steady_clock::now();
    ExploreOptions now = options;  // the limits are those of all searches together
    const bool alone = options.plan == 0 && !options.shard;
    const bool may_split =
        options.split_unordered && alone && options.execution.grain == Grain::Coarse;
    if (options.resume != nullptr) add(now.execution.split, options.resume->split);
    if (options.on_checkpoint)
        now.on_checkpoint = [&](SavedSearch saved) {
            saved.split = now.execution.split;
            options.on_checkpoint(std::move(saved));
        };
    for (unsigned restarts = 0;; ++restarts) {
        now.split_unordered = may_split && restarts < most_restarts;
        SearchReport report = search(factory, now);
        report.restarts = restarts;
        report.split = now.execution.split;
        if (report.left) report.left->split = now.execution.split;
        if (!begins_anew(report, now) || !came_to_its_end(report, now)) return report;
        add(now.execution.split, report.unordered_kinds);
        now.resume = nullptr;
        now.limits.max_executions -= std::min(now.limits.max_executions, report.executions);
        if (options.limits.time)
            now.limits.time = *options.limits.time - (std::chrono::steady_clock::now() - began);
    }
}

}  // namespace sim
