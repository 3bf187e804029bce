#include "app/report/columns.h"

#include <algorithm>
#include <set>

namespace app::report {

Columns::Columns(const scenario::Scenario& scenario, By by, unsigned first_cpu) {
    std::set<std::uint8_t> cpus;
    for (const scenario::TaskSpec& task : scenario.tasks)
        cpus.insert(task.cpu);
    for (const scenario::TaskSpec& task : scenario.tasks) {
        if (by == By::Task) {
            by_task_[task.name] = headers_.size();
            headers_.push_back(task.name);
        } else {
            by_task_[task.name] =
                static_cast<std::size_t>(std::distance(cpus.begin(), cpus.find(task.cpu)));
        }
    }
    if (by == By::Task) return;
    for (std::size_t i = 0; i < cpus.size(); ++i)
        headers_.push_back("CPU " + std::to_string(first_cpu + i));
}

std::size_t Columns::of(const sim::Trace& trace, std::uint32_t task) const {
    while (trace.names()[task].parent != sim::Trace::no_parent)
        task = trace.names()[task].parent;
    const auto it = by_task_.find(trace.names()[task].label);
    return it == by_task_.end() ? 0 : it->second;
}

}  // namespace app::report
