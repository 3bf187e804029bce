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
    return object != nullptr && primitive::is_lock(object->cls()) ? static_cast<const Lock*>(object)
                                                                  : nullptr;
}

using Tasks = std::vector<const Task*>;

/// The tasks whose releases `task` waits for: a lock's owner, or its readers. Empty when it waits
/// on a queue.
Tasks waits_for(const Task& task, const Tasks& all) {
    const bool acquires =
        task.pending_op == OpKind::Acquire || task.pending_op == OpKind::AcquireShared;
    const Lock* const lock = acquires ? as_lock(task.pending_object) : nullptr;
    Tasks holders;
    if (lock == nullptr) return holders;
    for (const Task* other : all)
        for (unsigned i = 0; i < other->held_count; ++i)
            if (other->held[i].lock == lock) holders.push_back(other);
    return holders;
}

/// Extends `path`, whose tasks wait each for the next, until it comes back to where it began.
bool find_circle(Tasks& path, const Tasks& all) {
    for (const Task* next : waits_for(*path.back(), all)) {
        if (next == path.front()) return true;
        if (std::find(path.begin(), path.end(), next) != path.end()) continue;
        path.push_back(next);
        if (find_circle(path, all)) return true;
        path.pop_back();
    }
    return false;
}

Tasks find_circle(const Tasks& all) {
    for (const Task* start : all) {
        Tasks path{start};
        if (find_circle(path, all)) return path;
    }
    return {};
}

std::string waited_for_name(const Task& task) {
    if (task.pending_object == nullptr) return "nothing";
    if (const Lock* const lock = as_lock(task.pending_object)) return lock->lock_class().name;
    if (task.pending_object->cls().index == primitive::waitqueue.index)
        return static_cast<const WaitQueue*>(task.pending_object)->name();
    return task.pending_object->cls().name;
}

LockUse wanted_by(const Task& task) {
    const Lock& lock = *as_lock(task.pending_object);
    return {.lock = lock.lock_class().name,
            .key = lock.key(),
            .shared = task.pending_op == OpKind::AcquireShared,
            .function = task.blocked_where.function_name(),
            .step = 0};
}

LockUse use_of(const HeldLock& held) {
    return {.lock = held.lock->lock_class().name,
            .key = held.lock->key(),
            .shared = held.shared(),
            .function = held.where.function_name(),
            .step = held.step};
}

LockUse held_for(const Task& task, const Object* lock) {
    for (unsigned i = 0; i < task.held_count; ++i)
        if (task.held[i].lock == lock) return use_of(task.held[i]);
    return {};
}

/// Without the tasks' names.
CircularWait told(const Tasks& circle) {
    CircularWait told;
    for (std::size_t i = 0; i < circle.size(); ++i) {
        const Task& task = *circle[i];
        const Task& before = *circle[(i + circle.size() - 1) % circle.size()];
        told.push_back({.task = {},
                        .wants = wanted_by(task),
                        .holds = held_for(task, before.pending_object),
                        .held = task.held_count});
    }
    return told;
}

std::string held_by(const Task& task) {
    std::string text;
    for (unsigned i = 0; i < task.held_count; ++i) {
        const HeldLock& held = task.held[i];
        text += (i == 0 ? "; holds " : ", ");
        text += held.lock->lock_class().name;
        text += " (taken in " + std::string(held.where.function_name()) + ", step " +
                std::to_string(held.step) + ")";
    }
    return text;
}

}  // namespace

void Scheduler::report_deadlock() {
    Tasks all;
    for (unsigned slot = 0; slot < slots_used_; ++slot)
        if (live_.test(slot)) all.push_back(tasks_[slot].get());
    std::sort(all.begin(), all.end(),
              [](const Task* a, const Task* b) { return a->path < b->path; });
    const auto must_end = [](const Task* task) {
        return task->kind == TaskKind::Task || task->kind == TaskKind::Completion;
    };

    const Tasks circle = find_circle(all);
    std::set<std::string> names;
    std::string text = circle.empty() ? "nobody will wake" : "circular wait";
    for (const Task* task : circle)
        names.insert(waited_for_name(*task));
    for (const Task* task : all) {
        if (!must_end(task) && task->held_count == 0)
            continue;  // a daemon may wait for ever, unless others wait for it
        if (circle.empty() && must_end(task)) names.insert(waited_for_name(*task));
        text += "\n  " + task_name(*task) + " waits for " + waited_for_name(*task) + " in " +
                task->blocked_where.function_name();
        text += held_by(*task);
        const Tasks holders = waits_for(*task, all);
        for (const Task* holder : holders)
            text += (holder == holders.front() ? "; its owner is " : " and ") + task_name(*holder);
    }
    std::string signature = circle.empty() ? "lost-wakeup/" : "deadlock/";
    for (const std::string& name : names)
        signature += (signature.back() == '/' ? "" : "+") + name;
    CircularWait locks = told(circle);
    for (std::size_t i = 0; i < circle.size(); ++i)
        locks[i].task = task_name(*circle[i]);
    violation_ = {signature, text, trace_.steps(), false, std::move(locks)};
}

}  // namespace sim
