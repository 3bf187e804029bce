#include "app/shrink/parts.h"

#include <algorithm>
#include <map>
#include <set>

#include "app/json.h"
#include "app/scenario/loader.h"

namespace app::shrink {

namespace {

/// Which steps belong to a part: to its task and to all that this caused.
class Belonging {
  public:
    Belonging(const sim::Trace& trace, const Part& part) : trace_(trace), part_(part) {
        find_root();
        find_steps();
    }

    bool has(std::size_t step) const { return steps_[step]; }
    /// Whether the task was created by the part.
    bool has_task(std::uint32_t name) const { return tasks_.contains(name); }

  private:
    void find_root() {
        for (std::uint32_t i = 0; i < trace_.names().size(); ++i)
            if (trace_.names()[i].parent == sim::Trace::no_parent &&
                trace_.task_name(i) == part_.task)
                root_ = i;
    }
    std::uint32_t root_of(std::uint32_t task) const {
        while (trace_.names()[task].parent != sim::Trace::no_parent)
            task = trace_.names()[task].parent;
        return task;
    }
    /// A step belongs to a single operation when it begins and ends in it. What a task causes
    /// belongs to the operation that is under way when it has its first step.
    void find_steps() {
        steps_.resize(trace_.step_list().size());
        std::map<std::uint32_t, bool> first_seen;
        std::size_t next = 0;
        for (std::uint32_t step = 0; step < steps_.size(); ++step) {
            const std::uint32_t task = trace_.step_list()[step].task;
            const std::size_t before = begun_;
            for (; next < trace_.narration().size() && trace_.narration()[next].step <= step;
                 ++next)
                follow(trace_.narration()[next]);
            if (root_of(task) != root_) continue;
            const bool inside = within(before) && within(begun_);
            if (task == root_) {
                steps_[step] = inside;
                continue;
            }
            const bool belongs = first_seen.try_emplace(task, inside).first->second;
            if (belongs) tasks_.insert(task);
            steps_[step] = belongs;
        }
    }
    void follow(const sim::Narration& entry) {
        if (entry.task != root_) return;
        if (entry.kind == sim::Narration::Kind::Enter && depth_++ == 0) ++begun_;
        if (entry.kind == sim::Narration::Kind::Leave) --depth_;
    }
    bool within(std::size_t begun) const {
        return !part_.operation || std::max<std::size_t>(begun, 1) == *part_.operation + 1;
    }

    const sim::Trace& trace_;
    const Part& part_;
    std::uint32_t root_ = sim::Trace::no_parent;
    std::size_t begun_ = 0, depth_ = 0;  // operations of the root so far, and how deep it is in one
    std::vector<bool> steps_;
    std::set<std::uint32_t> tasks_;
};

/// Names of tasks when those that the part created are not there: siblings move up.
class Names {
  public:
    Names(const sim::Trace& trace, const Belonging& gone) : trace_(trace), gone_(gone) {}

    std::string of(std::uint32_t index) const {
        const sim::Trace::TaskName& name = trace_.names()[index];
        if (name.parent == sim::Trace::no_parent) return trace_.task_name(index);
        std::size_t ordinal = 0;
        for (std::uint32_t i = 0; i <= index; ++i) {
            const sim::Trace::TaskName& other = trace_.names()[i];
            ordinal += other.parent == name.parent && std::string_view(other.label) == name.label &&
                       !gone_.has_task(i);
        }
        return of(name.parent) + "/" + name.label + "#" + std::to_string(ordinal);
    }

  private:
    const sim::Trace& trace_;
    const Belonging& gone_;
};

}  // namespace

std::vector<Part> tasks_of(const scenario::Scenario& scenario) {
    std::vector<Part> parts;
    if (scenario.tasks.size() < 2) return parts;
    for (const scenario::TaskSpec& task : scenario.tasks)
        parts.push_back({.task = task.name, .operation = std::nullopt});
    return parts;
}

std::vector<Part> operations_of(const scenario::Scenario& scenario) {
    std::vector<Part> parts;
    for (const scenario::TaskSpec& task : scenario.tasks)
        for (std::size_t i = 0; task.run.size() > 1 && i < task.run.size(); ++i)
            parts.push_back({.task = task.name, .operation = i});
    return parts;
}

std::shared_ptr<const scenario::Scenario> without(const scenario::Scenario& scenario,
                                                  const Part& part, const std::string& file) {
    Json json = Json::parse(scenario.text, nullptr, true, true);
    json.erase("expect");
    for (const scenario::TaskSpec& task : scenario.tasks)
        json["tasks"][task.name]["cpu"] = task.cpu;
    if (part.operation)
        json["tasks"][part.task]["run"].erase(*part.operation);
    else
        json["tasks"].erase(part.task);
    auto loaded = scenario::load(json.dump(2) + "\n", file);
    SIM_ASSERT(loaded.ok());
    return std::make_shared<const scenario::Scenario>(std::move(loaded.value()));
}

Remains remains_of(const sim::Trace& trace, const Part& part) {
    const Belonging gone(trace, part);
    const Names names(trace, gone);
    const std::vector<sim::Meaning> all = sim::meanings(trace);
    std::map<std::uint32_t, std::string> known;
    Remains remains;
    for (std::uint32_t step = 0; step < all.size(); ++step) {
        if (gone.has(step)) continue;
        const std::uint32_t task = trace.step_list()[step].task;
        auto it = known.find(task);
        if (it == known.end()) it = known.emplace(task, names.of(task)).first;
        remains.order.add(it->second);
        remains.meanings.push_back(all[step]);
        remains.meanings.back().task = it->second;
    }
    return remains;
}

}  // namespace app::shrink
