#include "sim/completion.h"

#include "tests/sim/support.h"

namespace completion_test {

namespace {

using tests::explore_all;
using tests::final_values;
using tests::Values;

struct Job {
    sim::Completion done;
    sim::Mutex mutex{tests::class_a};
    tests::Data data;
    std::uint64_t log = 0;
    std::uint64_t passed = 0;
};

std::uint64_t log_of(const Job& job) {
    return job.log;
}

TEST_CASE("whoever waits for a completion goes on after complete(), and sees what came before",
          "[sim][completion]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto waiter = [](Job& job) {
        job.done.wait();
        job.log = job.data.get();
    };
    const auto worker = [](Job& job) {
        job.data.set(5);
        job.done.complete();
    };
    const auto report = explore_all(tests::program<Job>(log_of, {waiter, worker}), grain);
    CHECK(report.failures.empty());
    CHECK(report.unordered.empty());  // also where the wait found it complete already
    CHECK(final_values(report) == Values{5});
    const auto other_way = explore_all(tests::program<Job>(log_of, {worker, waiter}), grain);
    CHECK(other_way.unordered.empty());
    CHECK(final_values(other_way) == Values{5});
}

TEST_CASE("complete() lets one waiter go, any of them", "[sim][completion]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto waiter = [](std::uint64_t name) {
        return [name](Job& job) {
            job.done.wait();
            job.log = job.log * 10 + name;
        };
    };
    const auto complete = [](Job& job) { job.done.complete(); };
    const auto report =
        explore_all(tests::program<Job>(log_of, {waiter(1), waiter(2), complete}), grain);
    CHECK(tests::signatures(report) == std::vector<std::string>{"lost-wakeup/completion"});
    CHECK(final_values(report) == Values{1, 2});  // never both, never none
}

TEST_CASE("complete() counts, so that completing twice lets two go", "[sim][completion]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto waiter = [](Job& job) {
        job.done.wait();
        ++job.passed;
    };
    const auto twice = [](Job& job) {
        job.done.complete();
        job.done.complete();
    };
    const auto report = explore_all(
        tests::program<Job>([](const Job& job) { return job.passed; }, {waiter, waiter, twice}),
        grain);
    CHECK(report.failures.empty());
    CHECK(final_values(report) == Values{2});
}

TEST_CASE("complete_all() lets everybody go, now and later", "[sim][completion]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto waiter = [](Job& job) {
        job.done.wait();
        job.done.wait();
        ++job.passed;
    };
    const auto all = [](Job& job) { job.done.complete_all(); };
    const auto report = explore_all(
        tests::program<Job>([](const Job& job) { return job.passed; }, {waiter, all, waiter}),
        grain);
    CHECK(report.failures.empty());
    CHECK(final_values(report) == Values{2});
}

TEST_CASE("between an unlock and the wait for a completion others may take it",
          "[sim][completion]") {
    // One completion for two waiters; each notes in a section before who came first. All four
    // combinations exist.
    const auto grain = GENERATE(tests::both_grains());
    const auto waiter = [](std::uint64_t name) {
        return [name](Job& job) {
            {
                const sim::MutexGuard guard(job.mutex);
                if (job.data.get() == 0) job.data.set(name);
            }
            job.done.wait();
            job.passed = name;
        };
    };
    const auto complete = [](Job& job) { job.done.complete(); };
    const auto digest = [](const Job& job) { return job.data.peek() * 10 + job.passed; };
    CHECK(final_values(explore_all(tests::program<Job>(digest, {complete, waiter(1), waiter(2)}),
                                   grain)) == Values{11, 12, 21, 22});
}

}  // namespace

}  // namespace completion_test
