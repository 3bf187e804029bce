#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "sim/execution.h"
#include "sim/strategy.h"

namespace sim {

struct Profile;

/// The default rule at every choice point: go on, else the least task, else the oldest event.
std::unique_ptr<Strategy> make_default();
/// Follows a recorded schedule; gives Choice::diverged() where it does not fit.
std::unique_ptr<Strategy> make_replay(const Schedule& schedule);
/// Uniform over what is enabled, at every choice point.
std::unique_ptr<Strategy> make_random(std::uint64_t seed);

/// Uniform random walk (Zhao, Wolff, Mathur, Roychoudhury; ASPLOS 2025): a task is chosen with a
/// probability in proportion to the steps that it, and what it will create, has left.
/// @param profile  estimates them
std::unique_ptr<Strategy> make_walk(std::uint64_t seed, std::shared_ptr<const Profile> profile);

/// Probabilistic concurrency testing (Burckhardt, Kothari, Musuvathi, Nagarakatte; ASPLOS 2010):
/// random priorities and depth-1 points at which the running task becomes the least. Finds a bug of
/// that depth with probability at least 1 / (tasks * steps^(depth-1)) per execution.
struct PctOptions {
    std::uint64_t seed = 0;
    unsigned depth = 3;
    std::uint32_t tasks = 0;  // n and k of the guarantee, from a default run
    std::uint32_t steps = 0;
};
std::unique_ptr<Strategy> make_pct(const PctOptions& options);
/// The bound above, for the report.
double pct_guarantee(const PctOptions& options);

/// Partial order sampling (Yuan, Yang, Gu; CAV 2018): random priority for each pending operation,
/// drawn again when an operation that it races with is executed.
std::unique_ptr<Strategy> make_pos(std::uint64_t seed);

/// What disturbs the tasks of a machine that is busy with other things. Without it tasks never meet
/// where one would have to stand still for long.
struct TimedNoise {
    std::uint64_t start_within_ns = 0;  // the program's own tasks begin at random before this
    std::uint32_t stall_one_in = 0;     // one step in so many takes longer: an interrupt, say
    std::uint64_t stall_ns = 0;         // by so much at most
    friend bool operator==(const TimedNoise&, const TimedNoise&) = default;
};
/// Virtual time: every step costs nanoseconds on its task's CPU, requests take their device's
/// latency, both varied by the seed.
std::unique_ptr<Strategy> make_timed(std::uint64_t seed, const TimedNoise& noise = {});

/// "random", "walk", "pct:3", "pos", "timed", "first", "portfolio".
struct StrategySpec {
    // Tokens hold the numbers of these; Portfolio is none of theirs.
    enum class Kind : std::uint8_t { First, Random, Pct, Pos, Timed, Walk, Portfolio };
    Kind kind = Kind::Random;
    unsigned depth = 3;
    TimedNoise noise = {};  // of Timed; no part of a token
    static std::optional<StrategySpec> parse(std::string_view text);
    std::string name() const;
    /// What makes the choices of a hunt's run: a portfolio's members take turns.
    StrategySpec of_run(std::uint64_t run) const;
    friend bool operator==(const StrategySpec&, const StrategySpec&) = default;
};
/// @param spec     no portfolio: of one run
/// @param profile  of a default run; PCT needs its counts, and the walk all of it
std::unique_ptr<Strategy> make_strategy(const StrategySpec& spec, std::uint64_t seed,
                                        const std::shared_ptr<const Profile>& profile);

}  // namespace sim
