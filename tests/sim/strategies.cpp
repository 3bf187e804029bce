#include "sim/strategies.h"

#include <cmath>
#include <map>

#include "bench/programs/counters.h"
#include "bench/programs/peterson.h"
#include "bench/programs/philosophers.h"
#include "sim/profile.h"
#include "tests/sim/support.h"

namespace strategies_test {

namespace {

using tests::program_of;

struct Word {
    sim::Atomic<std::uint64_t> a, b;
    std::uint64_t log = 0;
};
std::uint64_t log_of(const Word& word) {
    return word.log;
}

/// How many of the runs fail.
template <class MakeStrategy>
unsigned failures_in(const sim::ProgramFactory& factory, sim::Grain grain, unsigned runs,
                     MakeStrategy&& make) {
    sim::Execution execution(factory, {.grain = grain});
    unsigned failures = 0;
    for (unsigned seed = 0; seed < runs; ++seed) {
        const auto strategy = make(seed);
        strategy->next_execution();
        failures += execution.run(*strategy).failed() ? 1 : 0;
    }
    return failures;
}

std::shared_ptr<const sim::Profile> profile_of(const sim::ProgramFactory& factory,
                                               sim::Grain grain) {
    sim::Execution execution(factory, {.grain = grain});
    return std::make_shared<const sim::Profile>(sim::profile_of(execution));
}

TEST_CASE("strategies are named as they are written", "[sim][strategies]") {
    for (const char* text :
         {"first", "random", "walk", "pct:1", "pct:7", "pos", "timed", "portfolio"})
        CHECK(sim::StrategySpec::parse(text)->name() == text);
    CHECK(sim::StrategySpec::parse("pct")->depth == 3);
    for (const char* text : {"", "Random", "pct:", "pct:0", "pct:21", "pct:2x", "pct:-1", "dfs"})
        CHECK_FALSE(sim::StrategySpec::parse(text));
}

TEST_CASE("the default strategy runs one task after the other", "[sim][strategies]") {
    const auto sign = [](std::uint64_t name) {
        return [name](Word& word) {
            for (int i = 0; i < 2; ++i) {
                word.a.add_return(1);
                word.log = word.log * 10 + name;
            }
        };
    };
    const auto result = tests::run_once(tests::program<Word>(log_of, {sign(1), sign(2), sign(3)}),
                                        sim::Grain::Fine, sim::make_default());
    CHECK(result.state_hash == 112233 + 1);
    CHECK(result.schedule.departures.empty());
    CHECK(result.switches == 2);
}

TEST_CASE("random choices are uniform", "[sim][strategies]") {
    // Three tasks of one step: the six orders, each with probability 1/6 in 6,000 runs. Four
    // standard deviations are 4 sqrt(6000 * 5/36) = 115; six counts beyond that: fewer than four
    // failures in ten thousand seeds, and the seed is fixed.
    const auto sign = [](std::uint64_t name) {
        return [name](Word& word) {
            word.a.add_return(1);
            word.log = word.log * 10 + name;
        };
    };
    sim::Execution execution(tests::program<Word>(log_of, {sign(1), sign(2), sign(3)}),
                             {.grain = sim::Grain::Fine});
    std::map<std::uint64_t, int> seen;
    for (std::uint64_t seed = 0; seed < 6000; ++seed) {
        const auto strategy = sim::make_random(seed);
        strategy->next_execution();
        ++seen[execution.run(*strategy).state_hash];
    }
    REQUIRE(seen.size() == 6);
    for (const auto& [order, count] : seen)
        CHECK(std::abs(count - 1000) < 115);
}

TEST_CASE("a profile counts the steps of a task and of all that it causes", "[sim][strategies]") {
    const auto parent = [](Word& word) {
        Word* const shared = &word;
        word.a.add_return(1);
        sim::current().spawn("child", sim::Job([shared] {
                                 for (int i = 0; i < 3; ++i)
                                     shared->a.add_return(1);
                             }));
        word.a.add_return(1);
    };
    const auto other = [](Word& word) { word.b.add_return(1); };
    const auto profile =
        profile_of(tests::program<Word>(log_of, {parent, other}), sim::Grain::Fine);
    CHECK(profile->tasks == 3);
    CHECK(profile->steps == 7);  // making a task is a step too
    std::vector<std::uint32_t> below;
    for (const auto& [path, steps] : profile->steps_below)
        below.push_back(steps);
    CHECK(below == std::vector<std::uint32_t>{6, 3, 1});
}

TEST_CASE("every order is equally likely in a uniform random walk", "[sim][strategies][walk]") {
    // Tasks of unequal length, the third created by the first: 5!/(3! 2!) places of t2's steps, and
    // then the child's two after its creation. Four standard deviations of each count, as above.
    const auto sign = [](Word& word, std::uint64_t name) {
        word.a.add_return(1);
        word.log = word.log * 10 + name;
    };
    const auto factory =
        tests::program<Word>(log_of, {[=](Word& word) {
                                          Word* const shared = &word;
                                          sign(word, 1);
                                          sim::current().spawn("child", sim::Job([=] {
                                                                   sign(*shared, 3);
                                                                   sign(*shared, 3);
                                                               }));
                                      },
                                      [=](Word& word) {
                                          sign(word, 2);
                                          sign(word, 2);
                                      }});
    const auto profile = profile_of(factory, sim::Grain::Fine);
    sim::Execution execution(factory, {.grain = sim::Grain::Fine});
    std::map<std::vector<sim::Departure>, int,
             bool (*)(const std::vector<sim::Departure>&, const std::vector<sim::Departure>&)>
        seen([](const auto& a, const auto& b) {
            return std::lexicographical_compare(
                a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
                    return std::pair(x.ordinal, x.index) < std::pair(y.ordinal, y.index);
                });
        });
    constexpr int runs = 12'000;
    for (std::uint64_t seed = 0; seed < runs; ++seed) {
        const auto strategy = sim::make_walk(seed, profile);
        strategy->next_execution();
        ++seen[execution.run(*strategy).schedule.departures];
    }
    const auto all = tests::explore_all(factory, sim::Grain::Fine);
    REQUIRE(seen.size() == all.executions);
    const double expected = static_cast<double>(runs) / static_cast<double>(seen.size());
    for (const auto& [schedule, count] : seen)
        CHECK(std::abs(count - expected) < 4 * std::sqrt(expected));
}

TEST_CASE("a uniform random walk finds the deadlock of eight philosophers, PCT hardly does",
          "[sim][strategies][walk]") {
    // PCT of depth 3 meets it when the priorities fall in the order of the table: 9 times in
    // 100,000 (interleaf bench), so more than 3 times in 2,000 with probability 4e-5. The walk
    // meets it once in ten executions: fewer than 20 times in 2,000 with probability below 1e-60.
    using programs::Philosophers;
    const auto factory = program_of<Philosophers>(8U, Philosophers::Order::LeftFirst);
    const auto profile = profile_of(factory, sim::Grain::Fine);
    const unsigned found = failures_in(factory, sim::Grain::Fine, 2000, [&](unsigned seed) {
        return sim::make_walk(seed, profile);
    });
    CHECK(found >= 2000 / 100);
    CHECK(failures_in(factory, sim::Grain::Fine, 2000, [&](unsigned seed) {
              return sim::make_pct({seed, 3, profile->tasks, profile->steps});
          }) <= 3);
}

TEST_CASE("the members of a portfolio take turns", "[sim][strategies]") {
    const auto spec = *sim::StrategySpec::parse("portfolio");
    std::vector<std::string> names;
    for (std::uint64_t run = 0; run < 8; ++run)
        names.push_back(spec.of_run(run).name());
    CHECK(names == std::vector<std::string>{"random", "walk", "pos", "pct:3", "random", "walk",
                                            "pos", "pct:3"});
    CHECK(sim::StrategySpec::parse("pct:5")->of_run(3).name() == "pct:5");
}

/// A bug of depth 2: t2's operation must come between two of t1's, which stand somewhere in
/// `before` + `after` others.
sim::ProgramFactory depth_two(unsigned before, unsigned after) {
    const auto victim = [=](Word& word) {
        for (unsigned i = 0; i < before; ++i)
            word.b.add_return(1);
        word.a.store(1);
        word.a.store(0);
        for (unsigned i = 0; i < after; ++i)
            word.b.add_return(1);
    };
    const auto intruder = [](Word& word) {
        if (word.a.load() == 1) sim::violation("between", "the window was open");
    };
    return tests::program<Word>(log_of, {victim, intruder});
}

TEST_CASE("PCT finds a bug of depth 2 at least as often as it guarantees",
          "[sim][strategies][pct]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto [before, after] =
        GENERATE(table<unsigned, unsigned>({{0, 0}, {3, 3}, {20, 5}, {5, 20}}));
    CAPTURE(before, after);
    const auto factory = depth_two(before, after);
    const std::uint32_t steps = tests::run_once(factory, grain, sim::make_default()).steps;
    const sim::PctOptions options{.depth = 2, .tasks = 2, .steps = steps};
    const double guaranteed = sim::pct_guarantee(options);
    CHECK(guaranteed == 1.0 / (2.0 * steps));
    constexpr unsigned runs = 4000;
    const unsigned found = failures_in(factory, grain, runs, [&](unsigned seed) {
        sim::PctOptions seeded = options;
        seeded.seed = seed;
        return sim::make_pct(seeded);
    });
    // The expected number is at least runs * guaranteed (66 and more). Below it by four standard
    // deviations: 3 in 100,000 if the guarantee were tight; the seeds are fixed.
    const double expected = runs * guaranteed;
    CHECK(found >= expected - 4 * std::sqrt(expected));
}

TEST_CASE("PCT of depth 1 takes every order of the tasks' priorities", "[sim][strategies][pct]") {
    // No change points: each task runs to its end, in one of six orders. The chance that 300 runs
    // miss one is 6 (5/6)^300 < 1e-22.
    const auto sign = [](std::uint64_t name) {
        return [name](Word& word) {
            for (int i = 0; i < 3; ++i)
                word.a.add_return(1);
            word.log = word.log * 10 + name;
        };
    };
    sim::Execution execution(tests::program<Word>(log_of, {sign(1), sign(2), sign(3)}),
                             {.grain = sim::Grain::Fine});
    std::set<std::uint64_t> seen;
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
        const auto strategy = sim::make_pct({.seed = seed, .depth = 1, .tasks = 3, .steps = 9});
        strategy->next_execution();
        const sim::ExecutionResult& result = execution.run(*strategy);
        CHECK(result.switches == 2);
        seen.insert(result.state_hash);
    }
    CHECK(seen.size() == 6);
}

