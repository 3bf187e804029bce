// What stands still when no task can go on: a cycle of locks, or somebody whom nobody will wake.
#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "sim/lock.h"
#include "sim/primitive_classes.h"
#include "sim/scheduler.h"
#include "sim/waitqueue.h"

namespace sim {
namespace {

const Lock* as_lock(const Object* object) {
    return object != nullptr && primitive::is_lock(object->cls()) ? static_cast<const Lock*>(object) : nullptr;
}

/// The task whose release `task` waits for, or -1: it waits on a queue, or for several readers.
int waits_for(const Task& task) {
    if (task.pending_op != OpKind::Acquire && task.pending_op != OpKind::AcquireShared && task.pending_op != OpKind::Resume) return -1;
    const Lock* const lock = as_lock(task.pending_object);
    return lock == nullptr ? -1 : lock->owner();
}

std::string waited_for_name(const Task& task) {
    if (task.pending_object == nullptr) return "nothing";
    if (const Lock* const lock = as_lock(task.pending_object)) return lock->lock_class().name;
    if (task.pending_object->cls().index == primitive::waitqueue.index)
        return static_cast<const WaitQueue*>(task.pending_object)->name();
    return task.pending_object->cls().name;
}

std::string held_by(const Task& task) {
    std::string text;
    for (unsigned i = 0; i < task.held_count; ++i) {
        const HeldLock& held = task.held[i];
        text += (i == 0 ? "; holds " : ", ");
        text += held.lock->lock_class().name;
        text += " (taken in " + std::string(held.where.function_name()) + ", step " + std::to_string(held.step) + ")";
    }
    return text;
}

}  // namespace

void Scheduler::report_deadlock() {
    std::vector<const Task*> stuck;
    for (unsigned slot = 0; slot < slots_used_; ++slot)
        if (live_.test(slot) && tasks_[slot]->kind == TaskKind::Task) stuck.push_back(tasks_[slot].get());
    std::sort(stuck.begin(), stuck.end(), [](const Task* a, const Task* b) { return a->path < b->path; });

    std::set<std::string> cycle;
    for (const Task* start : stuck) {
        std::set<std::string> names;
        const Task* at = start;
        for (std::size_t hops = 0; hops <= stuck.size(); ++hops) {
            names.insert(waited_for_name(*at));
            const int owner = waits_for(*at);
            if (owner < 0) break;
            at = tasks_[static_cast<unsigned>(owner)].get();
            if (at == start) cycle = names;
        }
    }

    std::set<std::string> waits = cycle;
    std::string text = cycle.empty() ? "nobody will wake" : "circular wait";
    for (const Task* task : stuck) {
        if (cycle.empty()) waits.insert(waited_for_name(*task));
        text += "\n  " + task_name(*task) + " waits for " + waited_for_name(*task) + " in " + task->blocked_where.function_name();
        text += held_by(*task);
        const int owner = waits_for(*task);
        if (owner >= 0) text += "; its owner is " + task_name(*tasks_[static_cast<unsigned>(owner)]);
    }
    std::string signature = cycle.empty() ? "lost-wakeup/" : "deadlock/";
    for (const std::string& name : waits) signature += (signature.back() == '/' ? "" : "+") + name;
    violation_ = {signature, text, trace_.steps()};
}

}  // namespace sim
