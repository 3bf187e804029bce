#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/scenario/scenario.h"
#include "model/kernel_version.h"
#include "sim/scheduler.h"
#include "sim/strategies.h"

namespace app::report {

/// Raised whenever engine or model change so that the same schedule means another execution.
inline constexpr std::uint32_t model_revision = 7;

inline constexpr std::string_view token_prefix = "il1:";
inline constexpr std::size_t max_token_length = 512;

/// How to repeat a run that a strategy made: what the strategy was given.
struct StrategyRun {
    sim::StrategySpec strategy;
    std::uint64_t seed = 0;
    std::uint32_t tasks = 0, steps = 0;  // PCT's n and k, of a default run
};

/// Everything that repeats one execution.
struct Token {
    std::uint32_t revision = model_revision;
    std::string scenario;           // id
    scenario::ContentHash content;  // as far as the token keeps it: see content_matches()
    model::KernelVersion kernel;
    bool fine = false;  // the grain
    std::optional<std::uint16_t>
        trace_hash;  // its first digits; absent when the token was made before the run
    std::optional<StrategyRun> run;  // otherwise: the schedule
    sim::Schedule schedule;
    std::vector<std::string> split;  // kinds of objects: sim::ExecutionOptions::split
};

/// Sixteen bits of a trace hash, as tokens keep it.
std::uint16_t short_hash(std::uint64_t trace_hash);

/// @return the token; empty when the schedule does not fit into max_token_length characters
std::string encode(const Token& token);

/// Why a token cannot be read. Always exit 6.
struct TokenError {
    std::string message;
};
sim::Result<Token, TokenError> decode(std::string_view text);

/// Whether the text wants to be a token, of whatever version.
bool looks_like_token(std::string_view text);

/// Which parts of a scenario are not those the token was made for: "the tasks and the filesystem";
/// empty: all are.
std::string changed_parts(const Token& token, const scenario::ContentHash& content);

}  // namespace app::report
