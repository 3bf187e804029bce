// The same program, strategy and seed give the same execution: on every worker, with every number
// of jobs, compiler and optimisation level. What differs between builds is compared by the table of
// hashes below.
#include <set>

#include "bench/programs/counters.h"
#include "sim/completion.h"
#include "sim/profile.h"
#include "sim/rwsem.h"
#include "sim/semaphore.h"
#include "sim/spinlock.h"
#include "sim/timer.h"
#include "sim/waitqueue.h"
#include "sim/workqueue.h"
#include "tests/sim/support.h"

namespace determinism_test {

namespace {

using tests::check_equal;
using tests::explore_all;

/// A little of everything: all primitives, tasks that create tasks, requests, a timer, containers,
/// messages, a finding.
class Medley final : public sim::Program {
  public:
    explicit Medley(bool may_fail) : may_fail_(may_fail) {}

    void prepare() override {
        hall_ = sim::make<Hall>();
        for (std::uint64_t i = 0; i < 8; ++i)
            hall_->table.emplace(i, i * i);
    }
    void start() override {
        sim::current().spawn("writer", [this] { write(); });
        sim::current().spawn("reader", [this] { read(); });
        sim::current().spawn("sleeper", [this] { sleep(); });
    }
    std::uint64_t state_hash() override {
        std::uint64_t hash = 1;
        for (const auto& [key, value] : hall_->table)
            hash = sim::hash_mix(hash_mix_pair(hash, key), value);
        return sim::hash_mix(hash, hall_->count.peek());
    }

  private:
    struct Hall {
        sim::Mutex mutex{tests::class_a, 11};
        sim::RwSem sem{tests::class_b, 12};
        sim::Spinlock spinlock{tests::class_c, 13};
        sim::WaitQueue queue{14, "hall"};
        sim::Completion done{15};
        sim::Semaphore room{1, 16};
        sim::Timer timer{"timer"};
        sim::WorkQueue work{"work"};
        sim::Atomic<std::uint64_t> flag, count;
        tests::Data data;
        sim::Object keyed{tests::locked_data, 17};
        sim::Map<std::uint64_t, std::uint64_t> table;
        bool written = false;
    };
    static std::uint64_t hash_mix_pair(std::uint64_t hash, std::uint64_t key) {
        return sim::hash_mix(hash, key);
    }

    void write() {
        hall_->timer.arm(5000, [this] { hall_->count.add_return(100); });
        sim::current().spawn_completion("request", 1, 3000, [this] { hall_->done.complete(); });
        {
            const sim::WriteGuard guard(hall_->sem);
            hall_->keyed.insert(3);
            hall_->table[3] = 33;
            sim::current().message("wrote 3");
        }
        hall_->flag.store(1);
        hall_->written = true;
        hall_->queue.wake_up();
        hall_->done.wait();
        hall_->count.inc();
    }
    void read() {
        {
            const sim::ReadGuard guard(hall_->sem);
            hall_->keyed.lookup(3);
            if (may_fail_ && hall_->table[3] == 33 && hall_->count.load() == 0)
                sim::violation("early", "the reader was early");
        }
        hall_->work.queue("item", [this] {
            const sim::MutexGuard guard(hall_->mutex);
            hall_->data.set(hall_->data.get() + 1);
        });
        hall_->room.down();
        hall_->count.add_return(3);
        hall_->room.up();
        hall_->work.flush();
    }
    void sleep() {
        hall_->queue.wait_event([this] { return hall_->flag.load() == 1; });
        const sim::MutexGuard guard(hall_->mutex);
        const sim::SpinGuard spin(hall_->spinlock);
        hall_->data.set(hall_->data.get() + 10);
        hall_->table[hall_->data.peek()] = 5;
    }

