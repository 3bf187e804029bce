#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sim/hash.h"
#include "sim/object.h"
#include "sim/task.h"

namespace sim {

/// One step of an execution.
struct Step {
    std::uint64_t object = 0;  // identity of the object of its operation; 0: none
    std::uint32_t task = 0;    // index of the task's name
    std::uint32_t first_access = 0;
    OpKind op = OpKind::Start;
    std::uint32_t woken_in = 0;  // a Resume: the step that made it possible
};

/// What people call the object of a step. Kept only while narrating.
struct StepLabel {
    const char* object_class = "";
    std::uint64_t key = 0;
};

/// One access of a step.
struct Access {
    std::uint64_t object = 0;
    std::uint64_t key = 0;
    AccessKind kind = AccessKind::Read;
};

/// Something to show to a person: a function entered or left, a remark, a kernel message. Kept only
/// while narrating.
struct Narration {
    enum class Kind : std::uint8_t { Enter, Leave, Note, Message, Violation };
    Kind kind;
    std::uint32_t step;
    std::uint32_t task;  // index of the task's name
    std::string text;
};

/// What one execution did: its steps, their accesses, the names of its tasks, and a 64-bit hash of
/// it all.
class Trace {
  public:
    void clear() {
        steps_.clear();
        accesses_.clear();
        names_.clear();
        narration_.clear();
        labels_.clear();
        marks_.clear();
        hash_ = 0;
        step_sum_ = 0;
    }

    void begin_step(const Step& step) {
        steps_.push_back(step);
        step_sum_ = hash_mix(step.object,
                             (std::uint64_t{step.task} << 8) | static_cast<std::uint8_t>(step.op));
    }
    /// Accesses of one step are a set: their hashes are added, so their order does not show.
    void add_access(const Access& access, std::uint64_t value) {
        accesses_.push_back(access);
        step_sum_ += hash_mix(
            hash_mix(access.object,
                     access.key ^ (std::uint64_t{static_cast<std::uint8_t>(access.kind)} << 56)),
            value);
    }
    /// An access that orders steps and shows nowhere else: no part of the hash.
    void add_order(const Access& access) { accesses_.push_back(access); }
    /// The running step is one that cuts are made of.
    void mark() {
        if (marks_.empty() || marks_.back() + 1 != steps()) marks_.push_back(steps() - 1);
    }
    const std::vector<std::uint32_t>& marks() const { return marks_; }
    void fold(std::uint64_t value) { step_sum_ += hash_mix(0x6D65737361676521ULL, value); }
    void end_step() { hash_ = hash_mix(hash_, step_sum_); }

    std::uint64_t hash() const { return hash_; }
    std::uint32_t steps() const { return static_cast<std::uint32_t>(steps_.size()); }
    const std::vector<Step>& step_list() const { return steps_; }
    const std::vector<Access>& accesses() const { return accesses_; }
    /// One for each step, while narrating.
    void add_label(const StepLabel& label) { labels_.push_back(label); }
    const std::vector<StepLabel>& labels() const { return labels_; }
    /// Times that the running task changed.
    std::uint32_t switches() const;

    struct TaskName {
        std::uint32_t parent;  // index, or none
        const char* label;
        TaskKind kind;
        std::uint8_t cpu;
        std::uint64_t path;
    };
    static constexpr std::uint32_t no_parent = ~0U;
    std::uint32_t add_name(const TaskName& name) {
        names_.push_back(name);
        return static_cast<std::uint32_t>(names_.size() - 1);
    }
    /// "writer", "writer/bio#3", "writer/bio#3/endio#1": numbered among its creator's tasks of this
    /// label, from 1.
    std::string task_name(std::uint32_t index) const;
    const std::vector<TaskName>& names() const { return names_; }

    bool narrating() const { return narrating_; }
    void set_narrating(bool on) { narrating_ = on; }
    void narrate(Narration::Kind kind, std::uint32_t task, std::string text) {
        narration_.push_back({kind, steps() == 0 ? 0 : steps() - 1, task, std::move(text)});
    }
    const std::vector<Narration>& narration() const { return narration_; }

  private:
    std::vector<Step> steps_;
    std::vector<Access> accesses_;
    std::vector<std::uint32_t> marks_;
    std::vector<TaskName> names_;
    std::vector<Narration> narration_;
    std::vector<StepLabel> labels_;
    std::uint64_t hash_ = 0;
    std::uint64_t step_sum_ = 0;
    bool narrating_ = false;
};

/// Opens a named scope, for ladders and stacks: the kernel function's name. Costs a test when
/// nobody narrates.
class Scope {
  public:
    explicit Scope(const char* function);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

  private:
    bool open_;
};

}  // namespace sim