TEST_CASE("PCT of depth d changes priorities at most d - 1 times", "[sim][strategies][pct]") {
    const auto factory = program_of<programs::AtomicCounter>(3U, 10U);
    sim::Execution execution(factory, {.grain = sim::Grain::Fine});
    for (const unsigned depth : {1U, 2U, 3U, 5U}) {
        for (std::uint64_t seed = 0; seed < 100; ++seed) {
            const auto strategy =
                sim::make_pct({.seed = seed, .depth = depth, .tasks = 3, .steps = 30});
            strategy->next_execution();
            CHECK(execution.run(*strategy).switches <= 2 + (depth - 1));
        }
    }
}

TEST_CASE("the sampling strategies find simple races", "[sim][strategies]") {
    // The window is open for one of 2 to 4 possible places; the chance that 500 runs all miss it is
    // below (4/5)^500.
    const auto grain = GENERATE(tests::both_grains());
    const auto factory = depth_two(1, 1);
    CHECK(failures_in(factory, grain, 500, [](unsigned seed) { return sim::make_random(seed); }) >
          0);
    CHECK(failures_in(factory, grain, 500, [](unsigned seed) { return sim::make_pos(seed); }) > 0);
    const auto peterson = program_of<programs::Peterson>(2U, programs::Peterson::Order::TurnFirst);
    CHECK(failures_in(peterson, grain, 500, [](unsigned seed) { return sim::make_random(seed); }) >
          0);
    CHECK(failures_in(peterson, grain, 500, [](unsigned seed) { return sim::make_pos(seed); }) > 0);
    CHECK(failures_in(peterson, grain, 500, [](unsigned seed) {
              return sim::make_pct({seed, 3, 2, 16});
          }) > 0);
}

