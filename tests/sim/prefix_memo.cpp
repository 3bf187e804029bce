#include "sim/prefix_memo.h"

#include <atomic>

#include "tests/sim/support.h"

namespace prefix_memo_test {

namespace {

struct Word {
    sim::Atomic<std::uint64_t> value;
};
std::uint64_t value_of(const Word& word) {
    return word.value.peek();
}

/// What the looks of a test came to, on all threads.
struct Looks {
    std::atomic<unsigned> asked = 0, made = 0, wrong = 0;
};

/// Three tasks that look at the word after each change, and say so to a probe.
sim::ProgramFactory program_with(Looks& looks) {
    const auto look = [&looks](const Word& word) {
        ++looks.asked;
        const auto found = sim::current().once<std::uint64_t>([&] {
            ++looks.made;
            sim::probe(0);
            return word.value.peek();
        });
        if (*found != word.value.peek()) ++looks.wrong;
    };
    // What the word holds tells in which order all changes were made.
    const auto change_by = [look](std::uint64_t task) {
        return [look, task](Word& word) {
            for (int i = 0; i < 2; ++i) {
                word.value.store(word.value.load() * 10 + task);
                look(word);
            }
        };
    };
    return tests::program<Word>(value_of, {change_by(1), change_by(2), change_by(3)});
}

/// Every schedule, one after the other.
std::uint64_t run_all(sim::Execution& execution) {
    sim::DfsStrategy strategy(sim::DfsStrategy::unbounded);
    strategy.begin({});
    std::uint64_t executions = 0;
    for (; strategy.next_execution(); ++executions)
        execution.run(strategy);
    return executions;
}

TEST_CASE("what a check made is recalled as long as an execution goes as the one before",
          "[sim][prefix_memo]") {
    Looks looks;
    sim::Execution execution(program_with(looks), {.grain = sim::Grain::Fine, .recall = true});
    const std::uint64_t executions = run_all(execution);
    CHECK(looks.asked == 6 * executions);
    CHECK(looks.made < looks.asked / 2);
    CHECK(looks.wrong == 0);
}

TEST_CASE("nothing is recalled after another choice, in another step, or out of turn",
          "[sim][prefix_memo]") {
    const sim::Sequence<sim::Departure> none, one{{0, 1}}, other{{1, 1}};
    sim::PrefixMemo memo;
    memo.keep({.step = 2}, none);
    memo.keep({.step = 5}, one);
    const auto recalls = [&](std::uint32_t step, const sim::Sequence<sim::Departure>& departures) {
        return memo.recall(step, departures) != nullptr;
    };
    memo.begin_execution();
    CHECK_FALSE(recalls(5, one));  // the first comes first
    CHECK_FALSE(recalls(3, none));
    CHECK(recalls(2, none));
    CHECK_FALSE(recalls(5, none));
    CHECK_FALSE(recalls(5, other));
    CHECK(recalls(5, one));
    CHECK_FALSE(recalls(5, one));
    memo.begin_execution();
    CHECK(recalls(2, none));
    memo.keep({.step = 5}, other);  // instead of the one there
    memo.begin_execution();
    CHECK(recalls(2, none));
    CHECK_FALSE(recalls(5, one));
    CHECK(recalls(5, other));
    memo.clear();
    memo.begin_execution();
    CHECK_FALSE(recalls(2, none));
}

TEST_CASE("executions that share little recall nothing of each other's", "[sim][prefix_memo]") {
    Looks looks;
    sim::Execution execution(program_with(looks), {.grain = sim::Grain::Fine, .recall = true});
    const auto random = sim::make_random(1);
    for (int i = 0; i < 1000; ++i) {
        random->next_execution();
        execution.run(*random);
    }
    CHECK(looks.made < looks.asked);
    CHECK(looks.wrong == 0);
}

TEST_CASE("nothing is recalled unless the program's choices decide all", "[sim][prefix_memo]") {
    Looks looks;
    sim::Execution execution(program_with(looks), {.grain = sim::Grain::Fine});
    run_all(execution);
    CHECK(looks.made == looks.asked);
}

/// What coverage would count, of all executions.
class Counter final : public sim::Observer {
  public:
    explicit Counter(std::atomic<std::uint64_t>& count) : count_(count) {}
    void executed(const sim::Scheduler& scheduler, const sim::ExecutionResult&) override {
        count_ += scheduler.probes()[0];
    }

  private:
    std::atomic<std::uint64_t>& count_;
};

TEST_CASE("a search counts what it recalls, on any number of workers", "[sim][prefix_memo]") {
    const auto reduction = GENERATE(sim::Reduction::None, sim::Reduction::Dpor);
    const unsigned jobs = GENERATE(1U, 2U);
    CAPTURE(reduction, jobs);
    Looks looks;
    std::atomic<std::uint64_t> counted = 0;
    sim::ExploreOptions options;
    options.execution.grain = sim::Grain::Fine;
    options.execution.observer = [&] { return std::make_unique<Counter>(counted); };
    options.reduction = reduction;
    options.jobs = jobs;
    options.deepen = false;
    sim::explore(program_with(looks), options);
    CHECK(looks.made < looks.asked);
    CHECK(looks.wrong == 0);
    CHECK(counted == looks.asked);
}

}  // namespace

}  // namespace prefix_memo_test
