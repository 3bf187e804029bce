#include "sim/fiber_switch.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "sim/rwsem.h"
#include "sim/spinlock.h"
#include "sim/waitqueue.h"
#include "tests/sim/support.h"

namespace fiber_test {

namespace {

struct State {
    sim::Mutex a{tests::class_a}, b{tests::class_b};
    sim::RwSem sem{tests::class_c};
    sim::WaitQueue queue;
    sim::Atomic<std::uint64_t> word;
    tests::Data data;
};

std::uint64_t nothing(const State&) {
    return 0;
}

/// How many destructors ran; outside the arena, on purpose.
struct Counter {
    unsigned alive = 0, made = 0;
};
class Witness {
  public:
    explicit Witness(Counter& counter) : counter_(counter) {
        ++counter_.alive;
        ++counter_.made;
    }
    ~Witness() { --counter_.alive; }
    Witness(const Witness&) = delete;
    Witness& operator=(const Witness&) = delete;

  private:
    Counter& counter_;
};

/// Returns the sum of 1 to depth, over frames that cannot be folded into a loop.
std::uint64_t recurse(State& state, unsigned depth) {
    volatile unsigned char frame[64]{};
    frame[depth % 64] = 1;
    if (depth == 0) {
        state.word.add_return(1);  // a switch from deep down
        return 0;
    }
    return depth + recurse(state, depth - 1) + frame[(depth + 1) % 64];
}

TEST_CASE("a fiber may go deep down its stack and switch there", "[sim][fiber]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto diver = [](State& state) {
        if (recurse(state, 150) != 150 * 151 / 2)
            sim::violation("wrong-sum", "a frame was damaged");
    };
    const auto report =
        tests::explore_all(tests::program<State>(nothing, {diver, diver, diver}), grain);
    CHECK(report.failures.empty());
    CHECK(report.executions == 6);
}

TEST_CASE("exceptions are thrown and caught on a fiber", "[sim][fiber]") {
    const auto thrower = [](State& state) {
        try {
            state.word.add_return(1);
            if (state.word.peek() >= 1) throw std::runtime_error("on a fiber");
        } catch (const std::runtime_error&) {
            state.data.set(1);
        }
        state.word.add_return(1);
    };
    const auto report = tests::explore_all(
        tests::program<State>([](const State& state) { return state.data.peek(); }, {thrower}),
        sim::Grain::Coarse);
    CHECK(tests::final_values(report) == tests::Values{1});
}

/// Runs all schedules of tasks that hold witnesses on their stacks, and tells how many were left.
Counter left_after(const std::function<void(State&, Counter&)>& first,
                   const std::function<void(State&, Counter&)>& second, sim::Grain grain) {
    Counter counter;
    const auto with_witness = [&counter](const std::function<void(State&, Counter&)>& body) {
        return [&counter, body](State& state) {
            const Witness witness(counter);
            const std::vector<int> on_the_heap(100, 1);
            body(state, counter);
        };
    };
    const auto factory =
        tests::program<State>(nothing, {with_witness(first), with_witness(second)});
    tests::for_each_schedule(factory, grain, sim::DfsStrategy::unbounded,
                             [&](sim::Execution&, const sim::ExecutionResult&) {
                                 CHECK(counter.alive == 0);  // run() has unwound every fiber
                             });
    CHECK(counter.made > 0);
    return counter;
}

TEST_CASE("a violation unwinds the stacks of all tasks", "[sim][fiber]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto breaker = [](State& state, Counter& counter) {
        const Witness inner(counter);
        const sim::MutexGuard guard(state.a);
        state.word.add_return(1);
        sim::violation("broken", "a promise");
    };
    const auto bystander = [](State& state, Counter& counter) {
        for (int i = 0; i < 2; ++i) {
            const sim::MutexGuard guard(state.b);
            const Witness inner(counter);
            state.word.add_return(1);
            state.word.add_return(1);
        }
    };
    left_after(breaker, bystander, grain);
}

TEST_CASE("a deadlock unwinds the stacks of all tasks, guards and all", "[sim][fiber]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto ab = [](State& state, Counter& counter) {
        const sim::MutexGuard outer(state.a);
        const Witness inner(counter);
        const sim::MutexGuard guard(state.b);
    };
    const auto ba = [](State& state, Counter& counter) {
        const sim::MutexGuard outer(state.b);
        const Witness inner(counter);
        const sim::MutexGuard guard(state.a);
    };
    left_after(ab, ba, grain);
}

TEST_CASE("tasks that wait on queues and semaphores are unwound too", "[sim][fiber]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto sleeper = [](State& state, Counter& counter) {
        const Witness inner(counter);
        state.queue.wait_event([&] { return state.word.load() != 0; });
    };
    const auto reader = [](State& state, Counter& counter) {
        const sim::ReadGuard outer(state.sem);
        const Witness inner(counter);
        state.sem.down_write(1);  // waits for itself
    };
    left_after(sleeper, reader, grain);
}

TEST_CASE("guards that are suspended in a release when the execution ends are unwound silently",
          "[sim][fiber]") {
    // In the fine grain a release is a scheduling point, inside a destructor: it must not throw.
    const auto holder = [](State& state, Counter& counter) {
        {
            const sim::MutexGuard guard(state.a);
            const sim::ReadGuard read(state.sem);
            const Witness inner(counter);
        }
        const sim::MutexGuard guard(state.b);
        state.word.add_return(1);
    };
    const auto breaker = [](State& state, Counter&) {
        state.word.add_return(1);
        sim::violation("broken", "a promise");
    };
    left_after(holder, breaker, sim::Grain::Fine);
}

TEST_CASE("tasks that never began are ended with the execution", "[sim][fiber]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto breaker = [](State& state, Counter&) {
        State* const shared = &state;
        sim::current().spawn("late", [shared] { shared->word.add_return(1); });
        sim::current().spawn_completion("request", 0, 1, [shared] { shared->word.add_return(1); });
        sim::violation("broken", "a promise");
    };
    left_after(breaker, breaker, grain);
}

TEST_CASE("below a stack lies a page that nobody may touch, in debug builds", "[sim][fiber]") {
#ifdef NDEBUG
    SUCCEED("release builds have none");
#else
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        static_cast<void>(freopen("/dev/null", "w",
                                  stderr));  // the sanitizer's report of what is meant to happen
        const auto diver = [](State& state) { recurse(state, 10'000'000); };
        tests::run_once(tests::program<State>(nothing, {diver}), sim::Grain::Coarse,
                        sim::make_default());
        _exit(0);  // not reached
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    const bool ended_well = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    CHECK_FALSE(ended_well);
#endif
}

TEST_CASE("thousands of executions use the same stacks again", "[sim][fiber]") {
    const auto task = [](State& state) {
        for (int i = 0; i < 3; ++i)
            state.word.add_return(1);
    };
    sim::Execution execution(tests::program<State>(nothing, {task, task, task}),
                             {.grain = sim::Grain::Fine});
    for (std::uint64_t seed = 0; seed < 5000; ++seed) {
        const auto strategy = sim::make_random(seed);
        strategy->next_execution();
        if (execution.run(*strategy).outcome != sim::Outcome::Completed)
            FAIL("an execution did not complete");
    }
    std::ifstream maps("/proc/self/maps");
    const auto mappings =
        std::count(std::istreambuf_iterator<char>(maps), std::istreambuf_iterator<char>(), '\n');
    CHECK(mappings < 2000);
}

}  // namespace

}  // namespace fiber_test