TEST_CASE("a correct program fails under no strategy", "[sim][strategies]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto factory =
        program_of<programs::Peterson>(2U, programs::Peterson::Order::InterestFirst);
    const auto profile = profile_of(factory, grain);
    for (const char* name : {"random", "walk", "pct:2", "pct:3", "pos", "timed"}) {
        const auto spec = *sim::StrategySpec::parse(name);
        CHECK(failures_in(factory, grain, 300, [&](unsigned seed) {
                  return sim::make_strategy(spec, seed, profile);
              }) == 0);
    }
}

TEST_CASE(
    "partial order sampling sees the rare orders of long tasks more often than uniform choice",
    "[sim][strategies]") {
    // t2's single racing step must come before all of t1's ten: uniform choice needs ten coins in a
    // row for it.
    const auto factory =
        tests::program<Word>(log_of, {[](Word& word) {
                                          for (int i = 0; i < 10; ++i)
                                              word.b.add_return(1);
                                          word.a.store(1);
                                      },
                                      [](Word& word) {
                                          for (int i = 0; i < 10; ++i)
                                              word.log += 1;
                                          if (word.a.load() == 1)
                                              sim::violation("late", "the store came first");
                                      }});
    constexpr unsigned runs = 2000;
    const unsigned random = failures_in(factory, sim::Grain::Fine, runs,
                                        [](unsigned seed) { return sim::make_random(seed); });
    const unsigned pos = failures_in(factory, sim::Grain::Fine, runs,
                                     [](unsigned seed) { return sim::make_pos(seed); });
    CHECK(pos > 2 * random);
}

