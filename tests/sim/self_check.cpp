#include "sim/self_check.h"

#include "tests/sim/random_program.h"

namespace self_check_test {

namespace {

/// One worker's executions of a program, all of them checked.
struct Checked {
    Checked(const sim::ProgramFactory& factory, sim::Grain grain) {
        sim::Execution execution(factory, {.grain = grain});
        sim::SelfCheck check(factory, {.grain = grain});
        sim::DfsStrategy strategy(sim::DfsStrategy::unbounded);
        strategy.begin({});
        while (!found && strategy.next_execution())
            found = check.check(execution.run(strategy));
    }
    std::optional<sim::Undeclared> found;
};

struct Desk {
    tests::Data declared;
    sim::Atomic<std::uint64_t> flag;
    sim::Mutex mutex{tests::class_a};
    std::uint64_t hidden = 0, seen = 0;
};

struct Words {
    std::array<sim::Atomic<std::uint64_t>, 2> at;
};

sim::SearchReport explore_checked(const sim::ProgramFactory& factory,
                                  sim::ExploreOptions options = {}) {
    options.max_deviations = sim::DfsStrategy::unbounded;
    options.self_check.rate = 1;
    return sim::explore(factory, options);
}

}  // namespace

TEST_CASE("A shared variable that is not declared is found by its effect on what follows",
          "[sim][self-check]") {
    const auto grain = GENERATE(tests::both_grains());
    // Each task ends its step in an access that the other does not touch, so that the two
    // assignments are parts of steps that commute as far as anybody knows.
    const auto factory =
        tests::program<Desk>([](const Desk& desk) { return desk.hidden; }, {[](Desk& desk) {
                                                                                desk.mutex.lock();
                                                                                desk.hidden = 1;
                                                                                desk.mutex.unlock();
                                                                            },
                                                                            [](Desk& desk) {
                                                                                desk.flag.store(1);
                                                                                desk.hidden = 2;
                                                                            }});
    const Checked checked(factory, grain);
    REQUIRE(checked.found);
    CHECK(checked.found->first.find("t1: ") != std::string::npos);
    CHECK(checked.found->second.find("t2: ") != std::string::npos);
    CHECK(checked.found->difference == "the state at the end is another one");

    SECTION("both schedules repeat what was found") {
        const auto again = [&](const sim::ExecutionResult& result) {
            return tests::run_once(factory, grain, sim::make_replay(result.schedule));
        };
        CHECK(again(checked.found->usual).trace_hash == checked.found->usual.trace_hash);
        CHECK(again(checked.found->swapped).trace_hash == checked.found->swapped.trace_hash);
        CHECK(again(checked.found->usual).state_hash != again(checked.found->swapped).state_hash);
    }
}

TEST_CASE("A step that touches something else in the other order is named", "[sim][self-check]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto factory = tests::program<Desk>([](const Desk& desk) { return desk.declared.peek(); },
                                              {[](Desk& desk) {
                                                   desk.mutex.lock();
                                                   desk.hidden = 1;
                                                   desk.mutex.unlock();
                                               },
                                               [](Desk& desk) {
                                                   desk.flag.store(1);
                                                   const bool was_set = desk.hidden != 0;
                                                   sim::current().yield();
                                                   if (was_set) desk.declared.set(1);
                                               }});
    const Checked checked(factory, grain);
    REQUIRE(checked.found);
    const std::string& text = checked.found->difference;
    INFO(text);
    // The fine grain ends a step before what it is about to touch; the coarse one after it.
    CHECK((text.find("no longer writes data 0") != std::string::npos ||
           text.find("also writes data 0") != std::string::npos ||
           text.find("is not possible") != std::string::npos ||
           text.find("goes on with") != std::string::npos ||
           text.find("ends before") != std::string::npos));
    CHECK(checked.found->usual.trace_hash != checked.found->swapped.trace_hash);
}

