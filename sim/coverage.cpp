#include "sim/coverage.h"

#include <algorithm>
#include <span>

namespace sim {
namespace {

bool releases(AccessKind kind) {
    return kind == AccessKind::Release || kind == AccessKind::ReleaseShared;
}

}  // namespace

/// Counts what one worker's executions came by.
class CoverageObserver final : public Observer {
  public:
    explicit CoverageObserver(std::shared_ptr<Coverage> coverage)
        : coverage_(std::move(coverage)) {}
    ~CoverageObserver() override { give(); }

    void executed(const Scheduler& scheduler, const ExecutionResult& result) override {
        if (result.outcome == Outcome::Cut || result.outcome == Outcome::Nondeterministic) return;
        ++executions_;
        for (unsigned i = 0; i < max_probes; ++i)
            probes_[i] += scheduler.probes()[i];
        find_races(scheduler.trace(), scheduler.grain());
    }

  private:
    /// Numbers things in the order in which they come.
    template <class Key, class Hash> class Numbers {
      public:
        std::uint32_t of(const Key& key) {
            const auto [at, fresh] =
                numbers_.try_emplace(key, static_cast<std::uint32_t>(keys_.size()));
            if (fresh) keys_.push_back(key);
            return at->second;
        }
        const Key& operator[](std::uint32_t number) const { return keys_[number]; }
        std::size_t size() const { return keys_.size(); }

      private:
        std::unordered_map<Key, std::uint32_t, Hash> numbers_;  // looked up only, never walked
        std::vector<Key> keys_;
    };

    /// A CoveredStep while it is counted.
    struct Point {
        std::uint32_t role;
        std::uint32_t kind;  // of object
        AccessKind access;
        bool operator==(const Point&) const = default;
    };
    struct PointHash {
        std::size_t operator()(const Point& point) const {
            return hash_mix(hash_mix(point.role, static_cast<std::uint64_t>(point.access)),
                            point.kind);
        }
    };

    void find_races(const Trace& trace, Grain grain) {
        order_.begin(trace);
        while (order_.size() < trace.steps())
            order_.add(trace, grain);
        name_roles(trace);
        for (const ReversibleRace& race : order_.races())
            count(trace, race);
    }

    void name_roles(const Trace& trace) {
        role_of_.clear();
        for (std::uint32_t name = 0; name < trace.names().size(); ++name)
            role_of_.push_back(role(trace, name));
    }

    /// By what the task is called and who created it: its path may be another kind of task's in
    /// the next execution.
    std::uint32_t role(const Trace& trace, std::uint32_t name) {
        const Trace::TaskName& task = trace.names()[name];
        if (task.parent == Trace::no_parent) return roles_.of(trace.task_name(name));
        const std::uint32_t parent = role_of_[task.parent];
        const auto [at, fresh] = child_roles_.try_emplace({parent, task.label});
        if (fresh) at->second = roles_.of(child_text(roles_[parent], task.label));
        return at->second;
    }

    /// What begets its like has one role, whatever the generation.
    static std::string child_text(const std::string& parent, const char* label) {
        const std::string own = std::string("/") + label;
        return parent.ends_with(own) ? parent : parent + own;
    }

    std::uint32_t point_of(const Trace& trace, std::uint32_t step, const Access& access) {
        const auto place = static_cast<std::size_t>(&access - trace.accesses().data());
        return points_.of(
            {role_of_[trace.step_list()[step].task], kind_of(trace.touched()[place]), access.kind});
    }

    void count(const Trace& trace, const ReversibleRace& race) {
        const auto first = trace.accesses_of(race.first), second = trace.accesses_of(race.second);
        found_.clear();
        kinds_.clear();
        for (const Access& a : first)
            for (const Access& b : second)
                if (conflict(a, b) && !releases(a.kind) && !releases(b.kind)) {
                    const std::uint32_t before = point_of(trace, race.first, a);
                    found_.push_back((std::uint64_t{before} << 32) |
                                     point_of(trace, race.second, b));
                    kinds_.push_back(points_[before].kind);
                }
        if (found_.empty()) return;
        keep_distinct(found_);
        for (const std::uint64_t pair : found_)
            ++orders_[pair];
        ++races_;
        keep_distinct(kinds_);
        for (const std::uint32_t kind : kinds_)
            ++races_over_[kind];
    }

    /// By name: one name may stand at several addresses.
    std::uint32_t kind_of(const char* object) {
        const auto [at, fresh] = kind_numbers_.try_emplace(object);
        if (fresh) at->second = objects_.of(object);
        races_over_.resize(objects_.size());
        return at->second;
    }

    template <class T> static void keep_distinct(std::vector<T>& list) {
        std::sort(list.begin(), list.end());
        list.erase(std::unique(list.begin(), list.end()), list.end());
    }

    CoveredStep text_of(std::uint32_t point) const {
        return {roles_[points_[point].role], points_[point].access, objects_[points_[point].kind]};
    }

    void give() {
        const std::lock_guard guard(coverage_->mutex_);
        coverage_->executions_ += executions_;
        for (unsigned i = 0; i < max_probes; ++i)
            coverage_->probes_[i] += probes_[i];
        for (const auto& [pair, count] : orders_) {  // sums: their order does not show
            CoveredStep before = text_of(static_cast<std::uint32_t>(pair >> 32));
            CoveredStep after = text_of(static_cast<std::uint32_t>(pair));
            if (before == after) continue;
            if (before < after)
                coverage_->pairs_[{std::move(before), std::move(after)}].in_order += count;
            else
                coverage_->pairs_[{std::move(after), std::move(before)}].reversed += count;
        }
        coverage_->races_ += races_;
        for (std::uint32_t kind = 0; kind < races_over_.size(); ++kind)
            coverage_->races_by_object_[objects_[kind]] += races_over_[kind];
    }

    std::shared_ptr<Coverage> coverage_;
    std::uint64_t executions_ = 0;
    std::array<std::uint64_t, max_probes> probes_{};
    HappensBefore order_;
    Numbers<std::string, std::hash<std::string>> roles_;
    std::map<std::pair<std::uint32_t, const char*>, std::uint32_t> child_roles_;
    std::vector<std::uint32_t> role_of_;  // by the name of the task
    Numbers<Point, PointHash> points_;
    std::unordered_map<std::uint64_t, std::uint64_t> orders_;  // by the two points
    std::uint64_t races_ = 0;
    Numbers<std::string, std::hash<std::string>> objects_;
    std::unordered_map<const char*, std::uint32_t> kind_numbers_;  // looked up only, never walked
    std::vector<std::uint64_t> races_over_;                        // by kind
    std::vector<std::uint64_t> found_;                             // of the race being counted
    std::vector<std::uint32_t> kinds_;
};

std::function<std::unique_ptr<Observer>()>
Coverage::observer(const std::shared_ptr<Coverage>& coverage) {
    return [coverage] { return std::make_unique<CoverageObserver>(coverage); };
}

}  // namespace sim