TEST_CASE("the timed strategy lets the faster device finish first", "[sim][strategies][timed]") {
    const auto submitter = [](Word& word) {
        Word* const shared = &word;
        sim::current().spawn_completion("slow", 0, 10'000'000,
                                        [shared] { shared->log = shared->log * 10 + 1; });
        sim::current().spawn_completion("fast", 1, 10'000,
                                        [shared] { shared->log = shared->log * 10 + 2; });
    };
    const auto factory = tests::program<Word>(log_of, {submitter});
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        CHECK(tests::run_once(factory, sim::Grain::Coarse, sim::make_timed(seed)).state_hash ==
              21 + 1);
    }
    CHECK(tests::run_once(factory, sim::Grain::Coarse, sim::make_default()).state_hash == 12 + 1);
}

TEST_CASE("under the timed strategy the clock advances with work and waiting, and never goes back",
          "[sim][strategies][timed]") {
    struct Times {
        sim::Atomic<std::uint64_t> word;
        sim::Vector<std::uint64_t> seen;
    };
    const auto worker = [](Times& times) {
        Times* const shared = &times;
        for (int i = 0; i < 3; ++i) {
            times.word.add_return(1);
            times.seen.push_back(sim::current().now_ns());
        }
        sim::current().spawn_completion(
            "request", 0, 1'000'000, [shared] { shared->seen.push_back(sim::current().now_ns()); });
    };
    const auto digest = [](const Times& times) {
        if (times.seen.size() != 4) return std::uint64_t{0};
        const bool sorted = std::is_sorted(times.seen.begin(), times.seen.end());
        const bool waited = times.seen[3] - times.seen[2] >=
                            500'000;  // latencies vary between half and one and a half
        return std::uint64_t{1} + (sorted ? 1 : 0) + (waited ? 1 : 0);
    };
    for (std::uint64_t seed = 0; seed < 20; ++seed)
        CHECK(tests::run_once(tests::program<Times>(digest, {worker, worker}), sim::Grain::Coarse,
                              sim::make_timed(seed))
                  .state_hash == 1);
    for (std::uint64_t seed = 0; seed < 20; ++seed)
        CHECK(tests::run_once(tests::program<Times>(digest, {worker}), sim::Grain::Coarse,
                              sim::make_timed(seed))
                  .state_hash == 3 + 1);
}

TEST_CASE("tasks on different CPUs overlap in time, tasks on one do not",
          "[sim][strategies][timed]") {
    struct Times {
        sim::Atomic<std::uint64_t> word;
        std::uint64_t last = 0;
    };
    class Cpus final : public sim::Program {
      public:
        explicit Cpus(bool same) : same_(same) {}
        void prepare() override { times_ = sim::make<Times>(); }
        void start() override {
            for (std::uint8_t i = 0; i < 2; ++i) {
                sim::Task& task = sim::current().spawn("worker", [this] {
                    for (int k = 0; k < 200; ++k)
                        times_->word.add_return(1);
                    times_->last = sim::current().now_ns();
                });
                task.cpu = same_ ? 0 : i;
            }
        }
        std::uint64_t state_hash() override { return times_->last; }

      private:
        bool same_;
        Times* times_ = nullptr;
    };
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
        const auto together =
            tests::run_once(program_of<Cpus>(true), sim::Grain::Fine, sim::make_timed(seed));
        const auto apart =
            tests::run_once(program_of<Cpus>(false), sim::Grain::Fine, sim::make_timed(seed));
        // 400 steps of 200 to 1,000 ns each, one after the other or two at a time
        CHECK(together.state_hash > std::uint64_t{400} * 400);
        CHECK(apart.state_hash < together.state_hash * 3 / 4);
    }
}

