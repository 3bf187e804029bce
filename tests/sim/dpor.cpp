#include "bench/programs/account.h"
#include "bench/programs/bounded_buffer.h"
#include "bench/programs/counters.h"
#include "bench/programs/file_system.h"
#include "bench/programs/indexer.h"
#include "bench/programs/last_zero.h"
#include "bench/programs/lock_inversion.h"
#include "bench/programs/peterson.h"
#include "bench/programs/philosophers.h"
#include "bench/programs/readers.h"
#include "sim/strategy_dpor.h"
#include "tests/sim/random_program.h"

namespace dpor_test {

namespace {

using sim::Reduction;
using tests::Ends;
using tests::program_of;

constexpr std::uint32_t unbounded = sim::DfsStrategy::unbounded;

sim::ExploreOptions whole_tree(Reduction reduction, sim::Grain grain) {
    sim::ExploreOptions options;
    options.execution.grain = grain;
    options.max_deviations = unbounded;
    options.keep_going = true;
    options.collect_final_states = true;
    options.reduction = reduction;
    return options;
}

sim::SearchReport reduced(const sim::ProgramFactory& factory, Reduction reduction,
                          sim::Grain grain = sim::Grain::Fine) {
    return sim::explore(factory, whole_tree(reduction, grain));
}

/// The same by several workers, who take parts of the tree.
sim::SearchReport parted(const sim::ProgramFactory& factory, Reduction reduction, unsigned jobs,
                         bool keep_going = true, sim::Grain grain = sim::Grain::Fine) {
    sim::ExploreOptions options = whole_tree(reduction, grain);
    options.keep_going = keep_going;
    options.jobs = jobs;
    options.in_parts = true;
    return sim::explore(factory, options);
}

/// One execution for each trace, and none that is cut.
void counts(const sim::ProgramFactory& factory, std::uint64_t traces) {
    const auto report = reduced(factory, Reduction::Dpor);
    CHECK(report.executions == traces);
    CHECK(report.blocked == 0);
    CHECK((report.whole_space || !report.failures.empty()));
}

struct Completed {
    sim::Completion done;
    std::uint64_t first = 0;
};
sim::ProgramFactory completions(std::vector<std::function<void(Completed&)>> tasks) {
    return tests::program<Completed>([](const Completed& s) { return s.first; }, std::move(tasks));
}

TEST_CASE("waiting for a completion is no race with completing it", "[sim][dpor][completion]") {
    const auto wait = [](Completed& s) { s.done.wait(); };
    const auto complete = [](Completed& s) { s.done.complete(); };
    counts(completions({wait, complete}), 1);
    counts(completions({complete, wait}), 1);
    const auto complete_all = [](Completed& s) { s.done.complete_all(); };
    counts(completions({wait, complete_all, wait}), 1);
}

TEST_CASE("a waiter that came too late takes part in races", "[sim][dpor][completion]") {
    const auto wait = [](std::uint64_t name) {
        return [name](Completed& s) {
            s.done.wait();
            s.first = name;
        };
    };
    const auto complete = [](Completed& s) { s.done.complete(); };
    const auto report = reduced(completions({wait(1), wait(2), complete}), Reduction::Dpor);
    CHECK(report.executions == 2);
    CHECK(tests::final_values(report) == tests::Values{1, 2});
}

TEST_CASE("one execution of each trace of the classic programs is run, and none is cut",
          "[sim][dpor][classic]") {
    using namespace programs;
    counts(program_of<AtomicCounter>(2U, 5U), 252);
    counts(program_of<RacyCounter>(2U, 2U), 34);
    counts(program_of<RacyCounter>(2U, 3U), 328);
    counts(program_of<RacyCounter>(2U, 4U), 3334);
    counts(program_of<Readers>(8U), 256);
    counts(program_of<LastZero>(4U), 28);
    counts(program_of<LastZero>(8U), 704);
    counts(program_of<FileSystem>(13U), 1);
    counts(program_of<FileSystem>(16U), 8);
    counts(program_of<Indexer>(11U), 1);
    counts(program_of<Indexer>(12U), 8);
    counts(program_of<Indexer>(14U), 512);  // three pairs of tasks that do not meet
    counts(program_of<Philosophers>(3U, Philosophers::Order::LowerFirst), 6);
    counts(program_of<Philosophers>(4U, Philosophers::Order::LowerFirst), 14);
    counts(program_of<Philosophers>(5U, Philosophers::Order::LowerFirst), 30);
    counts(program_of<Philosophers>(3U, Philosophers::Order::LeftFirst), 7);  // one stands still
    counts(program_of<Philosophers>(4U, Philosophers::Order::LeftFirst), 15);
}

TEST_CASE("what a reduction runs is as many classes as plain search meets, counted without it",
          "[sim][dpor][classic]") {
    using namespace programs;
    const auto factory = GENERATE(Catch::Generators::values<sim::ProgramFactory>(
        {program_of<RacyCounter>(2U, 3U), program_of<RacyCounter>(3U, 1U), program_of<LastZero>(3U),
         program_of<Readers>(4U), program_of<Philosophers>(3U, Philosophers::Order::LeftFirst),
         program_of<Philosophers>(3U, Philosophers::Order::LowerFirst),
         program_of<Account>(1U, Account::Lock::EachAccess)}));
    const auto classes = tests::count_classes(factory);
    counts(factory, classes.complete + classes.deadlocked);
}

TEST_CASE("several workers run one execution of each trace of the classic programs",
          "[sim][dpor][classic][jobs]") {
    using namespace programs;
    const auto [factory, traces] =
        GENERATE(Catch::Generators::table<sim::ProgramFactory, std::uint64_t>(
            {{program_of<AtomicCounter>(2U, 5U), 252},
             {program_of<RacyCounter>(2U, 4U), 3334},
             {program_of<Readers>(8U), 256},
             {program_of<LastZero>(8U), 704},
             {program_of<FileSystem>(16U), 8},
             {program_of<Indexer>(13U), 64},
             {program_of<Philosophers>(5U, Philosophers::Order::LowerFirst), 30},
             {program_of<Philosophers>(4U, Philosophers::Order::LeftFirst), 15}}));
    const auto one = reduced(factory, Reduction::Dpor);
    REQUIRE(one.executions == traces);
    for (const unsigned jobs : {1U, 2U, 3U}) {
        CAPTURE(jobs);
        const auto report = parted(factory, Reduction::Dpor, jobs);
        CHECK(report.executions == traces);
        CHECK(report.final_states == one.final_states);
        CHECK(report.whole_space == one.whole_space);
        CHECK(tests::signatures(report) == tests::signatures(one));
    }
}

/// A search in parts finds what one in whole finds, and is the same with any number of workers.
void compare_workers(std::uint64_t first_seed, unsigned programs, std::uint64_t most) {
    unsigned compared = 0;
    for (std::uint64_t seed = first_seed; seed < first_seed + programs; ++seed) {
        const tests::Code code = tests::random_code(seed);
        const auto factory = [code] { return std::make_unique<tests::RandomProgram>(code); };
        for (const sim::Grain grain : {sim::Grain::Coarse, sim::Grain::Fine}) {
            if (tests::all_ends(code, grain, unbounded, most).too_many) continue;
            INFO("seed " << seed << '\n' << tests::describe(code));
            CAPTURE(grain);
            const auto whole = reduced(factory, Reduction::Dpor, grain);
            const auto one = parted(factory, Reduction::Dpor, 1, true, grain);
            CHECK(std::includes(one.final_states.begin(), one.final_states.end(),
                                whole.final_states.begin(), whole.final_states.end()));
            CHECK(tests::signatures(one) == tests::signatures(whole));
            const auto three = parted(factory, Reduction::Dpor, 3, true, grain);
            tests::check_equal(one, three);
            CHECK(one.blocked == three.blocked);
            // The others may have met other states by the time the first failure is known.
            auto first = parted(factory, Reduction::Dpor, 1, false, grain);
            auto same = parted(factory, Reduction::Dpor, 2, false, grain);
            first.final_states = same.final_states = {};
            tests::check_equal(first, same);
            ++compared;
        }
    }
    CHECK(compared > programs / 2);
}

TEST_CASE("several workers come to the same on random programs", "[sim][dpor][jobs]") {
    compare_workers(1, tests::sampled(60), 3000);
}

TEST_CASE("several workers come to the same on many random programs", "[sim][dpor][jobs][slow]") {
    compare_workers(7'000'000, 1000, 10'000);
}

TEST_CASE("a search with sleep sets is the same in parts", "[sim][dpor][jobs]") {
    const auto factory = program_of<programs::RacyCounter>(2U, 3U);
    const auto whole = reduced(factory, Reduction::Sleep);
    for (const unsigned jobs : {1U, 3U}) {
        const auto parts = parted(factory, Reduction::Sleep, jobs);
        CHECK(parts.executions == whole.executions);
        CHECK(parts.blocked == whole.blocked);
        CHECK(parts.final_states == whole.final_states);
    }
}

tests::Code mixed(std::uint64_t seed) {
    return tests::mixed_code(seed);
}

/// Everything that an execution can end in is found by every reduction.
void compare_with_plain_search(std::uint64_t first_seed, unsigned programs, std::uint64_t most,
                               tests::Code (*code_of)(std::uint64_t) = mixed) {
    unsigned compared = 0;
    std::uint64_t plain_executions = 0, reduced_executions = 0, cut = 0;
    for (std::uint64_t seed = first_seed; seed < first_seed + programs; ++seed) {
        const tests::Code code = code_of(seed);
        for (const sim::Grain grain : {sim::Grain::Coarse, sim::Grain::Fine}) {
            const Ends plain = tests::all_ends(code, grain, unbounded, most);
            if (plain.too_many) continue;
            INFO("seed " << seed << '\n' << tests::describe(code));
            CAPTURE(grain);
            for (const Reduction reduction : {Reduction::Sleep, Reduction::Dpor}) {
                sim::DporStrategy strategy(reduction);
                const Ends ends = tests::ends_under(strategy, code, grain, ~std::uint64_t{0});
                CHECK((ends == plain));
                CHECK(ends.executions <= plain.executions);
                if (reduction == Reduction::Sleep) continue;
                reduced_executions += ends.executions;
                cut += ends.cut;
            }
            plain_executions += plain.executions;
            ++compared;
        }
    }
    CHECK(compared > programs / 2);
    CHECK(reduced_executions < plain_executions / 2);
    CHECK(cut < reduced_executions / 2);
}

TEST_CASE("a reduction hides no end of a random program", "[sim][dpor]") {
    compare_with_plain_search(1, tests::sampled(150), 3000);
}

TEST_CASE("a wake-up races with what a task does that has queued and does not sleep yet",
          "[sim][dpor][waitqueue]") {
    // Programs that once lost an end: the step after such a wake-up was taken for its result.
    for (const std::uint64_t seed : {7'000'174U, 7'000'357U, 7'001'390U})
        compare_with_plain_search(seed, 1, 60'000);
}

TEST_CASE("a writer that queues behind readers races with who comes after it and who leaves",
          "[sim][dpor][rwsem]") {
    // Programs that once lost an end, or were said not to declare an access.
    for (const std::uint64_t seed : {34, 36, 945, 2203, 3109, 9760, 11598})
        compare_with_plain_search(seed, 1, 60'000, tests::semaphore_code);
}

TEST_CASE("a reduction hides no end of programs about a semaphore", "[sim][dpor][rwsem][slow]") {
    compare_with_plain_search(1, 1500, 10'000, tests::semaphore_code);
}

TEST_CASE("a reduction hides no end of programs about requests", "[sim][dpor][wait-bit]") {
    compare_with_plain_search(1, tests::sampled(150), 3000, tests::request_code);
}

TEST_CASE("a reduction hides no end of many programs about requests",
          "[sim][dpor][wait-bit][slow]") {
    compare_with_plain_search(1000, 1500, 10'000, tests::request_code);
}

TEST_CASE("a reduction hides no end of thousands of random programs", "[sim][dpor][slow]") {
    compare_with_plain_search(5'000'000, 2500, 10'000);
}

}  // namespace

namespace {

/// A promise broken where one is added and ten is not, while the reader is at work. No access tells
/// that its beginning and the addition depend on each other (soundness, 1).
class OneWithoutTen final : public sim::Program {
  public:
    void prepare() override {
        state_ = sim::make<State>();
        const auto check = [](void* context, sim::Object& /*changed*/) {
            const State& state = *static_cast<State*>(context);
            if (state.sum.peek() == 1 && state.begun.peek() == 1 && !state.has_read)
                sim::violation("one-without-ten", "the reader is at work, and the sum is one");
        };
        sim::current().watch(sim::primitive::atomic, check, state_);
    }
    void start() override {
        sim::current().spawn("one", [this] { state_->sum.inc(1); });
        sim::current().spawn("ten", [this] { state_->sum.inc(10); });
        sim::current().spawn("reader", [this] {
            state_->begun.store(1);
            state_->seen = state_->sum.load();
            state_->has_read = true;
        });
    }
    std::uint64_t state_hash() override { return state_->seen + 1; }

  private:
    struct State {
        sim::Atomic<std::uint64_t> sum, begun;
        std::uint64_t seen = 0;
        bool has_read = false;
    };
    State* state_ = nullptr;
};

}  // namespace

TEST_CASE("what a violation cut off is not taken to have been run", "[sim][dpor]") {
    const auto factory = program_of<OneWithoutTen>();
    const auto plain = tests::explore_all(factory, sim::Grain::Fine);
    const auto report = reduced(factory, Reduction::Dpor);
    CHECK(tests::final_values(plain) == tests::Values{0, 10, 11});
    CHECK(tests::final_values(report) == tests::final_values(plain));
}

}  // namespace dpor_test
