#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "app/cli/failure.h"
#include "app/cli/options.h"
#include "app/crash/search.h"
#include "model/kernel_version.h"
#include "sim/reduction.h"
#include "sim/scheduler.h"
#include "sim/strategies.h"

namespace app::cli {

using Environment = std::map<std::string, std::string>;

enum class Format { Text, Json, Jsonl, Junit, Sarif, Ktap, Github, Markdown };
enum class ProgressMode { Auto, Live, Plain, Jsonl, None };

/// One --format with its -o.
struct OutputTarget {
    Format format = Format::Text;
    std::string file = "-";
};

/// The options of a command with their meaning: from the command line, then from the environment,
/// then by default.
struct Settings {
    model::KernelVersion kernel;
    bool kernel_given = false;
    sim::Grain grain = sim::Grain::Coarse;
    std::vector<std::string> split;  // sim::ExecutionOptions::split: of a search that began anew
    sim::StrategySpec strategy;
    std::uint64_t seed = 1;
    std::uint64_t count = 10'000;
    std::optional<std::pair<std::uint64_t, std::uint64_t>> seeds;
    bool each_execution = false;               // --dedup execution
    std::optional<std::uint32_t> preemptions;  // --preemptions N
    sim::Reduction reduction = sim::Reduction::Dpor;
    std::uint64_t state_cache = 1 << 19;  // --state-cache N
    bool unbounded = false;               // --preemptions none
    double self_check = 0;                // --self-check SHARE, 0 to 1
    unsigned jobs = 1;
    std::optional<std::chrono::nanoseconds> time, until_new;
    std::uint32_t max_steps = 100'000;
    std::uint64_t max_bytes = 5'000'000;  // of a page
    std::uint64_t max_executions = ~std::uint64_t{0};
    std::uint64_t times = 1;
    std::uint64_t plan = 0;  // --plan N; 0: none
    std::optional<std::chrono::nanoseconds> checkpoint_interval;
    crash::CrashSet crash_at;
    crash::CheckImages check_images = crash::CheckImages::None;
    std::uint64_t repeat = 3;
    std::uint64_t sweep_steps = 11;
    std::uint64_t width = 75;
    std::vector<OutputTarget> outputs;
    std::string result_file;  // of a verb that writes one: -o without a --format before it
    std::uint64_t verify = 3;
    std::string artifacts = "interleaf-out";
    ProgressMode progress = ProgressMode::Auto;
    std::optional<std::chrono::nanoseconds> progress_interval;
    ExitRule exit_rule;
    bool accept_bounded = false;
    bool quiet = false;
    bool verbose = false;
    bool tips = true;

    bool wants_json() const;
};

/// @param parsed  with the environment's values put in by apply_environment()
/// @return what is wrong; where failures are to be written is known even then
std::optional<Failure> read_settings(const ParsedOptions& parsed, Settings& settings);

/// Adds what the environment says of options that the command line does not give.
/// @return warnings: variables that look like ours and are not
std::vector<std::string> apply_environment(const Environment& environment, ParsedOptions& parsed);

/// "500ms", "30s", "10m", "2h", or a number of seconds.
std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text);
/// An integer, a hexadecimal number, or a 40-digit commit id, which is hashed.
std::optional<std::uint64_t> parse_seed(std::string_view text);

}  // namespace app::cli
