#pragma once
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sim/atomic.h"
#include "sim/containers.h"
#include "sim/execution.h"
#include "sim/explorer.h"
#include "sim/mutex.h"
#include "sim/program.h"
#include "sim/strategies.h"
#include "sim/strategy_dfs.h"

/// What the tests of the engine share: small programs written in place, and searches over all of
/// their schedules.
namespace tests {

/// How many of so many random programs a test takes: under the sanitizers, where each takes several
/// times as long, a sixth.
constexpr std::uint64_t sampled(std::uint64_t programs) {
#if defined(__SANITIZE_ADDRESS__)
    return programs / 6;
#else
    return programs;
#endif
}

inline constexpr sim::ObjectClass locked_data{"data", 100};
inline constexpr sim::ObjectClass lockless_data{"flag", 101, sim::Discipline::Lockless};
inline constexpr sim::LockClass class_a{"lock_a", 1};
inline constexpr sim::LockClass class_b{"lock_b", 2};
inline constexpr sim::LockClass class_c{"lock_c", 3};

/// A shared value that locks protect.
struct Data : sim::Tracked<std::uint64_t> {
    explicit Data(std::uint64_t value = 0) : Tracked(locked_data, value) {}
};

/// A state in the arena, tasks that work on it, and a digest of where they left it: readable
/// numbers, so that a test can say which final states there are. Tasks are called "t1", "t2", ...
template <class State> class SmallProgram final : public sim::Program {
  public:
    using Digest = std::function<std::uint64_t(const State&)>;
    using Body = std::function<void(State&)>;

    SmallProgram(Digest digest, std::vector<Body> bodies)
        : digest_(std::move(digest)), bodies_(std::move(bodies)) {
        SIM_ASSERT(bodies_.size() <= std::size(labels));
    }
    void prepare() override { state_ = sim::make<State>(); }
    void start() override {
        for (std::size_t i = 0; i < bodies_.size(); ++i)
            sim::current().spawn(labels[i], [this, i] { bodies_[i](*state_); });
    }
    std::uint64_t state_hash() override {
        return digest_(*state_) + 1;
    }  // 0 would mean that there is none

  private:
    static constexpr const char* labels[] = {"t1", "t2", "t3", "t4", "t5", "t6"};
    Digest digest_;
    std::vector<Body> bodies_;
    State* state_ = nullptr;
};

template <class State>
sim::ProgramFactory program(typename SmallProgram<State>::Digest digest,
                            std::vector<typename SmallProgram<State>::Body> bodies) {
    return [=] { return std::make_unique<SmallProgram<State>>(digest, bodies); };
}

template <class Program, class... Args> sim::ProgramFactory program_of(Args... args) {
    return [=] { return std::make_unique<Program>(args...); };
}

/// All schedules (or those within a bound), all failures, all final states.
inline sim::SearchReport explore_all(const sim::ProgramFactory& factory, sim::Grain grain,
                                     std::uint32_t bound = sim::DfsStrategy::unbounded,
                                     unsigned jobs = 1) {
    sim::ExploreOptions options;
    options.execution.grain = grain;
    options.max_deviations = bound;
    options.jobs = jobs;
    options.keep_going = true;
    options.deepen = false;
    options.collect_final_states = true;
    options.cache_entries = 0;  // plain search: the tests' states need not be tracked
    return sim::explore(factory, options);
}

using Values = std::vector<std::uint64_t>;

/// What the digests of all final states were, in ascending order.
inline Values final_values(const sim::SearchReport& report) {
    Values values = report.final_states;
    for (std::uint64_t& value : values)
        --value;
    return values;
}

inline std::vector<std::string> signatures(const sim::SearchReport& report) {
    std::vector<std::string> all;
    for (const sim::Failure& failure : report.failures)
        all.push_back(failure.signature);
    std::sort(all.begin(), all.end());
    return all;
}

/// One execution under a strategy that is used once.
inline sim::ExecutionResult run_once(const sim::ProgramFactory& factory, sim::Grain grain,
                                     std::unique_ptr<sim::Strategy> strategy) {
    sim::Execution execution(factory, {.grain = grain});
    strategy->next_execution();
    return execution.run(*strategy);
}

/// Runs every schedule within the bound on one thread, and shows each execution before the next
/// begins.
/// @param see  called with the execution and its result
template <class See>
void for_each_schedule(const sim::ProgramFactory& factory, sim::Grain grain, std::uint32_t bound,
                       See&& see) {
    sim::Execution execution(factory, {.grain = grain, .narrate = true});
    sim::DfsStrategy strategy(bound);
    strategy.begin({});
    while (strategy.next_execution()) {
        const sim::ExecutionResult& result = execution.run(strategy);
        see(execution, result);
    }
}

/// The class of executions that differ only in the order of independent accesses (Mazurkiewicz'
/// trace), told by what every access of each object found there: the last write, and the reads or
/// additions since, in no order. Shares no code with the engine's own account of it.
class TraceClass {
  public:
    std::uint64_t of(const sim::Trace& trace) {
        objects_.clear();
        nth_.clear();
        digest_ = 0;
        const auto& steps = trace.step_list();
        for (std::size_t i = 0; i < steps.size(); ++i) {
            const std::size_t end =
                i + 1 < steps.size() ? steps[i + 1].first_access : trace.accesses().size();
            for (std::size_t a = steps[i].first_access; a < end; ++a)
                if (!found_it_taken(trace, i, trace.accesses()[a]))
                    add(trace.names()[steps[i].task].path, trace.accesses()[a]);
        }
        return digest_;
    }

