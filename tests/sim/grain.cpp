// The coarse grain merges steps; the fine grain does not. On random programs both must end in the
// same states, deadlocks included, since merging is only allowed where no other task could notice.
#include "tests/sim/random_program.h"

namespace grain_test {

namespace {

using tests::all_ends;
using tests::Code;
using tests::Ends;

constexpr std::uint32_t unbounded = sim::DfsStrategy::unbounded;

/// A try never finds a section taken that is one step (see below).
constexpr unsigned without_tries = static_cast<unsigned>(tests::Op::TryReadSem);

/// A look at the queue in the moment between a waiter's last look at the condition and its leaving
/// finds nobody in the coarse grain (docs/architecture.md).
bool has_known_difference(const Code& code) {
    const auto has = [&](tests::Op op) {
        return std::any_of(code.begin(), code.end(), [&](const auto& task) {
            return std::any_of(task.begin(), task.end(),
                               [&](const auto& instruction) { return instruction.op == op; });
        });
    };
    return has(tests::Op::LookForWaiters) && has(tests::Op::WaitForWord);
}

/// @param most  executions of the fine grain beyond which a program is left out
void compare_grains(std::uint64_t first_seed, unsigned programs, std::uint64_t most) {
    unsigned compared = 0, with_deadlocks = 0, with_many_ends = 0;
    std::uint64_t coarse_executions = 0, fine_executions = 0;
    for (std::uint64_t seed = first_seed; seed < first_seed + programs; ++seed) {
        const Code code = tests::mixed_code(seed, without_tries);
        if (has_known_difference(code)) continue;
        const Ends fine = all_ends(code, sim::Grain::Fine, unbounded, most);
        if (fine.too_many) continue;
        const Ends coarse = all_ends(code, sim::Grain::Coarse, unbounded, ~std::uint64_t{0});
        INFO("seed " << seed << ": fine has " << fine.completed.size() << " ends and "
                     << fine.deadlocked.size() << " deadlocks, coarse " << coarse.completed.size()
                     << " and " << coarse.deadlocked.size() << '\n'
                     << tests::describe(code));
        CHECK((coarse == fine));
        CHECK(fine.violations.empty());
        CHECK_FALSE(coarse.unordered);
        ++compared;
        with_deadlocks += fine.deadlocked.empty() ? 0 : 1;
        with_many_ends += fine.completed.size() > 1 ? 1 : 0;
        coarse_executions += coarse.executions;
        fine_executions += fine.executions;
    }
    // The family is worth something: most programs fit, many end in several ways, some deadlock,
    // and merging saves work.
    CHECK(compared > programs / 3);
    CHECK(with_many_ends > compared / 8);
    CHECK(with_deadlocks > compared / 20);
    CHECK(coarse_executions < fine_executions / 3);
}

TEST_CASE("both grains end in the same states on random programs", "[sim][grain]") {
    compare_grains(1, 150, 5000);
}

TEST_CASE("both grains end in the same states on thousands of random programs",
          "[sim][grain][slow]") {
    compare_grains(1'000'000, 1500, 30'000);
}

TEST_CASE("a trylock cannot fail in the coarse grain on a section that is one step",
          "[sim][grain]") {
    // A known difference: nothing is scheduled inside the section, so nobody can find the mutex
    // taken. A section that itself has a scheduling point (a nested sleeping lock, a second
    // lockless access) can be met.
    struct State {
        sim::Mutex mutex{tests::class_a}, inner{tests::class_b};
        tests::Data data;
        std::uint64_t result = 0;
    };
    const auto plain = [](State& state) {
        const sim::MutexGuard guard(state.mutex);
        state.data.set(1);
    };
    const auto nesting = [](State& state) {
        const sim::MutexGuard guard(state.mutex);
        const sim::MutexGuard inner(state.inner);
        state.data.set(1);
    };
    const auto attempt = [](State& state) {
        const bool taken = state.mutex.try_lock();
        state.result = taken ? 1 : 2;
        if (taken) state.mutex.unlock();
    };
    const auto values = [&](const tests::SmallProgram<State>::Body& section, sim::Grain grain) {
        return tests::final_values(tests::explore_all(
            tests::program<State>([](const State& state) { return state.result; },
                                  {section, attempt}),
            grain));
    };
    CHECK(values(plain, sim::Grain::Fine) == tests::Values{1, 2});
    CHECK(values(plain, sim::Grain::Coarse) == tests::Values{1});
    CHECK(values(nesting, sim::Grain::Fine) == tests::Values{1, 2});
    CHECK(values(nesting, sim::Grain::Coarse) == tests::Values{1, 2});
}

}  // namespace

}  // namespace grain_test