    bool may_fail_;
    Hall* hall_ = nullptr;
};

const std::vector<std::string> all_strategies{"first", "random", "walk", "pct:2",
                                              "pct:3", "pos",    "timed"};

std::unique_ptr<sim::Strategy> make(const std::string& name, std::uint64_t seed) {
    static const auto profile = [] {
        sim::Execution execution(tests::program_of<Medley>(false), {});
        sim::Profile measured = sim::profile_of(execution);
        measured.tasks = 8;
        measured.steps = 60;
        return std::make_shared<const sim::Profile>(std::move(measured));
    }();
    return sim::make_strategy(*sim::StrategySpec::parse(name), seed, profile);
}

TEST_CASE("the same seed gives the same execution, for every strategy", "[sim][determinism]") {
    const auto grain = GENERATE(tests::both_grains());
    const std::string strategy = GENERATE(from_range(all_strategies));
    CAPTURE(strategy);
    sim::Execution one(tests::program_of<Medley>(true), {.grain = grain});
    sim::Execution other(tests::program_of<Medley>(true), {.grain = grain});
    REQUIRE(one.prepared_hash() == other.prepared_hash());
    std::set<std::uint64_t> distinct;
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        const auto first = make(strategy, seed);
        const auto second = make(strategy, seed);
        first->next_execution();
        second->next_execution();
        const sim::ExecutionResult a = one.run(*first);
        make("random", seed)->next_execution();  // anything in between
        const sim::ExecutionResult& b = other.run(*second);
        REQUIRE(a.trace_hash == b.trace_hash);
        REQUIRE(a.outcome == b.outcome);
        REQUIRE(a.state_hash == b.state_hash);
        REQUIRE(a.schedule == b.schedule);
        REQUIRE(a.messages == b.messages);
        distinct.insert(a.trace_hash);
    }
    if (strategy != "first") CHECK(distinct.size() > 5);  // and another seed another one
}

TEST_CASE("an execution is repeated by its schedule alone", "[sim][determinism]") {
    const auto grain = GENERATE(tests::both_grains());
    const std::string strategy = GENERATE(from_range(all_strategies));
    CAPTURE(strategy);
    sim::Execution execution(tests::program_of<Medley>(true), {.grain = grain});
    unsigned failures = 0;
    for (std::uint64_t seed = 0; seed < 600; ++seed) {
        const auto original = make(strategy, seed);
        original->next_execution();
        const sim::ExecutionResult found = execution.run(*original);
        const auto replay = sim::make_replay(found.schedule);
        replay->next_execution();
        const sim::ExecutionResult& repeated = execution.run(*replay);
        REQUIRE(repeated.outcome == found.outcome);
        REQUIRE(repeated.trace_hash == found.trace_hash);
        REQUIRE(repeated.state_hash == found.state_hash);
        REQUIRE(repeated.steps == found.steps);
        REQUIRE(repeated.deviations == found.deviations);
        REQUIRE(repeated.violation.has_value() == found.violation.has_value());
        if (!found.violation) continue;
        ++failures;
        REQUIRE(repeated.violation->signature == found.violation->signature);
        REQUIRE(repeated.violation->step == found.violation->step);
        REQUIRE(repeated.violation->text == found.violation->text);
    }
    if (strategy == "random") CHECK(failures > 0);
}

TEST_CASE("narrating changes nothing", "[sim][determinism]") {
    const auto grain = GENERATE(tests::both_grains());
    sim::Execution quiet(tests::program_of<Medley>(true), {.grain = grain});
    sim::Execution talking(tests::program_of<Medley>(true), {.grain = grain, .narrate = true});
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        const auto first = make("random", seed);
        const auto second = make("random", seed);
        first->next_execution();
        second->next_execution();
        CHECK(quiet.run(*first).trace_hash == talking.run(*second).trace_hash);
    }
}

TEST_CASE("a schedule that does not fit is told", "[sim][determinism]") {
    const auto factory = tests::program_of<programs::RacyCounter>(2U, 2U);
    sim::Schedule schedule;
    SECTION("an index beyond the candidates") {
        schedule.departures = {{1, 7}};
    }
    SECTION("a departure after the end") {
        schedule.departures = {{1000, 1}};
    }
    CHECK(tests::run_once(factory, sim::Grain::Fine, sim::make_replay(schedule)).outcome ==
          sim::Outcome::Nondeterministic);
}

TEST_CASE("a program that depends on what was before is caught", "[sim][determinism]") {
    // A member of the program lives outside the arena and survives executions.
    class Forgetful final : public sim::Program {
      public:
        void prepare() override { counter_ = sim::make<sim::Atomic<std::uint64_t>>(); }
        void start() override {
            ++executions_;
            for (int i = 0; i < 3; ++i) {
                sim::current().spawn("task", [this, i] {
                    counter_->add_return(1);
                    if (executions_ % 2 == 0 && i == 0) return;
                    counter_->add_return(1);
                });
            }
        }
        std::uint64_t state_hash() override { return counter_->peek() + 1; }

      private:
        unsigned executions_ = 0;
        sim::Atomic<std::uint64_t>* counter_ = nullptr;
    };
    const auto report = explore_all(tests::program_of<Forgetful>(), sim::Grain::Fine);
    CHECK(report.end == sim::SearchEnd::Nondeterministic);
    CHECK_FALSE(report.whole_space);
}

TEST_CASE("what a search finds does not depend on the number of jobs",
          "[sim][determinism][explorer]") {
    const bool keep_going = GENERATE(true, false);
    const bool may_fail = GENERATE(true, false);
    const std::uint32_t bound = GENERATE(0U, 2U);
    CAPTURE(keep_going, may_fail, bound);
    sim::ExploreOptions options;
    options.max_deviations = bound;
    options.keep_going = keep_going;
    options.collect_final_states = keep_going || !may_fail;
    options.cache_entries = 0;
    const auto one = sim::explore(tests::program_of<Medley>(may_fail), options);
    CHECK(one.failures.empty() != may_fail);
    for (const unsigned jobs : {2U, 5U}) {
        options.jobs = jobs;
        check_equal(one, sim::explore(tests::program_of<Medley>(may_fail), options));
    }
}