TEST_CASE("run i of a hunt depends on the seed and i only", "[sim][strategies][hunter]") {
    const auto factory = program_of<programs::Peterson>(2U, programs::Peterson::Order::TurnFirst);
    sim::HuntOptions options;
    options.execution.grain = sim::Grain::Fine;
    options.seed = 77;
    options.count = 400;
    options.keep_going = true;
    const std::string strategy = GENERATE("random", "walk", "pct:3", "pos", "portfolio");
    options.strategy = *sim::StrategySpec::parse(strategy);
    const auto all = sim::hunt(factory, options);
    REQUIRE(all.failures.size() == 1);
    const std::uint64_t first = all.failures[0].first_run;

    // The run alone, a part that begins later, and a part that ends before.
    options.first = first;
    options.count = 1;
    const auto alone = sim::hunt(factory, options);
    REQUIRE(alone.failures.size() == 1);
    CHECK(alone.failures[0].first_run == first);
    CHECK(alone.failures[0].result.trace_hash == all.failures[0].result.trace_hash);
    CHECK(alone.failures[0].result.schedule == all.failures[0].result.schedule);
    if (first > 0) {
        options.first = 0;
        options.count = first;
        CHECK(sim::hunt(factory, options).failures.empty());
    }
    options.first = first + 1;
    options.count = 400 - first - 1;
    const auto rest = sim::hunt(factory, options);
    CHECK((rest.failures.empty() ? 0 : rest.failures[0].count) == all.failures[0].count - 1);
    CHECK(rest.executions == options.count);
}

TEST_CASE("a hunt for what is new ends when nothing new has come for that long",
          "[sim][strategies][hunter]") {
    // A signature for each task that can be the first.
    struct Order {
        sim::Atomic<std::uint64_t> next;
    };
    const auto take = [](std::uint64_t who) {
        return [who](Order& order) {
            if (order.next.add_return(1) != 1) return;
            sim::current().violation("first/" + std::to_string(who), "");
        };
    };
    const auto factory =
        tests::program<Order>([](const Order&) { return 0; }, {take(1), take(2), take(3)});
    sim::HuntOptions options;
    options.count = ~std::uint64_t{0};
    options.keep_going = true;
    options.jobs = GENERATE(1U, 2U);
    options.limits.until_new = std::chrono::milliseconds(60);
    const auto began = std::chrono::steady_clock::now();
    const auto report = sim::hunt(factory, options);
    CHECK(std::chrono::steady_clock::now() - began >= *options.limits.until_new);
    CHECK(report.end == sim::SearchEnd::NothingNew);
    CHECK(tests::signatures(report) == std::vector<std::string>{"first/1", "first/2", "first/3"});
    // The clock decided when to stop, and nothing else.
    options.limits.until_new.reset();
    options.count = report.executions;
    options.jobs = 1;
    auto same = sim::hunt(factory, options);
    CHECK(same.end == sim::SearchEnd::Found);
    same.end = report.end;
    tests::check_equal(report, same);
}

TEST_CASE("a hunt stops at its first failure, unless it is to keep going",
          "[sim][strategies][hunter]") {
    const auto factory = program_of<programs::Peterson>(2U, programs::Peterson::Order::TurnFirst);
    sim::HuntOptions options;
    options.execution.grain = sim::Grain::Fine;
    options.count = 1000;
    const auto report = sim::hunt(factory, options);
    REQUIRE(report.end == sim::SearchEnd::Found);
    CHECK(report.failures[0].count == 1);
    CHECK(report.executions == report.failures[0].first_run + 1);
    options.keep_going = true;
    const auto all = sim::hunt(factory, options);
    CHECK(all.executions == 1000);
    CHECK(all.failures[0].first_run == report.failures[0].first_run);
    CHECK(all.failures[0].count > 1);
}

