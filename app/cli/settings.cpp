#include "app/cli/settings.h"

#include <algorithm>
#include <limits>
#include <thread>

#include "app/cli/cases.h"
#include "app/cli/self_check.h"
#include "app/scenario/kernel_spec.h"
#include "app/scenario/words.h"
#include "sim/hash.h"

namespace app::cli {

namespace {

constexpr std::uint64_t most_jobs = 1024;

/// Reads one option after the other; the first mistake stands.
class Reader {
  public:
    explicit Reader(const ParsedOptions& parsed) : parsed_(parsed) {}

    const std::optional<Failure>& failure() const { return failure_; }

    void number(std::string_view key, std::uint64_t least, std::uint64_t most,
                std::uint64_t& value) {
        if (!parsed_.has(key)) return;
        const std::optional<std::uint64_t> read = scenario::parse_number(parsed_.last(key));
        if (!read || *read < least || *read > most)
            return wrong(
                key, "a number from " + std::to_string(least) + " to " + std::to_string(most), "");
        value = *read;
    }
    template <class T>
    void choice(std::string_view key, const std::vector<std::pair<std::string, T>>& choices,
                T& value) {
        if (parsed_.has(key)) value = chosen(key, parsed_.last(key), choices, value);
    }
    template <class T>
    T chosen(std::string_view key, const std::string& word,
             const std::vector<std::pair<std::string, T>>& choices, T value) {
        std::vector<std::string> words;
        for (const auto& [name, meaning] : choices) {
            if (name == word) return meaning;
            words.push_back(name);
        }
        wrong(key, word, scenario::join(words, ", "), scenario::nearest(word, words));
        return value;
    }
    void duration(std::string_view key, std::optional<std::chrono::nanoseconds>& value) {
        if (!parsed_.has(key)) return;
        value = parse_duration(parsed_.last(key));
        if (!value) wrong(key, "a duration, as 500ms, 30s, 10m or 2h", "");
    }
    void wrong(std::string_view key, std::string_view expected, std::string nearest) {
        wrong(key, parsed_.last(key), expected, std::move(nearest));
    }
    void wrong(std::string_view key, const std::string& word, std::string_view expected,
               std::string nearest) {
        fail(usage_failure("--" + std::string(key) + " \"" + word + "\": expected " +
                               std::string(expected),
                           std::move(nearest)));
    }
    void fail(Failure failure) {
        if (!failure_) failure_ = std::move(failure);
    }