void check_random_programs(std::uint64_t programs) {
    const auto grain = GENERATE(tests::both_grains());
    std::uint64_t pairs = 0;
    for (std::uint64_t seed = 1; seed <= programs; ++seed) {
        const tests::Code code = tests::mixed_code(seed);
        const auto factory = [&] { return std::make_unique<tests::RandomProgram>(code); };
        sim::Execution execution(factory, {.grain = grain});
        sim::SelfCheck check(factory, {.grain = grain});
        for (std::uint64_t run = 0; run < 5; ++run) {
            const auto strategy = sim::make_random(sim::seed_of_run(seed, run));
            strategy->next_execution();
            const auto found = check.check(execution.run(*strategy));
            INFO("seed " << seed << "\n" << tests::describe(code));
            if (found) FAIL(found->text());
        }
        pairs += check.pairs();
    }
    CHECK(pairs > 10 * programs);
}

TEST_CASE("What is declared makes no difference in random programs", "[sim][self-check]") {
    check_random_programs(300);
}

TEST_CASE("What is declared makes no difference in thousands of random programs",
          "[sim][self-check][slow]") {
    check_random_programs(3000);
}

TEST_CASE("Every search ends where its self-check finds an undeclared access",
          "[sim][self-check]") {
    const auto factory =
        tests::program<Desk>([](const Desk& desk) { return desk.hidden; }, {[](Desk& desk) {
                                                                                desk.flag.store(1);
                                                                                desk.hidden = 1;
                                                                            },
                                                                            [](Desk& desk) {
                                                                                desk.mutex.lock();
                                                                                desk.hidden = 2;
                                                                                desk.mutex.unlock();
                                                                            }});
    sim::ExploreOptions options;
    options.jobs = 3;
    SECTION("plain") {}
    SECTION("with a cache") {
        options.cache_entries = 1024;
    }
    SECTION("with sleep sets") {
        options.reduction = sim::Reduction::Sleep;
    }
    SECTION("with the reduction") {
        options.reduction = sim::Reduction::Dpor;
    }
    SECTION("that goes on after failures") {
        options.keep_going = true;
    }
    const sim::SearchReport report = explore_checked(factory, options);
    CHECK(report.end == sim::SearchEnd::Nondeterministic);
    REQUIRE(report.undeclared);
    CHECK(report.undeclared->difference == "the state at the end is another one");
    CHECK(report.undeclared->text().find("taken for independent") != std::string::npos);
}

TEST_CASE("A step that a reversal moved touches what it did where it was found",
          "[sim][self-check][dpor]") {
    struct Shared {
        sim::Atomic<std::uint64_t> flag, other;
        std::array<sim::Atomic<std::uint64_t>, 2> words;
        std::uint64_t hidden = 0;
    };
    const auto factory =
        tests::program<Shared>([](const Shared& shared) { return shared.flag.peek(); },
                               {[](Shared& shared) {
                                    shared.flag.store(1);
                                    shared.hidden = 1;
                                },
                                [](Shared& shared) {
                                    shared.other.store(1);
                                    shared.words[shared.hidden].store(1);
                                    shared.flag.load();
                                }});
    sim::ExploreOptions options;
    options.reduction = sim::Reduction::Dpor;
    options.max_deviations = sim::DfsStrategy::unbounded;
    const sim::SearchReport report = sim::explore(factory, options);
    CHECK(report.end == sim::SearchEnd::Nondeterministic);
    CHECK(report.error.find("by t2, comes after the same steps") != std::string::npos);

    SECTION("and a self-check names both orders") {
        const sim::SearchReport checked = explore_checked(factory, options);
        CHECK(checked.end == sim::SearchEnd::Nondeterministic);
        REQUIRE(checked.undeclared);
        CHECK_FALSE(checked.undeclared->first.empty());
    }
}