/// Two bugs: one in most orders, and one in a few.
sim::ProgramFactory two_bugs() {
    const auto victim = [](Word& word) {
        for (int i = 0; i < 4; ++i)
            word.a.add_return(1);
    };
    const auto intruder = [](Word& word) {
        const std::uint64_t seen = word.a.load();
        if (seen == 4) sim::violation("rare", "the other task had ended");
        if (seen != 0) sim::violation("common", "the other task had begun");
    };
    return tests::program<Word>(log_of, {victim, intruder});
}

TEST_CASE("a hunt does not stop at a failure that is known", "[sim][strategies][hunter]") {
    sim::HuntOptions options;
    options.execution.grain = sim::Grain::Fine;
    options.count = 2000;
    options.jobs = GENERATE(1U, 2U);
    const auto first = sim::hunt(two_bugs(), options);
    REQUIRE(first.failures.size() == 1);
    REQUIRE(first.failures[0].signature == "common");
    options.known = {"common"};
    const auto second = sim::hunt(two_bugs(), options);
    REQUIRE(second.failures.size() == 1);
    CHECK(second.failures[0].signature == "rare");
    CHECK(second.end == sim::SearchEnd::Found);
    CHECK(second.executions == second.failures[0].first_run + 1);
    CHECK(second.executions > first.executions);
    // With nothing new all of them run, and what is known is counted.
    options.known = {"common", "rare"};
    const auto third = sim::hunt(two_bugs(), options);
    CHECK(third.executions == 2000);
    CHECK(third.end == sim::SearchEnd::Complete);
    CHECK(third.failures.size() == 2);
}

TEST_CASE("failures can be listed by trace", "[sim][strategies][hunter]") {
    sim::HuntOptions options;
    options.execution.grain = sim::Grain::Fine;
    options.count = 2000;
    options.keep_going = true;
    CHECK(sim::hunt(two_bugs(), options).failures.size() == 2);
    options.each_execution = true;
    // The intruder's step after one, two, three or four of the victim's; each of them, surely: the
    // least likely has probability 1/16.
    const auto all = sim::hunt(two_bugs(), options);
    CHECK(all.failures.size() == 4);
    CHECK(all.max_steps == 5);
    CHECK(all.max_tasks == 2);
}

TEST_CASE("seeds of runs differ between runs and between seeds", "[sim][strategies][hunter]") {
    std::set<std::uint64_t> seeds;
    for (std::uint64_t seed = 0; seed < 100; ++seed)
        for (std::uint64_t run = 0; run < 1000; ++run)
            seeds.insert(sim::seed_of_run(seed, run));
    CHECK(seeds.size() == 100'000);
}

TEST_CASE("a delay in a function is virtual time that whoever enters it loses",
          "[sim][strategies]") {
    const auto factory = tests::program<Word>(log_of, {[](Word& word) {
                                                  const sim::Scope scope("slow_function");
                                                  word.a.add_return(1);
                                                  word.a.add_return(1);
                                              }});
    const auto time_with = [&](const char* function, std::uint64_t ns) {
        sim::ExecutionOptions options;
        options.delay = {.function = function, .ns = ns};
        sim::Execution execution(factory, options);
        const auto timed = sim::make_timed(1);
        timed->next_execution();
        execution.run(*timed);
        return execution.scheduler().time_ns;
    };
    const std::uint64_t usual = time_with("slow_function", 0);
    CHECK(time_with("slow_function", 1'000'000) == usual + 1'000'000);
    CHECK(time_with("other_function", 1'000'000) == usual);
}

TEST_CASE("a busy machine begins tasks at different times", "[sim][strategies]") {
    const auto factory = tests::program<Word>(log_of, {[](Word& word) { word.a.add_return(1); }});
    sim::Execution execution(factory, {});
    std::set<std::uint64_t> ends;
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        const auto timed = sim::make_timed(seed, {.start_within_ns = 1'000'000});
        timed->next_execution();
        execution.run(*timed);
        ends.insert(execution.scheduler().time_ns / 10'000);
    }
    CHECK(ends.size() > 5);
}

}  // namespace

}  // namespace strategies_test