TEST_CASE("with the cache of prefixes the verdict, the ends and the first failures do not depend "
          "on the number of jobs",
          "[sim][determinism][explorer]") {
    const bool keep_going = GENERATE(true, false);
    const bool may_fail = GENERATE(true, false);
    const std::uint32_t bound = GENERATE(0U, 2U);
    CAPTURE(keep_going, may_fail, bound);
    sim::ExploreOptions options;
    options.max_deviations = bound;
    options.keep_going = keep_going;
    options.collect_final_states = keep_going || !may_fail;
    const auto one = sim::explore(tests::program_of<Medley>(may_fail), options);
    options.cache_entries = 0;
    const auto plain = sim::explore(tests::program_of<Medley>(may_fail), options);
    const auto same = [](const sim::SearchReport& a, const sim::SearchReport& b) {
        CHECK(a.end == b.end);
        CHECK(a.bound == b.bound);
        CHECK(a.whole_space == b.whole_space);
        CHECK(a.final_states == b.final_states);
        REQUIRE(a.failures.size() == b.failures.size());
        for (std::size_t i = 0; i < a.failures.size(); ++i) {
            CHECK(a.failures[i].signature == b.failures[i].signature);
            CHECK(a.failures[i].result.schedule == b.failures[i].result.schedule);
            CHECK(a.failures[i].result.trace_hash == b.failures[i].result.trace_hash);
        }
    };
    same(one, plain);
    options.cache_entries = 1 << 12;
    for (const unsigned jobs : {2U, 5U}) {
        options.jobs = jobs;
        same(one, sim::explore(tests::program_of<Medley>(may_fail), options));
    }
}

TEST_CASE("what a search of a whole space finds does not depend on the number of jobs",
          "[sim][determinism][explorer]") {
    const auto factory = GENERATE(Catch::Generators::values<sim::ProgramFactory>(
        {tests::program_of<programs::AtomicCounter>(3U, 3U),
         tests::program_of<programs::RacyCounter>(2U, 3U)}));
    check_equal(explore_all(factory, sim::Grain::Fine),
                explore_all(factory, sim::Grain::Fine, sim::DfsStrategy::unbounded, 2));
    check_equal(explore_all(factory, sim::Grain::Fine, 3),
                explore_all(factory, sim::Grain::Fine, 3, 3));
}

TEST_CASE("what a hunt finds does not depend on the number of jobs", "[sim][determinism][hunter]") {
    const bool keep_going = GENERATE(true, false);
    const std::string strategy = GENERATE(from_range(all_strategies));
    CAPTURE(keep_going, strategy);
    sim::HuntOptions options;
    options.strategy = *sim::StrategySpec::parse(strategy);
    options.seed = 42;
    options.count = 300;
    options.keep_going = keep_going;
    auto one = sim::hunt(tests::program_of<Medley>(true), options);
    options.jobs = 2;
    auto two = sim::hunt(tests::program_of<Medley>(true), options);
    one.steps = two.steps = one.max_depth = two.max_depth = 0;  // runs past the last that counts
    check_equal(one, two);
}

/// The hash over the trace hashes of twenty seeds.
std::uint64_t fingerprint(const sim::ProgramFactory& factory, sim::Grain grain,
                          const std::string& strategy) {
    sim::Execution execution(factory, {.grain = grain});
    std::uint64_t hash = execution.prepared_hash();
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        const auto made = make(strategy, seed);
        made->next_execution();
        const sim::ExecutionResult& result = execution.run(*made);
        hash = sim::hash_mix(sim::hash_mix(hash, result.trace_hash), result.state_hash);
    }
    return hash;
}

struct Golden {
    const char* program;
    sim::Grain grain;
    const char* strategy;
    std::uint64_t hash;
};

sim::ProgramFactory golden_program(const std::string& name) {
    if (name == "medley") return tests::program_of<Medley>(true);
    if (name == "racy") return tests::program_of<programs::RacyCounter>(3U, 4U);
    return tests::program_of<programs::AtomicCounter>(2U, 10U);
}

// Written by the program: where a row differs, interleaf_sim_tests "[golden]" prints the whole
// table. Rows change when the meaning of a step, a name or a seed does; such a commit says why.
// Every compiler and optimisation level must give these.
constexpr Golden golden[] = {
#include "tests/sim/golden.inc"
};

TEST_CASE("hashes are the same in every build", "[sim][determinism][golden]") {
    std::string rows;
    bool all_equal = true;
    for (const Golden& row : golden) {
        const std::uint64_t hash =
            fingerprint(golden_program(row.program), row.grain, row.strategy);
        CAPTURE(row.program, row.grain, row.strategy);
        CHECK(hash == row.hash);
        all_equal = all_equal && hash == row.hash;
        char text[200];
        std::snprintf(text, sizeof text, "    {\"%s\", sim::Grain::%s, \"%s\", 0x%016llX},\n",
                      row.program, row.grain == sim::Grain::Fine ? "Fine" : "Coarse", row.strategy,
                      static_cast<unsigned long long>(hash));
        rows += text;
    }
    if (!all_equal) WARN("tests/sim/golden.inc would be\n" << rows);
}

}  // namespace

}  // namespace determinism_test
