#include <vector>

#include "app/export/object_text.h"
#include "app/export/state_parts.h"
#include "sim/lock.h"
#include "sim/scheduler.h"

namespace app::exporter {

namespace {

const char* kind_name(sim::TaskKind kind) {
    switch (kind) {
    case sim::TaskKind::Task:
        return "task";
    case sim::TaskKind::Daemon:
        return "daemon";
    case sim::TaskKind::Completion:
        return "completion";
    case sim::TaskKind::Timer:
        return "timer";
    }
    return "";
}

SortedJson record_of(const sim::Task& task, bool waits) {
    SortedJson record = {{"kind", kind_name(task.kind)},
                         {"cpu", task.cpu},
                         {"status", waits ? "waits" : "ready"},
                         {"next", operation_text(task)},
                         {"holds", SortedJson::array()}};
    if (const std::string where = task.blocked_where.function_name(); waits && !where.empty())
        record["in"] = where;
    for (unsigned i = 0; i < task.held_count; ++i)
        record["holds"].push_back(object_text(*task.held[i].lock) +
                                  (task.held[i].shared() ? " (shared)" : ""));
    return record;
}

}  // namespace

SortedJson tasks_table(const sim::Scheduler& scheduler) {
    SortedJson table = SortedJson::object();
    scheduler.enabled().for_each([&](unsigned slot) {
        const sim::Task& task = scheduler.task(slot);
        table[scheduler.task_name(task)] = record_of(task, false);
    });
    scheduler.for_each_blocked(
        [&](const sim::Task& task) { table[scheduler.task_name(task)] = record_of(task, true); });
    return table;
}

}  // namespace app::exporter
