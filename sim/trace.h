#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "sim/hash.h"
#include "sim/object.h"
#include "sim/sequence.h"
#include "sim/task.h"

namespace sim {

/// A decision other than the default one: at the ordinal-th choice point, the candidate of that
/// index (the default is 0).
struct Departure {
    std::uint32_t ordinal = 0;
    std::uint16_t index = 0;
    friend bool operator==(const Departure&, const Departure&) = default;
};

/// One step of an execution.
struct Step {
    std::uint64_t object = 0;  // identity of the object of its operation; 0: none
    std::uint32_t task = 0;    // index of the task's name
    std::uint32_t first_access = 0;
    OpKind op = OpKind::Start;
    std::uint32_t woken_in = no_step;  // the step that made it possible: it could not come before
};

/// What people call an object. Kept only while narrating.
struct ObjectLabel {
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

/// What the program under study would tell a tracer: the name of the place, and its values as text.
/// Kept only while narrating.
struct Tracepoint {
    std::size_t place;  // entries of the narration before it
    std::uint32_t step;
    std::uint32_t task;  // index of the task's name
    const char* name;
    std::string fields;
};

/// What one execution did: its steps, their accesses, the names of its tasks, and a 64-bit hash of
/// it all.
class Trace {
  public:
    void clear() {
        steps_.clear();
        accesses_.clear();
        touched_.clear();
        names_.clear();
        narration_.clear();
        tracepoints_.clear();
        labels_.clear();
        if (!objects_.empty()) objects_.clear();
        effects_.clear();
        marks_.clear();
        hash_ = 0;
        step_sum_ = 0;
    }

    // What is appended is written in place, field by field, wherever this is part of its caller:
    // who copies in larger pieces what has just been written waits until it has come to the cache.
    [[gnu::always_inline]] void begin_step(const Step& step) {
        steps_.append() = step;
        step_sum_ = base_of(step);
    }
    /// Accesses of one step are a set: their hashes are added, so their order does not show.
    void add_access(const Access& access, std::uint64_t value) {
        accesses_.append() = access;
        step_sum_ += hash_mix(
            hash_mix(access.object,
                     access.key ^ (std::uint64_t{static_cast<std::uint8_t>(access.kind)} << 56)),
            value);
    }
    /// An access that orders steps and shows nowhere else: no part of the hash.
    void add_order(const Access& access) { accesses_.append(access); }
    /// The running step is one that cuts are made of.
    void mark() {
        if (marks_.empty() || marks_.back() + 1 != steps()) marks_.push_back(steps() - 1);
    }
    const std::vector<std::uint32_t>& marks() const { return marks_; }
    void fold(std::uint64_t value) { step_sum_ += hash_mix(0x6D65737361676521ULL, value); }
    [[gnu::always_inline]] void end_step() {
        hash_ = hash_mix(hash_, step_sum_);
        if (narrating_) effects_.push_back(step_sum_ - base_of(steps_.back()));
    }

    std::uint64_t hash() const { return hash_; }
    std::uint32_t steps() const { return steps_.size(); }
    const Sequence<Step>& step_list() const { return steps_; }
    const Sequence<Access>& accesses() const { return accesses_; }
    std::span<const Access> accesses_of(std::uint32_t step) const {
        const std::size_t first = steps_[step].first_access;
        const std::size_t last =
            step + 1 < steps() ? steps_[step + 1].first_access : accesses_.size();
        return {accesses_.data() + first, last - first};
    }
    /// The kind of object that an access touched, as people call it; one for each access, while
    /// somebody observes.
    void add_touched(const char* kind) { touched_.push_back(kind); }
    const std::vector<const char*>& touched() const { return touched_; }
    /// One for each step, while narrating.
    void add_label(const ObjectLabel& label) { labels_.push_back(label); }
    const std::vector<ObjectLabel>& labels() const { return labels_; }
    /// What an accessed object is called, while narrating.
    [[gnu::noinline]] void name_object(std::uint64_t id, const ObjectLabel& label) {
        objects_.insert_or_assign(id, label);
    }
    ObjectLabel object_label(std::uint64_t id) const {
        const auto found = objects_.find(id);
        return found == objects_.end() ? ObjectLabel{} : found->second;
    }
    /// What each step did: a digest of its accesses with their values and of its messages, whoever
    /// did it and when. One for each step, while narrating.
    const std::vector<std::uint64_t>& effects() const { return effects_; }
    /// Times that the running task changed.
    std::uint32_t switches() const;

    static constexpr std::uint32_t no_parent = ~0U;
    struct TaskName {
        std::uint32_t parent = no_parent;  // index
        const char* label = "";
        TaskKind kind = TaskKind::Task;
        std::uint8_t cpu = 0;
        std::uint64_t path = 0;
        std::uint32_t born = 0;  // steps that had begun when it was created
    };
    std::uint32_t add_name(const TaskName& name) {
        names_.append() = name;
        return names_.size() - 1;
    }
    /// "writer", "writer/bio#3", "writer/bio#3/endio#1": numbered among its creator's tasks of this
    /// label, from 1.
    std::string task_name(std::uint32_t index) const;
    const Sequence<TaskName>& names() const { return names_; }

    bool narrating() const { return narrating_; }
    void set_narrating(bool on) { narrating_ = on; }
    void narrate(Narration::Kind kind, std::uint32_t task, std::string text);
    const std::vector<Narration>& narration() const { return narration_; }
    void add_tracepoint(const char* name, std::uint32_t task, std::string fields);
    const std::vector<Tracepoint>& tracepoints() const { return tracepoints_; }

  private:
    std::uint32_t last_step() const { return steps() == 0 ? 0 : steps() - 1; }
    [[gnu::always_inline]] static std::uint64_t base_of(const Step& step) {
        return hash_mix(step.object,
                        (std::uint64_t{step.task} << 8) | static_cast<std::uint8_t>(step.op));
    }

    Sequence<Step> steps_;
    Sequence<Access> accesses_;
    std::vector<const char*> touched_;
    std::vector<std::uint32_t> marks_;
    Sequence<TaskName> names_;
    std::vector<Narration> narration_;
    std::vector<Tracepoint> tracepoints_;
    std::vector<ObjectLabel> labels_;
    std::unordered_map<std::uint64_t, ObjectLabel> objects_;  // looked up only, never walked
    std::vector<std::uint64_t> effects_;
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
