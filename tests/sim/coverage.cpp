#include "sim/coverage.h"

#include "bench/programs/counters.h"
#include "bench/programs/philosophers.h"
#include "tests/sim/support.h"

namespace coverage_test {

namespace {

using tests::program_of;

struct Word {
    sim::Atomic<std::uint64_t> a;
    std::uint64_t log = 0;
};
std::uint64_t log_of(const Word& word) {
    return word.log;
}

/// What a search without a bound comes by.
std::shared_ptr<sim::Coverage> explored(const sim::ProgramFactory& factory, sim::Grain grain,
                                        sim::Reduction reduction, unsigned jobs = 1) {
    const auto coverage = std::make_shared<sim::Coverage>();
    sim::ExploreOptions options;
    options.execution = {.grain = grain, .observer = sim::Coverage::observer(coverage)};
    options.max_deviations = sim::DfsStrategy::unbounded;
    options.keep_going = true;
    options.reduction = reduction;
    options.jobs = jobs;
    sim::explore(factory, options);
    return coverage;
}

std::vector<std::string> texts(const sim::Coverage& coverage) {
    std::vector<std::string> lines;
    for (const auto& [steps, pair] : coverage.pairs())
        lines.push_back(steps.first.task + " " + steps.first.object + ", " + steps.second.task +
                        " " + steps.second.object + (pair.both() ? "" : ", one order"));
    return lines;
}

TEST_CASE("a full search sees every conflict in both orders", "[sim][coverage]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto reduction = GENERATE(sim::Reduction::None, sim::Reduction::Dpor);
    const auto coverage = explored(program_of<programs::AtomicCounter>(3U, 2U), grain, reduction);
    CHECK(texts(*coverage) == std::vector<std::string>{"task atomic, task#2 atomic",
                                                       "task atomic, task#3 atomic",
                                                       "task#2 atomic, task#3 atomic"});
}

TEST_CASE("one execution sees its conflicts in one order", "[sim][coverage]") {
    const auto add = [](Word& word) { word.a.add_return(1); };
    const auto coverage = std::make_shared<sim::Coverage>();
    {
        sim::Execution execution(
            tests::program<Word>(log_of, {add, add}),
            {.grain = sim::Grain::Fine, .observer = sim::Coverage::observer(coverage)});
        const auto usual = sim::make_default();
        usual->next_execution();
        execution.run(*usual);
        execution.set_observed(false);
        execution.run(*sim::make_default());
        CHECK(coverage->executions() == 0);  // given when the worker goes
    }
    CHECK(coverage->executions() == 1);
    CHECK(texts(*coverage) == std::vector<std::string>{"t1 atomic, t2 atomic, one order"});
    CHECK(coverage->pairs().begin()->second.in_order == 1);
}

TEST_CASE("what the creation of a task orders is no pair", "[sim][coverage]") {
    const auto parent = [](Word& word) {
        Word* const shared = &word;
        word.a.add_return(1);
        sim::current().spawn("child", sim::Job([shared] { shared->a.add_return(1); }));
    };
    const auto grain = GENERATE(tests::both_grains());
    const auto coverage =
        explored(tests::program<Word>(log_of, {parent}), grain, sim::Reduction::None);
    CHECK(coverage->executions() > 0);
    CHECK(coverage->pairs().empty());
}

TEST_CASE("the race of two critical sections is that of their locks", "[sim][coverage]") {
    using programs::Philosophers;
    const auto coverage = explored(program_of<Philosophers>(3U, Philosophers::Order::LowerFirst),
                                   sim::Grain::Fine, sim::Reduction::Dpor);
    for (const auto& [steps, pair] : coverage->pairs()) {
        CHECK(steps.first.object == "fork");  // the class of the lock, not what kind of lock it is
        CHECK(steps.first.access == sim::AccessKind::Acquire);
        CHECK(pair.both());
    }
    CHECK(coverage->pairs().size() == 3);
}

TEST_CASE("coverage does not depend on the number of workers", "[sim][coverage]") {
    const auto factory = program_of<programs::RacyCounter>(3U, 2U);
    const auto one = explored(factory, sim::Grain::Fine, sim::Reduction::None, 1);
    const auto two = explored(factory, sim::Grain::Fine, sim::Reduction::None, 2);
    REQUIRE(one->executions() == two->executions());
    REQUIRE(one->pairs().size() == two->pairs().size());
    auto other = two->pairs().begin();
    for (const auto& [steps, pair] : one->pairs()) {
        CHECK(steps == other->first);
        CHECK(pair.in_order == other->second.in_order);
        CHECK(pair.reversed == other->second.reversed);
        ++other;
    }
}

TEST_CASE("races are counted by the kind of object that they are over", "[sim][coverage]") {
    struct Words {
        sim::Atomic<std::uint64_t> a;
        sim::Tracked<std::uint64_t> flag{tests::lockless_data};
    };
    const auto digest = [](const Words& words) { return words.flag.peek(); };
    const auto both = [](Words& words) {
        words.a.add_return(1);
        words.flag.set(1);
    };
    const auto one = [](Words& words) { words.a.add_return(1); };
    const auto jobs = GENERATE(1U, 2U, 3U);
    // Each of the 6 orders has one race over either kind: none orders the other.
    const auto two = explored(tests::program<Words>(digest, {both, both}), sim::Grain::Fine,
                              sim::Reduction::None, jobs);
    CHECK(two->executions() == 6);
    CHECK(two->races() == 12);
    CHECK(two->races_by_object() ==
          std::map<std::string, std::uint64_t>{{"atomic", 6}, {"flag", 6}});
    // A third task that touches the atomic only: it has no race over the flag.
    const auto three = explored(tests::program<Words>(digest, {both, both, one}), sim::Grain::Fine,
                                sim::Reduction::Dpor, jobs);
    const auto& races = three->races_by_object();
    CHECK(races.at("atomic") > races.at("flag"));
    CHECK(races.at("flag") == three->executions());
    CHECK(races.at("atomic") + races.at("flag") == three->races());
}

TEST_CASE("a task is called by what it is, not by when it was created", "[sim][coverage]") {
    // The parent's first creation is one kind of task or the other, as the order has it.
    const auto parent = [](Word& word) {
        Word* const shared = &word;
        const auto child = sim::Job([shared] { shared->a.add_return(1); });
        const bool first = word.a.add_return(1) == 1;
        sim::current().spawn(first ? "one" : "two", child);
    };
    const auto other = [](Word& word) { word.a.add_return(1); };
    const auto coverage = explored(tests::program<Word>(log_of, {parent, other}), sim::Grain::Fine,
                                   sim::Reduction::None);
    const auto seen = texts(*coverage);
    CHECK(std::count(seen.begin(), seen.end(), "t1/one atomic, t2 atomic") == 1);
    CHECK(std::count_if(seen.begin(), seen.end(), [](const std::string& line) {
              return line.find("t1/two") != std::string::npos;
          }) == 0);  // then t2 has ended
}

TEST_CASE("probes are counted in executions that are observed, and in no others",
          "[sim][coverage]") {
    const auto pass = [](Word& word) {
        word.a.add_return(1);
        sim::probe(7);
        sim::probe(9, 5);
    };
    const auto coverage = std::make_shared<sim::Coverage>();
    sim::HuntOptions options;
    options.execution.observer = sim::Coverage::observer(coverage);
    options.count = 10;
    options.jobs = GENERATE(1U, 2U);
    sim::hunt(tests::program<Word>(log_of, {pass, pass}), options);
    // Each worker's default run, by which strategies know the program, is none of them.
    CHECK(coverage->executions() == 10);
    CHECK(coverage->probe(7) == 20);
    CHECK(coverage->probe(9) == 100);
    CHECK(coverage->probe(8) == 0);
}

TEST_CASE("observing changes no execution", "[sim][coverage]") {
    const auto coverage = std::make_shared<sim::Coverage>();
    sim::HuntOptions options;
    options.execution.grain = GENERATE(tests::both_grains());
    options.count = 200;
    options.keep_going = true;
    options.collect_final_states = true;
    const auto factory = program_of<programs::RacyCounter>(2U, 3U);
    const auto plain = sim::hunt(factory, options);
    options.execution.observer = sim::Coverage::observer(coverage);
    const auto observed = sim::hunt(factory, options);
    CHECK(plain.final_states == observed.final_states);
    CHECK(plain.steps == observed.steps);
    CHECK(coverage->executions() == 200);
}

}  // namespace

}  // namespace coverage_test