  private:
    const ParsedOptions& parsed_;
    std::optional<Failure> failure_;
};

const std::vector<std::pair<std::string, Format>> formats{
    {"text", Format::Text},     {"json", Format::Json},   {"jsonl", Format::Jsonl},
    {"junit", Format::Junit},   {"sarif", Format::Sarif}, {"ktap", Format::Ktap},
    {"github", Format::Github}, {"md", Format::Markdown}};

bool has_events(VerbId verb) {
    return verb == VerbId::Explore || verb == VerbId::Hunt;
}

/// Text and JSON are of every verb; events are of searches, the others tell of test cases.
void check_formats(const ParsedOptions& parsed, Reader& reader, const Settings& settings) {
    if (parsed.verb == nullptr) return;
    for (const OutputTarget& target : settings.outputs)
        if (target.format == Format::Jsonl && !has_events(parsed.verb->id))
            reader.fail(usage_failure(std::string("interleaf ") + parsed.verb->name +
                                          " has no events: jsonl is of explore and hunt",
                                      "json"));
    if (has_cases(parsed.verb->id)) return;
    for (const OutputTarget& target : settings.outputs)
        if (target.format != Format::Text && target.format != Format::Json)
            reader.fail(usage_failure(std::string("interleaf ") + parsed.verb->name +
                                      " has the formats text and json only"));
}

bool writes_a_file(VerbId verb) {
    return verb == VerbId::Shrink || verb == VerbId::Sweep || verb == VerbId::Export ||
           verb == VerbId::Lesson;
}

/// Each -o belongs to the --format before it; without one, to text, or to the file that the verb
/// writes.
void read_outputs(const ParsedOptions& parsed, Reader& reader, Settings& settings) {
    bool file_given = true;  // whether the last target has its -o
    for (const auto& [key, value] : parsed.in_order) {
        if (key == "format") {
            settings.outputs.push_back(
                {.format = reader.chosen(key, value, formats, Format::Text), .file = "-"});
            file_given = false;
        } else if (key == "output" && file_given && parsed.verb != nullptr &&
                   writes_a_file(parsed.verb->id)) {
            settings.result_file = value;
        } else if (key == "output") {
            if (file_given) settings.outputs.push_back({});
            settings.outputs.back().file = value;
            file_given = true;
        }
    }
    if (settings.outputs.empty()) settings.outputs.push_back({});
    const auto to_stdout =
        std::count_if(settings.outputs.begin(), settings.outputs.end(),
                      [](const OutputTarget& target) { return target.file == "-"; });
    if (to_stdout > 1)
        reader.fail(usage_failure("two formats go to stdout: give each but one a file with -o"));
    check_formats(parsed, reader, settings);
}

void read_kernel(const ParsedOptions& parsed, Reader& reader, Settings& settings) {
    scenario::KernelSpec spec;
    settings.kernel_given = parsed.has("kernel") || parsed.has("with") || parsed.has("without");
    if (parsed.has("kernel")) spec.release = parsed.last("kernel");
    spec.with = parsed.all("with");
    spec.without = parsed.all("without");
    const auto kernel = spec.resolve();
    if (kernel.ok())
        settings.kernel = kernel.value();
    else
        reader.fail(invalid(kernel.error().message, kernel.error().hint));
}

void read_jobs(const ParsedOptions& parsed, Reader& reader, Settings& settings) {
    std::uint64_t jobs = std::max(1U, std::thread::hardware_concurrency());
    if (parsed.last("jobs") != "auto") reader.number("jobs", 1, most_jobs, jobs);
    settings.jobs = static_cast<unsigned>(jobs);
}

/// A bound makes sleep sets unsound, and leaves no room for the cuts that crash points are made of.
void read_reduction(const ParsedOptions& parsed, Reader& reader, Settings& settings) {
    const bool crashes = settings.crash_at.kind != crash::CrashSet::Kind::None;
    if (!parsed.has("reduction")) {
        if (crashes || parsed.has("state-cache")) settings.reduction = sim::Reduction::None;
        return;
    }
    const bool whole = settings.reduction == sim::Reduction::Sleep ||
                       (settings.reduction == sim::Reduction::Dpor && crashes);
    if (!whole) return;
    if (settings.preemptions)
        reader.wrong("preemptions",
                     crashes ? "none with crash points and a reduction"
                             : "none with sleep sets, which a bound would make unsound",
                     "none");
    if (settings.crash_at.kind == crash::CrashSet::Kind::Flush)
        reader.wrong("crash-at",
                     "every-flush or every-write with a reduction: executions that it takes for "
                     "one another count flushes differently",
                     "every-flush");
    settings.unbounded = true;
}

void read_preemptions(const ParsedOptions& parsed, Reader& reader, Settings& settings) {
    if (!parsed.has("preemptions")) return;
    settings.unbounded = parsed.last("preemptions") == "none";
    if (settings.unbounded) return;
    std::uint64_t bound = 0;
    reader.number("preemptions", 0, 1000, bound);
    settings.preemptions = static_cast<std::uint32_t>(bound);
}

void read_self_check(const ParsedOptions& parsed, Reader& reader, Settings& settings) {
    if (!parsed.has("self-check")) return;
    const auto share = parse_share(parsed.last("self-check"));
    if (!share) reader.wrong("self-check", "a share from 0 to 1, as 0.01", "");
    settings.self_check = share.value_or(0);
}

void read_seeds(const ParsedOptions& parsed, Reader& reader, Settings& settings) {
    if (parsed.has("seed")) {
        const std::optional<std::uint64_t> seed = parse_seed(parsed.last("seed"));
        if (!seed)
            reader.wrong("seed", "an integer, a hexadecimal number or a 40-digit commit id", "");
        settings.seed = seed.value_or(1);
    }
    if (!parsed.has("seeds")) return;
    const std::string range = parsed.last("seeds");
    const std::size_t dots = range.find("..");
    const auto first = parse_seed(range.substr(0, dots));
    const auto last = dots == std::string::npos ? first : parse_seed(range.substr(dots + 2));
    if (!first || !last || *last < *first) return reader.wrong("seeds", "A..B", "");
    settings.seeds = {*first, *last};
}

void read_devices(const ParsedOptions& parsed, Reader& reader, Settings& settings) {
    if (parsed.has("crash-at")) {
        const auto where = crash::CrashSet::parse(parsed.last("crash-at"));
        const std::vector<std::string> known{"none", "every-flush", "every-write", "flush:1"};
        if (!where)
            reader.wrong("crash-at", "none, every-flush, every-write or flush:N",
                         scenario::nearest(parsed.last("crash-at"), known));
        settings.crash_at = where.value_or(crash::CrashSet{});
    }
    reader.choice<crash::CheckImages>("check-images",
                                      {{"commit", crash::CheckImages::Commit},
                                       {"crash", crash::CheckImages::Crash},
                                       {"end", crash::CheckImages::End}},
                                      settings.check_images);
    if (settings.check_images == crash::CheckImages::Crash &&
        settings.crash_at.kind == crash::CrashSet::Kind::None)
        reader.fail(
            usage_failure("--check-images crash needs --crash-at: where the machine stops"));
}

void read_verdicts(const ParsedOptions& parsed, Reader& reader, Settings& settings) {
    settings.exit_rule.bisect = parsed.has("bisect");
    settings.accept_bounded = parsed.has("accept-bounded");
    if (!parsed.has("expect")) return;
    settings.exit_rule.expect = parse_verdict(parsed.last("expect"));
    if (!settings.exit_rule.expect)
        reader.wrong("expect", scenario::join(verdict_words(), ", "),
                     scenario::nearest(parsed.last("expect"), verdict_words()));
}

}  // namespace

bool Settings::wants_json() const {
    return std::any_of(outputs.begin(), outputs.end(),
                       [](const auto& target) { return target.format == Format::Json; });
}

std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text) {
    static constexpr std::pair<std::string_view, std::uint64_t> units[] = {{"ms", 1'000'000},
                                                                           {"s", 1'000'000'000},
                                                                           {"m", 60'000'000'000},
                                                                           {"h", 3'600'000'000'000},
                                                                           {"", 1'000'000'000}};
    for (const auto& [unit, factor] : units) {
        if (!text.ends_with(unit)) continue;
        const auto number = scenario::parse_number(text.substr(0, text.size() - unit.size()));
        if (!number) continue;
        if (*number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) / factor)
            return std::nullopt;
        return std::chrono::nanoseconds(static_cast<std::int64_t>(*number * factor));
    }
    return std::nullopt;
}

std::optional<std::uint64_t> parse_seed(std::string_view text) {
    const bool is_commit = text.size() == 40 && text.find_first_not_of("0123456789abcdefABCDEF") ==
                                                    std::string_view::npos;
    return is_commit ? sim::hash_text(text) : scenario::parse_number(text);
}

std::optional<Failure> read_settings(const ParsedOptions& parsed, Settings& settings) {
    Reader reader(parsed);
    read_outputs(parsed, reader, settings);
    read_jobs(parsed, reader, settings);
    read_preemptions(parsed, reader, settings);
    read_self_check(parsed, reader, settings);
    read_seeds(parsed, reader, settings);
    read_verdicts(parsed, reader, settings);
    read_devices(parsed, reader, settings);
    reader.number("count", 1, ~std::uint64_t{0}, settings.count);
    reader.number("state-cache", 0, std::uint64_t{1} << 26, settings.state_cache);
    reader.number("max-executions", 1, ~std::uint64_t{0}, settings.max_executions);
    reader.number("times", 1, 1'000'000, settings.times);
    reader.number("verify", 1, 1000, settings.verify);
    reader.number("repeat", 1, 1000, settings.repeat);
    reader.number("steps", 1, 1000, settings.sweep_steps);
    reader.number("width", 40, 200, settings.width);
    std::uint64_t max_steps = settings.max_steps;
    reader.number("max-steps", 1, 10'000'000, max_steps);
    settings.max_steps = static_cast<std::uint32_t>(max_steps);
    reader.number("max-bytes", 1, 1'000'000'000, settings.max_bytes);
    reader.duration("time", settings.time);
    reader.duration("until-new", settings.until_new);
    if (settings.until_new && !parsed.has("count"))
        settings.count = std::numeric_limits<std::uint64_t>::max();
    reader.duration("progress-interval", settings.progress_interval);
    reader.duration("checkpoint-interval", settings.checkpoint_interval);
    reader.choice<sim::Grain>("grain", {{"coarse", sim::Grain::Coarse}, {"fine", sim::Grain::Fine}},
                              settings.grain);
    reader.choice<ProgressMode>("progress",
                                {{"auto", ProgressMode::Auto},
                                 {"live", ProgressMode::Live},
                                 {"plain", ProgressMode::Plain},
                                 {"jsonl", ProgressMode::Jsonl},
                                 {"none", ProgressMode::None}},
                                settings.progress);
    reader.choice<bool>("dedup", {{"signature", false}, {"execution", true}},
                        settings.each_execution);
    if (parsed.has("strategy")) {
        const auto strategy = sim::StrategySpec::parse(parsed.last("strategy"));
        const std::vector<std::string> known{"random", "walk",  "pct:3",    "pos",
                                             "timed",  "first", "portfolio"};
        if (!strategy)
            reader.wrong("strategy", "random, walk, pct:DEPTH, pos, timed, first or portfolio",
                         scenario::nearest(parsed.last("strategy"), known));
        if (strategy && strategy->kind == sim::StrategySpec::Kind::Portfolio &&
            parsed.verb->id != VerbId::Hunt)
            reader.wrong("strategy",
                         "one strategy: a portfolio takes turns between the executions "
                         "of hunt",
                         "walk");
        settings.strategy = strategy.value_or(sim::StrategySpec{});
    }
    reader.choice<sim::Reduction>("reduction",
                                  {{"none", sim::Reduction::None},
                                   {"sleep", sim::Reduction::Sleep},
                                   {"dpor", sim::Reduction::Dpor}},
                                  settings.reduction);
    read_reduction(parsed, reader, settings);
    reader.number("plan", 1, 10'000, settings.plan);
    if (parsed.has("artifacts")) settings.artifacts = parsed.last("artifacts");
    settings.quiet = parsed.has("quiet");
    settings.verbose = parsed.has("verbose");
    settings.tips = !parsed.has("no-tips") && !settings.quiet;
    read_kernel(
        parsed, reader,
        settings);  // last: a wrong command line is exit 2 before an unknown kernel is exit 3
    return reader.failure();
}

namespace {

/// A recording and a lesson name their own kernel; only the command line asks for another one.
bool takes_from_environment(const OptionSpec& option, VerbId verb) {
    const bool has_its_own = verb == VerbId::Replay || verb == VerbId::Explain ||
                             verb == VerbId::Shrink || verb == VerbId::Lesson;
    return applies(option, verb) && !(has_its_own && option.key() == "kernel");
}

}  // namespace

std::vector<std::string> apply_environment(const Environment& environment, ParsedOptions& parsed) {
    std::vector<std::string> known{"INTERLEAF_SCENARIO_PATH"};
    for (const OptionSpec& option : options()) {
        if (*option.variable == '\0') continue;
        known.emplace_back(option.variable);
        const auto it = environment.find(option.variable);
        if (it == environment.end() || it->second.empty() || parsed.verb == nullptr) continue;
        if (!takes_from_environment(option, parsed.verb->id) || parsed.has(option.key())) continue;
        parsed.in_order.emplace(parsed.in_order.begin(), std::string(option.key()), it->second);
    }
    std::vector<std::string> warnings;
    for (const auto& [name, value] : environment) {
        if (!name.starts_with("INTERLEAF_") ||
            std::find(known.begin(), known.end(), name) != known.end())
            continue;
        const std::string nearest = scenario::nearest(name, known);
        warnings.push_back("unknown environment variable " + name +
                           (nearest.empty() ? std::string() : "; did you mean " + nearest + "?"));
    }
    return warnings;
}

}  // namespace app::cli
