#include <sstream>

#include "sim/hash.h"
#include "sim/rng.h"
#include "sim/spinlock.h"
#include "tests/sim/support.h"

namespace split_test {

namespace {

using tests::program;

inline constexpr sim::ObjectClass other_data{"other", 102};

struct State {
    sim::Spinlock spin{tests::class_a};
    sim::Mutex mutex{tests::class_b};
    tests::Data data;
    sim::Tracked<std::uint64_t> other{other_data};
    std::uint64_t seen[3] = {};
};
using Body = std::function<void(State&)>;

std::uint64_t digest(const State& state) {
    std::uint64_t hash = sim::hash_mix(state.data.peek(), state.other.peek());
    for (const std::uint64_t seen : state.seen)
        hash = sim::hash_mix(hash, seen);
    return hash;
}

sim::SearchReport explored(const std::vector<Body>& bodies, bool split, sim::Reduction reduction,
                           std::uint32_t bound, unsigned jobs = 1) {
    sim::ExploreOptions options;
    options.max_deviations = bound;
    options.jobs = jobs;
    options.keep_going = true;
    options.collect_final_states = true;
    options.reduction = reduction;
    options.split_unordered = split;
    return sim::explore(program<State>(digest, bodies), options);
}

/// Writes twice in a section that is one step, and somebody looks who holds nothing.
std::vector<Body> writer_and_onlooker() {
    return {[](State& state) {
                const sim::SpinGuard guard(state.spin);
                state.data.set(1);
                state.data.set(2);
            },
            [](State& state) { state.seen[0] = state.data.get(); }};
}

TEST_CASE("an access without an order has its kind of object split, and the search begins anew",
          "[sim][split]") {
    const auto bodies = writer_and_onlooker();
    const auto fine = tests::explore_all(program<State>(digest, bodies), sim::Grain::Fine);
    REQUIRE(fine.final_states.size() == 3);  // it sees 0, 1 or 2
    const auto merged = explored(bodies, false, sim::Reduction::None, sim::DfsStrategy::unbounded);
    CHECK(merged.final_states.size() == 2);
    CHECK(merged.unordered_kinds == std::vector<std::string>{"data"});
    CHECK(merged.split.empty());

    const auto reduction = GENERATE(sim::Reduction::None, sim::Reduction::Dpor);
    const auto bound = GENERATE(1U, sim::DfsStrategy::unbounded);
    const auto report = explored(bodies, true, reduction, bound);
    CHECK(report.final_states == fine.final_states);
    CHECK(report.end == sim::SearchEnd::Complete);
    CHECK(report.restarts == 1);
    CHECK(report.split == std::vector<std::string>{"data"});
    CHECK(report.unordered.empty());
    REQUIRE_FALSE(report.split_unordered.empty());
    for (const std::string& text : report.split_unordered) {
        CHECK(text.find("data 0: ") == 0);
        CHECK(text.find("by t1") != std::string::npos);
        CHECK(text.find("by t2") != std::string::npos);
    }
}

TEST_CASE("what is found and counted after a split does not depend on the workers",
          "[sim][split]") {
    const std::vector<Body> bodies = {[](State& state) {
                                          const sim::MutexGuard guard(state.mutex);
                                          state.data.set(state.data.get() + 1);
                                          state.other.set(state.other.get() + 1);
                                      },
                                      [](State& state) { state.seen[0] = state.data.get(); },
                                      [](State& state) { state.seen[1] = state.other.get(); }};
    const auto one = explored(bodies, true, sim::Reduction::Dpor, 2, 1);
    CHECK(one.split == std::vector<std::string>{"data", "other"});
    const unsigned jobs = GENERATE(2U, 3U);
    const auto many = explored(bodies, true, sim::Reduction::Dpor, 2, jobs);
    tests::check_equal(one, many);
    CHECK(one.split == many.split);
    CHECK(one.split_unordered == many.split_unordered);
    CHECK(one.restarts == many.restarts);
}

TEST_CASE("a failure that only a split search meets replays with what was split", "[sim][split]") {
    auto bodies = writer_and_onlooker();
    bodies[1] = [](State& state) {
        if (state.data.get() == 1) sim::violation("half-written", "saw 1");
    };
    CHECK(explored(bodies, false, sim::Reduction::Dpor, 2).failures.empty());
    const auto report = explored(bodies, true, sim::Reduction::Dpor, 2);
    REQUIRE(report.failures.size() == 1);
    const sim::ExecutionResult& failed = report.failures[0].result;
    CHECK(failed.split == report.split);
    const auto replay = [&](const std::vector<std::string>& split) {
        sim::Execution execution(program<State>(digest, bodies), {.split = split});
        const auto strategy = sim::make_replay(failed.schedule);
        strategy->next_execution();
        return execution.run(*strategy).trace_hash;
    };
    CHECK(replay(failed.split) == failed.trace_hash);
    CHECK(replay({}) != failed.trace_hash);
}

TEST_CASE("a search that stops early, a plan and the fine grain begin nothing anew",
          "[sim][split]") {
    sim::ExploreOptions options;
    options.split_unordered = true;
    options.max_deviations = sim::DfsStrategy::unbounded;
    SECTION("limit") {
        options.limits.max_executions = 2;
        const auto report = sim::explore(program<State>(digest, writer_and_onlooker()), options);
        CHECK(report.end == sim::SearchEnd::Executions);
        CHECK(report.split.empty());
        CHECK_FALSE(report.unordered.empty());
    }
    SECTION("fine") {
        options.execution.grain = sim::Grain::Fine;
        const auto report = sim::explore(program<State>(digest, writer_and_onlooker()), options);
        CHECK(report.split.empty());
    }
    SECTION("ordered") {
        const Body orderly = [](State& state) {
            const sim::SpinGuard guard(state.spin);
            state.data.set(state.data.get() + 1);
        };
        const auto report = sim::explore(program<State>(digest, {orderly, orderly}), options);
        CHECK(report.restarts == 0);
        CHECK(report.split.empty());
        CHECK(report.split_unordered.empty());
    }
}

/// Tasks that take locks now and then, and touch what they like.
class Careless {
  public:
    explicit Careless(std::uint64_t seed) : rng_(seed) {}

