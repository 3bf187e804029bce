#include "sim/lockdep.h"

#include <algorithm>

#include "sim/assert.h"
#include "sim/task.h"

namespace sim {

void Lockdep::clear() {
    for (const std::uint16_t cls : with_edges_)
        held(cls).edges.fill(0);
    with_edges_.clear();
}

void Lockdep::add(unsigned cls) {
    place_[cls] = static_cast<std::uint16_t>(held_.size());
    held_.emplace_back();
}

std::string Lockdep::acquire(const Task& task, const LockClass& cls, unsigned subclass,
                             Attempt attempt) {
    const unsigned taken = cls.index + subclass;
    SIM_ASSERT(taken < max_lock_classes);
    classes_[taken] = &cls;
    if (attempt == Attempt::Tries) return {};
    for (unsigned i = 0; i < task.held_count; ++i) {
        const std::uint16_t former = task.held[i].lock_class;
        Row& edges = held(former).edges;
        if (has(edges, taken)) continue;
        std::vector<std::uint16_t> path;
        if (may_close_cycle(former, taken) && (former == taken || find_path(taken, former, path))) {
            std::string cycle = name(former) + " -> " + name(taken);
            for (std::size_t step = 1; step < path.size(); ++step)
                cycle += " -> " + name(path[step]);
            return cycle;
        }
        if (std::all_of(edges.begin(), edges.end(), [](std::uint64_t word) { return word == 0; }))
            with_edges_.push_back(former);
        set(edges, taken);
    }
    return {};
}

/// Takes in an edge that this execution has not had yet.
bool Lockdep::may_close_cycle(unsigned from, unsigned to) {
    Row& edges = held(from).all_edges;
    if (!has(edges, to)) {
        Row seen{};
        had_cycle_ = had_cycle_ || was_path(to, from, seen);
        set(edges, to);
    }
    return had_cycle_;
}

bool Lockdep::was_path(unsigned from, unsigned to, Row& seen) const {
    if (from == to) return true;
    set(seen, from);
    const Row& edges = held(from).all_edges;
    for (unsigned next = 0; next < max_lock_classes; ++next)
        if (has(edges, next) && !has(seen, next) && was_path(next, to, seen)) return true;
    return false;
}

bool Lockdep::find_path(unsigned from, unsigned to, std::vector<std::uint16_t>& path) const {
    path.push_back(static_cast<std::uint16_t>(from));
    if (from == to) return true;
    const Row& edges = held(from).edges;
    for (const std::uint16_t next : with_edges_) {
        const bool leads =
            has(edges, next) && std::find(path.begin(), path.end(), next) == path.end();
        if (leads && find_path(next, to, path)) return true;
    }
    // Classes without outgoing edges can only be the end of a path.
    if (has(edges, to)) {
        path.push_back(static_cast<std::uint16_t>(to));
        return true;
    }
    path.pop_back();
    return false;
}

std::vector<std::string> Lockdep::classes() const {
    std::vector<std::string> names;
    for (unsigned index = 0; index < max_lock_classes; ++index)
        if (classes_[index] != nullptr) names.push_back(name(index));
    return names;
}

std::string Lockdep::name(unsigned index) const {
    const LockClass* cls = classes_[index];
    if (cls == nullptr) return "lock class " + std::to_string(index);
    const unsigned subclass = index - cls->index;
    return subclass == 0 ? cls->name : std::string(cls->name) + "/" + std::to_string(subclass);
}

}  // namespace sim