TEST_CASE("A search says how many pairs made no difference", "[sim][self-check]") {
    const auto store = [](unsigned which) {
        return [which](Words& words) { words.at[which].store(1); };
    };
    const auto factory = tests::program<Words>(
        [](const Words& words) { return words.at[0].peek() + words.at[1].peek(); },
        {store(0), store(1)});
    sim::ExploreOptions options;
    SECTION("two executions with one pair each") {
        const sim::SearchReport report = explore_checked(factory, options);
        CHECK(report.end == sim::SearchEnd::Complete);
        CHECK(report.executions == 2);
        CHECK(report.pairs_checked == 2);
    }
    SECTION("one class with one pair") {
        options.reduction = sim::Reduction::Dpor;
        const sim::SearchReport report = explore_checked(factory, options);
        CHECK(report.executions == 1);
        CHECK(report.pairs_checked == 1);
    }
    SECTION("none unless asked for") {
        CHECK(sim::explore(factory, options).pairs_checked == 0);
    }
}

TEST_CASE("An execution that another simulation does not repeat is found", "[sim][self-check]") {
    struct Counting final : sim::Program {
        explicit Counting(std::uint64_t number) : number_(number) {}
        void prepare() override { flag_ = sim::make<sim::Atomic<std::uint64_t>>(); }
        void start() override {
            sim::current().spawn("t1", [this] {
                for (std::uint64_t i = 0; i < number_; ++i)
                    flag_->store(1);
            });
        }
        std::uint64_t state_hash() override { return 1; }
        std::uint64_t number_;
        sim::Atomic<std::uint64_t>* flag_ = nullptr;
    };
    std::uint64_t made = 0;
    const sim::SearchReport report =
        explore_checked([&] { return std::make_unique<Counting>(++made); });
    CHECK(report.end == sim::SearchEnd::Nondeterministic);
    REQUIRE(report.undeclared);
    CHECK(report.undeclared->first.empty());
    CHECK(report.undeclared->text().find("another simulation") != std::string::npos);
}

namespace {

/// `x=1;x=0` beside `y=1;y=0`, and the invariant "not both 1" (soundness, 1).
class NeverBoth final : public sim::Program {
  public:
    void prepare() override {
        words_ = sim::make<Words>();
        const auto check = [](void* context, sim::Object& /*changed*/) {
            const Words& words = *static_cast<Words*>(context);
            if (words.at[0].peek() == 1 && words.at[1].peek() == 1)
                sim::violation("both", "both words are 1");
        };
        sim::current().watch(sim::primitive::atomic, check, words_);
    }
    void start() override {
        for (unsigned i = 0; i < 2; ++i)
            sim::current().spawn("task", [this, i] {
                words_->at[i].store(1);
                words_->at[i].store(0);
            });
    }
    std::uint64_t state_hash() override { return 1; }

  private:
    Words* words_ = nullptr;
};

}  // namespace

TEST_CASE("A promise broken between two swapped steps is a failure, and no undeclared access",
          "[sim][self-check]") {
    sim::ExploreOptions options;
    options.reduction = sim::Reduction::Dpor;
    options.max_deviations = sim::DfsStrategy::unbounded;
    const auto factory = tests::program_of<NeverBoth>();
    REQUIRE(sim::explore(factory, options).failures.empty());  // one class, one execution
    const sim::SearchReport report = explore_checked(factory, options);
    CHECK(report.end == sim::SearchEnd::Found);
    if (report.undeclared) FAIL(report.undeclared->text());
    REQUIRE(report.failures.size() == 1);
    CHECK(report.failures[0].signature == "both");
    const auto again = tests::run_once(factory, sim::Grain::Coarse,
                                       sim::make_replay(report.failures[0].result.schedule));
    CHECK(again.failed());
    CHECK(again.trace_hash == report.failures[0].result.trace_hash);
}

TEST_CASE("Which executions are checked is a matter of their schedules", "[sim][self-check]") {
    std::uint64_t taken = 0;
    for (std::uint32_t i = 0; i < 10'000; ++i) {
        const sim::Schedule schedule{{{i % 100, static_cast<std::uint16_t>(1 + i / 100)}}};
        CHECK(sim::in_sample(schedule, 1));
        CHECK_FALSE(sim::in_sample(schedule, 0));
        if (sim::in_sample(schedule, 0.25)) CHECK(sim::in_sample(schedule, 0.5));
        taken += sim::in_sample(schedule, 0.25) ? 1 : 0;
    }
    CHECK(taken > 2000);
    CHECK(taken < 3000);
}

}  // namespace self_check_test