    std::vector<Body> bodies() {
        std::vector<Body> all;
        const unsigned tasks = 2 + static_cast<unsigned>(rng_.below(2));
        for (unsigned task = 0; task < tasks; ++task) {
            std::vector<unsigned> sections;
            for (std::uint64_t left = tasks == 2 ? 2 : 1; left > 0; --left)
                sections.push_back(static_cast<unsigned>(rng_.below(48)));
            text_ << " t" << task + 1;
            for (const unsigned section : sections)
                text_ << " " << section;
            all.emplace_back([task, sections](State& state) {
                for (const unsigned section : sections)
                    run(state, state.seen[task], section);
            });
        }
        return all;
    }
    std::string text() const { return text_.str(); }

  private:
    /// Which lock, which of the two it begins with, and what it does to each.
    static void run(State& state, std::uint64_t& seen, unsigned code) {
        const unsigned lock = code % 3, first = code / 3 % 2, how = code / 6;
        if (lock == 0) {
            touch(state, seen, first, how);
        } else if (lock == 1) {
            const sim::SpinGuard guard(state.spin);
            touch(state, seen, first, how);
        } else {
            const sim::MutexGuard guard(state.mutex);
            touch(state, seen, first, how);
        }
    }
    static void touch(State& state, std::uint64_t& seen, unsigned first, unsigned how) {
        sim::Tracked<std::uint64_t>* both[] = {&state.data, &state.other};
        auto& one = *both[first];
        auto& two = *both[1 - first];
        if ((how & 1) != 0) seen = seen * 7 + one.get();
        if ((how & 2) != 0) one.set(seen * 3 + how + 1);
        if ((how & 4) != 0) seen = seen * 11 + two.get();
    }

    sim::Rng rng_;
    std::ostringstream text_;
};

void compare_after_split(std::uint64_t programs) {
    unsigned split = 0;
    for (std::uint64_t seed = 1; seed <= programs; ++seed) {
        Careless careless(seed);
        const auto bodies = careless.bodies();
        INFO("seed " << seed << ":" << careless.text());
        const auto fine = tests::explore_all(program<State>(digest, bodies), sim::Grain::Fine);
        const auto plain =
            explored(bodies, true, sim::Reduction::None, sim::DfsStrategy::unbounded);
        const auto reduced =
            explored(bodies, true, sim::Reduction::Dpor, sim::DfsStrategy::unbounded);
        REQUIRE(plain.unordered.empty());
        REQUIRE(plain.final_states == fine.final_states);
        REQUIRE(reduced.final_states == fine.final_states);
        REQUIRE(reduced.split == plain.split);
        split += plain.split.empty() ? 0 : 1;
    }
    CHECK(split > programs / 3);
}

TEST_CASE("after a split the coarse grain ends where the fine one does", "[sim][split]") {
    compare_after_split(tests::sampled(120));
}

TEST_CASE("after a split the coarse grain ends where the fine one does in many programs",
          "[sim][split][slow]") {
    compare_after_split(1000);
}

}  // namespace

}  // namespace split_test