  private:
    struct Group {  // of accesses that commute
        std::uint64_t writes = 0, reads = 0, adds = 0;
    };
    struct Keyed {
        Group whole;
        std::map<std::uint64_t, Group> keys;  // since the last write of the whole
    };

    /// An attempt that was blocked ends the step where it was made: where steps end is no part of
    /// the class. Told by the object's name, so the trace must be a narrated one.
    static bool found_it_taken(const sim::Trace& trace, std::size_t at, const sim::Access& access) {
        if (access.kind != sim::AccessKind::Read) return false;
        const auto& steps = trace.step_list();
        const std::string name = trace.object_label(access.object).object_class;
        if (name == "bit") {  // others look at it without waiting
            const auto next =
                std::find_if(steps.begin() + static_cast<std::ptrdiff_t>(at) + 1, steps.end(),
                             [&](const sim::Step& step) { return step.task == steps[at].task; });
            return next != steps.end() && next->op == sim::OpKind::AcquireShared &&
                   next->object == access.object;
        }
        const bool blocks =
            name == "mutex" || name == "spinlock" || name == "rwsem" || name == "completion";
        return blocks && steps[at].op != sim::OpKind::TryAcquire;
    }

    void add(std::uint64_t path, const sim::Access& access) {
        using Kind = sim::AccessKind;
        const std::uint64_t event = sim::hash_mix(path, ++nth_[path]);
        Keyed& object = objects_[access.object];
        std::uint64_t found = object.whole.writes;
        const auto read = [&](Group& group) {
            found = sim::hash_mix(found, group.writes + group.adds);
            group.reads += event;
        };
        const auto add_to = [&](Group& group) {
            found = sim::hash_mix(found, group.writes + group.reads);
            group.adds += event;
        };
        const auto write = [&](Group& group) {
            found = sim::hash_mix(found, sim::hash_mix(group.writes + group.adds, group.reads));
            group = {};
            group.writes = event;
        };
        const auto see_keys = [&](bool reads) {
            std::uint64_t sum = 0;
            for (const auto& [key, group] : object.keys)
                if (reads || group.writes != 0)
                    sum += sim::hash_mix(key, sim::hash_mix(group.writes, reads ? group.reads : 0));
            found = sim::hash_mix(found, sum);
        };
        switch (access.kind) {
        case Kind::Read:
        case Kind::AcquireShared:
        case Kind::ReleaseShared:
            see_keys(false);
            read(object.whole);
            break;
        case Kind::Add:
            see_keys(true);
            add_to(object.whole);
            break;
        case Kind::Lookup:
            found = sim::hash_mix(found, object.whole.adds);
            read(object.keys[access.key]);
            break;
        case Kind::Insert:
            found = sim::hash_mix(found, object.whole.adds + object.whole.reads);
            write(object.keys[access.key]);
            break;
        default:
            see_keys(true);
            write(object.whole);
            object.keys.clear();
            break;
        }
        digest_ += sim::hash_mix(event, found);
    }

    std::map<std::uint64_t, Keyed> objects_;
    std::map<std::uint64_t, std::uint64_t> nth_;  // accesses of each task so far
    std::uint64_t digest_ = 0;
};

struct ClassCounts {
    std::uint64_t schedules = 0;
    std::size_t complete = 0, deadlocked = 0;  // classes
};
inline ClassCounts count_classes(const sim::ProgramFactory& factory) {
    ClassCounts counts;
    TraceClass trace_class;
    std::set<std::uint64_t> complete, deadlocked;
    for_each_schedule(factory, sim::Grain::Fine, sim::DfsStrategy::unbounded,
                      [&](sim::Execution& execution, const sim::ExecutionResult& result) {
                          ++counts.schedules;
                          (result.outcome == sim::Outcome::Completed ? complete : deadlocked)
                              .insert(trace_class.of(execution.scheduler().trace()));
                      });
    counts.complete = complete.size();
    counts.deadlocked = deadlocked.size();
    return counts;
}

/// Two searches that came to the same.
inline void check_equal(const sim::SearchReport& a, const sim::SearchReport& b) {
    CHECK(a.end == b.end);
    CHECK(a.executions == b.executions);
    CHECK(a.steps == b.steps);
    CHECK(a.max_depth == b.max_depth);
    CHECK(a.bound == b.bound);
    CHECK(a.whole_space == b.whole_space);
    CHECK(a.final_states == b.final_states);
    REQUIRE(a.failures.size() == b.failures.size());
    for (std::size_t i = 0; i < a.failures.size(); ++i) {
        CHECK(a.failures[i].signature == b.failures[i].signature);
        CHECK(a.failures[i].count == b.failures[i].count);
        CHECK(a.failures[i].first_run == b.failures[i].first_run);
        CHECK(a.failures[i].result.schedule == b.failures[i].result.schedule);
        CHECK(a.failures[i].result.trace_hash == b.failures[i].result.trace_hash);
        CHECK(a.failures[i].result.violation->text == b.failures[i].result.violation->text);
    }
}

inline auto both_grains() {
    return Catch::Generators::values({sim::Grain::Fine, sim::Grain::Coarse});
}

}  // namespace tests

namespace Catch {
template <> struct StringMaker<sim::Grain> {
    static std::string convert(sim::Grain grain) {
        return grain == sim::Grain::Fine ? "fine" : "coarse";
    }
};
}  // namespace Catch
