#include "sim/explorer.h"

#include <map>

#include "bench/programs/counters.h"
#include "sim/rng.h"
#include "tests/sim/support.h"

namespace explorer_test {

namespace {

using tests::explore_all;
using tests::final_values;
using tests::program_of;
using tests::Values;

constexpr std::uint32_t unbounded = sim::DfsStrategy::unbounded;

TEST_CASE("plain search runs every schedule of the atomic counter once: the multinomial",
          "[sim][explorer]") {
    const auto two = explore_all(program_of<programs::AtomicCounter>(2U, 10U), sim::Grain::Fine);
    CHECK(two.executions == 184'756);
    CHECK(two.steps == 184'756 * 20);
    CHECK(two.whole_space);
    CHECK(two.end == sim::SearchEnd::Complete);
    CHECK(two.final_states.size() == 1);
    const auto three =
        explore_all(program_of<programs::AtomicCounter>(3U, 4U), sim::Grain::Fine, unbounded, 2);
    CHECK(three.executions == 34'650);
    CHECK(three.whole_space);
}

TEST_CASE("the racy counter ends between two and n times k", "[sim][explorer]") {
    const auto report = explore_all(program_of<programs::RacyCounter>(2U, 3U), sim::Grain::Fine);
    CHECK(report.executions == 924);         // 12! / (6! 6!)
    CHECK(report.final_states.size() == 5);  // 2 to 6
}

// ---- bounded searches, against a count made without the engine
// -------------------------------------------------------------

/// One operation of a task of a tiny program.
struct Operation {
    enum Kind { Access, Lock, Unlock, Submit } kind;
    unsigned mutex = 0;
};
using Tiny = std::vector<std::vector<Operation>>;

/// Counts the schedules of a tiny program in the fine grain by its own rules: every operation is a
/// step; a blocked acquisition is none; a request is an event of one step; what a deviation is, and
/// what it defers, is said at Scheduler::is_deviation().
class ScheduleCounter {
  public:
    explicit ScheduleCounter(const Tiny& program) : program_(program), at_(program.size()) {}

    /// Schedules by their number of deviations; counting ends soon after `most`.
    std::map<unsigned, std::uint64_t> count(std::uint64_t most) {
        most_ = most;
        counts_.clear();
        counted_ = 0;
        go(nobody, 0);
        return counts_;
    }

  private:
    static constexpr unsigned nobody = ~0U;
    static constexpr unsigned first_request =
        100;  // tasks are numbered from 0, requests from here, in order of submission

    static bool is_request(unsigned who) { return who >= first_request; }
    bool enabled(unsigned task) const {
        if (at_[task] == program_[task].size()) return false;
        const Operation& next = program_[task][at_[task]];
        return next.kind != Operation::Lock || owners_.find(next.mutex) == owners_.end();
    }
    bool earlier(unsigned a, unsigned b) const {
        const bool a_deferred = deferred_.count(a) != 0;
        const bool b_deferred = deferred_.count(b) != 0;
        return a_deferred != b_deferred ? b_deferred : a < b;
    }

    void go(unsigned running, unsigned deviations) {
        std::vector<unsigned> candidates(requests_.begin(), requests_.end());
        for (unsigned task = 0; task < program_.size(); ++task)
            if (enabled(task)) candidates.push_back(task);
        if (candidates.empty()) {
            ++counts_[deviations];
            ++counted_;
            return;
        }
        std::sort(candidates.begin(), candidates.end(),
                  [this](unsigned a, unsigned b) { return earlier(a, b); });
        const bool can_go_on = running != nobody && !is_request(running) && enabled(running);
        for (const unsigned who : candidates) {
            if (counted_ > most_) return;
            const auto deferred = deferred_;
            bool deviates = can_go_on && who != running;
            if (!can_go_on && who != candidates.front() && is_request(who) &&
                deferred_.count(who) == 0) {
                deviates = true;
                defer(who, candidates);
            }
            deferred_.erase(who);
            perform(who, deviations + (deviates ? 1 : 0));
            deferred_ = deferred;
        }
    }

    /// What is held back alone, and has not begun, may take any later turn.
    void defer(unsigned chosen, const std::vector<unsigned>& candidates) {
        std::vector<unsigned> passed;
        for (const unsigned who : candidates)
            if (who != chosen && deferred_.count(who) == 0 && earlier(who, chosen))
                passed.push_back(who);
        if (passed.size() == 1 && (is_request(passed[0]) || at_[passed[0]] == 0))
            deferred_.insert(passed[0]);
    }

    void perform(unsigned who, unsigned deviations) {
        const auto owners = owners_;
        const auto requests = requests_;
        if (is_request(who)) {
            requests_.erase(who);
            go(who, deviations);
        } else {
            const Operation& operation = program_[who][at_[who]++];
            if (operation.kind == Operation::Lock) owners_[operation.mutex] = who;
            if (operation.kind == Operation::Unlock) owners_.erase(operation.mutex);
            if (operation.kind == Operation::Submit) requests_.insert(first_request + submitted_++);
            go(who, deviations);
            if (operation.kind == Operation::Submit) --submitted_;
            --at_[who];
        }
        owners_ = owners;
        requests_ = requests;
    }

    const Tiny& program_;
    std::vector<std::size_t> at_;
    std::map<unsigned, unsigned> owners_;
    std::set<unsigned> requests_, deferred_;
    unsigned submitted_ = 0;
    std::uint64_t counted_ = 0, most_ = 0;
    std::map<unsigned, std::uint64_t> counts_;
};

class TinyProgram final : public sim::Program {
  public:
    explicit TinyProgram(Tiny tasks) : tasks_(std::move(tasks)) {}
    void prepare() override { state_ = sim::make<State>(); }
    void start() override {
        for (const auto& task : tasks_) {
            const auto* const operations = &task;
            sim::current().spawn("task", [this, operations] {
                for (const Operation& operation : *operations)
                    run(operation);
            });
        }
    }
    std::uint64_t state_hash() override { return 1; }

  private:
    struct State {
        sim::Atomic<std::uint64_t> word;
        std::array<sim::Mutex, 2> mutexes{sim::Mutex{tests::class_a}, sim::Mutex{tests::class_b}};
    };
    void run(const Operation& operation) {
        switch (operation.kind) {
        case Operation::Access:
            state_->word.add_return(1);
            break;
        case Operation::Lock:
            state_->mutexes[operation.mutex].lock();
            break;
        case Operation::Unlock:
            state_->mutexes[operation.mutex].unlock();
            break;
        case Operation::Submit:
            sim::current().spawn_completion("request", 0, 0, [] {});
            break;
        }
    }
    Tiny tasks_;
    State* state_ = nullptr;
};

std::uint64_t up_to(const std::map<unsigned, std::uint64_t>& counts, unsigned bound) {
    std::uint64_t sum = 0;
    for (const auto& [deviations, schedules] : counts)
        if (deviations <= bound) sum += schedules;
    return sum;
}

constexpr Operation access{Operation::Access};
constexpr Operation submit{Operation::Submit};

/// Every task begins with an access, since an acquisition that blocks at once would make the start
/// of the task a step.
Tiny random_program(std::uint64_t seed) {
    sim::Rng rng(seed);
    Tiny program(2 + rng.below(2));
    const std::uint64_t longest = program.size() == 2 ? 6 : 3;
    for (auto& task : program) {
        task.push_back(access);
        while (task.size() < longest) {
            const std::uint64_t what = rng.below(4);
            const auto mutex = static_cast<unsigned>(rng.below(2));
            if (what == 0) {
                task.push_back(access);
            } else if (what == 1) {
                task.push_back(submit);
            } else if (what == 2 || mutex == 1) {
                task.insert(task.end(),
                            {{Operation::Lock, mutex}, access, {Operation::Unlock, mutex}});
            } else {
                task.insert(task.end(), {{Operation::Lock, 0},
                                         {Operation::Lock, 1},
                                         {Operation::Unlock, 1},
                                         {Operation::Unlock, 0}});
            }
        }
    }
    return program;
}

TEST_CASE("two tasks of k steps have the textbook's numbers of schedules with few preemptions",
          "[sim][explorer]") {
    // Each task runs in blocks; with no preemption there are 2 schedules, with one there are 2 (k -
    // 1) more: the first task is cut once and goes on after the other has ended.
    for (unsigned k = 2; k <= 6; ++k) {
        const auto factory = program_of<programs::AtomicCounter>(2U, k);
        CHECK(explore_all(factory, sim::Grain::Fine, 0).executions == 2);
        CHECK(explore_all(factory, sim::Grain::Fine, 1).executions == 2 + 2 * (k - 1));
        // With two, both are cut once: (k - 1)^2 for either beginning. (A task cut twice needs the
        // other cut in between or ended.)
        CHECK(explore_all(factory, sim::Grain::Fine, 2).executions ==
              2 + 2 * (k - 1) + 2 * (k - 1) * (k - 1));
    }
}

TEST_CASE("bounded searches run as many schedules as there are within the bound",
          "[sim][explorer]") {
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
        const Tiny program = random_program(seed);
        CAPTURE(seed);
        constexpr std::uint64_t most = 10'000;
        auto counts = ScheduleCounter(program).count(most);
        if (up_to(counts, unbounded) > most) continue;
        const auto factory = [&program] { return std::make_unique<TinyProgram>(program); };
        for (const std::uint32_t bound : {0U, 1U, 2U, 3U, unbounded}) {
            std::uint64_t executions = 0;
            std::map<unsigned, std::uint64_t> seen;
            tests::for_each_schedule(factory, sim::Grain::Fine, bound,
                                     [&](sim::Execution&, const sim::ExecutionResult& result) {
                                         ++executions;
                                         ++seen[result.deviations];
                                     });
            REQUIRE(executions == up_to(counts, bound));
            if (bound == unbounded)
                REQUIRE(seen == counts);  // and each has as many deviations as counted
        }
    }
}

TEST_CASE("no schedule is run twice", "[sim][explorer]") {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        const Tiny program = random_program(seed);
        const auto factory = [&program] { return std::make_unique<TinyProgram>(program); };
        std::set<std::vector<std::pair<std::uint32_t, std::uint16_t>>> schedules;
        std::uint64_t executions = 0;
        tests::for_each_schedule(
            factory, sim::Grain::Fine, 2, [&](sim::Execution&, const sim::ExecutionResult& result) {
                ++executions;
                std::vector<std::pair<std::uint32_t, std::uint16_t>> schedule;
                for (const sim::Departure& departure : result.schedule.departures)
                    schedule.emplace_back(departure.ordinal, departure.index);
                schedules.insert(schedule);
            });
        CHECK(schedules.size() == executions);
    }
}

TEST_CASE("a bound includes all smaller ones, and an unbounded search all of them",
          "[sim][explorer]") {
    const auto factory = program_of<programs::RacyCounter>(2U, 3U);
    Values before;
    std::uint64_t executions = 0;
    for (std::uint32_t bound = 0; bound <= 6; ++bound) {
        const auto report = explore_all(factory, sim::Grain::Fine, bound);
        CHECK(std::includes(report.final_states.begin(), report.final_states.end(), before.begin(),
                            before.end()));
        CHECK(report.executions >= executions);
        executions = report.executions;
        before = report.final_states;
    }
    const auto all = explore_all(factory, sim::Grain::Fine);
    CHECK(std::includes(all.final_states.begin(), all.final_states.end(), before.begin(),
                        before.end()));
    CHECK(all.executions >= executions);
}

TEST_CASE("a space is whole exactly when the bound left nothing out", "[sim][explorer]") {
    // Two tasks of three steps: at most four preemptions are possible (a|b|a|b|a b).
    const auto factory = program_of<programs::AtomicCounter>(2U, 3U);
    std::uint64_t before = 0;
    for (std::uint32_t bound = 0; bound <= 6; ++bound) {
        const auto report = explore_all(factory, sim::Grain::Fine, bound);
        CHECK(report.whole_space == (report.executions == 20));
        CHECK(report.whole_space == (bound >= 4));
        CHECK(report.executions >= before);
        before = report.executions;
    }
}

TEST_CASE("a deepening search stops at the bound that leaves nothing out", "[sim][explorer]") {
    sim::ExploreOptions options;
    options.execution.grain = sim::Grain::Fine;
    options.cache_entries = 0;
    options.max_deviations = 50;
    const auto report = sim::explore(program_of<programs::AtomicCounter>(2U, 3U), options);
    CHECK(report.whole_space);
    CHECK(report.bound == 4);
    CHECK(report.executions == 20);
}

TEST_CASE("a deepening search finds the failure with the fewest deviations, and stops there",
          "[sim][explorer]") {
    struct State {
        sim::Atomic<std::uint64_t> a, b;
    };
    // The value must be caught at 1 and then at 2: two preemptions of t1.
    const auto victim = [](State& state) {
        for (int i = 0; i < 3; ++i)
            state.a.add_return(1);
    };
    const auto hunter = [](State& state) {
        if (state.a.load() != 1) return;
        if (state.a.load() == 2) sim::violation("caught", "seen at one and at two");
    };
    const auto factory = tests::program<State>([](const State&) { return 0; }, {victim, hunter});
    sim::ExploreOptions options;
    options.execution.grain = sim::Grain::Fine;
    options.cache_entries = 0;
    options.max_deviations = 5;
    const auto report = sim::explore(factory, options);
    REQUIRE(report.end == sim::SearchEnd::Found);
    CHECK(report.bound == 3);
    CHECK(report.failures[0].result.deviations == 3);
    CHECK_FALSE(report.whole_space);

    options.max_deviations = 2;
    const auto too_shallow = sim::explore(factory, options);
    CHECK(too_shallow.end == sim::SearchEnd::Complete);
    CHECK(too_shallow.failures.empty());
    CHECK(too_shallow.bound == 2);
    CHECK_FALSE(too_shallow.whole_space);
}

TEST_CASE("a search that keeps going finds every way to fail, each with its first execution and "
          "its count",
          "[sim][explorer]") {
    struct State {
        sim::Atomic<std::uint64_t> a;
    };
    const auto name = [](std::uint64_t number) {
        return [number](State& state) {
            const std::uint64_t place = state.a.add_return(1);
            if (place == 1) sim::violation("first/" + std::to_string(number), "it was the first");
        };
    };
    const auto report = explore_all(
        tests::program<State>([](const State&) { return 0; }, {name(1), name(2), name(3)}),
        sim::Grain::Fine);
    CHECK(tests::signatures(report) == std::vector<std::string>{"first/1", "first/2", "first/3"});
    for (const sim::Failure& failure : report.failures)
        CHECK(failure.count == 1);  // each execution ends with its first step
    CHECK(report.executions == 3);
    CHECK(report.end == sim::SearchEnd::Found);
}

TEST_CASE("a search stops at its limit of executions and says so", "[sim][explorer]") {
    sim::ExploreOptions options;
    options.execution.grain = sim::Grain::Fine;
    options.cache_entries = 0;
    options.max_deviations = unbounded;
    options.limits.max_executions = 100;
    const auto report = sim::explore(program_of<programs::AtomicCounter>(2U, 10U), options);
    CHECK(report.end == sim::SearchEnd::Executions);
    CHECK(report.executions == 100);
    CHECK_FALSE(report.whole_space);
}

TEST_CASE("a search stops when it is interrupted or its time is over, and says so",
          "[sim][explorer]") {
    sim::ExploreOptions options;
    options.execution.grain = sim::Grain::Fine;
    options.cache_entries = 0;
    options.max_deviations = unbounded;
    options.jobs = 2;
    const std::atomic<bool> interrupted{true};
    options.limits.interrupted = &interrupted;
    CHECK(sim::explore(program_of<programs::AtomicCounter>(4U, 10U), options).end ==
          sim::SearchEnd::Interrupted);
    options.limits.interrupted = nullptr;
    options.limits.time = std::chrono::milliseconds(20);
    const auto report = sim::explore(program_of<programs::AtomicCounter>(4U, 10U), options);
    CHECK(report.end == sim::SearchEnd::Time);
    CHECK_FALSE(report.whole_space);
}

TEST_CASE("progress is told while a search runs", "[sim][explorer]") {
    sim::ExploreOptions options;
    options.execution.grain = sim::Grain::Fine;
    options.cache_entries = 0;
    options.max_deviations = unbounded;
    options.limits.time = std::chrono::milliseconds(700);
    std::vector<sim::SearchProgress> told;
    options.on_progress = [&](const sim::SearchProgress& progress) { told.push_back(progress); };
    sim::explore(program_of<programs::AtomicCounter>(4U, 10U), options);
    REQUIRE_FALSE(told.empty());
    for (std::size_t i = 1; i < told.size(); ++i)
        CHECK(told[i].executions >= told[i - 1].executions);
    CHECK(told.back().share_done >= 0);
    CHECK(told.back().share_done <= 1);
}

}  // namespace

}  // namespace explorer_test
