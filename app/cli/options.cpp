#include "app/cli/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <optional>

#include "app/scenario/words.h"

namespace app::cli {

namespace {

constexpr unsigned bit(VerbId verb) {
    return 1U << static_cast<unsigned>(verb);
}

constexpr unsigned on_list = bit(VerbId::List), on_show = bit(VerbId::Show),
                   on_run = bit(VerbId::Run), on_hunt = bit(VerbId::Hunt),
                   on_explore = bit(VerbId::Explore), on_replay = bit(VerbId::Replay),
                   on_explain = bit(VerbId::Explain), on_shrink = bit(VerbId::Shrink),
                   on_diff = bit(VerbId::Diff), on_matrix = bit(VerbId::Matrix),
                   on_bench = bit(VerbId::Bench), on_image = bit(VerbId::Image),
                   on_merge = bit(VerbId::Merge), on_sweep = bit(VerbId::Sweep),
                   on_export = bit(VerbId::Export), on_step = bit(VerbId::Step),
                   on_told = on_export | on_step;
constexpr unsigned on_all = ~0U;
constexpr unsigned on_search = on_hunt | on_explore | on_matrix;
constexpr unsigned on_execution = on_run | on_search | on_replay | on_explain | on_shrink |
                                  on_diff | on_image | on_sweep | on_told;
constexpr unsigned on_stoppable =
    on_run | on_hunt | on_explore | on_replay | on_explain | on_shrink | on_diff | on_told;

constexpr std::array verb_table{
    VerbSpec{VerbId::List, "list", "[ID-GLOB...]", "the scenarios there are", 0, 1000,
             "interleaf list --group quick\ninterleaf list 'replace/*' --format json"},
    VerbSpec{
        VerbId::Show, "show", "THING",
        "a scenario, kernel, change, invariant, token, failure or coverage file, or certificate", 0,
        1,
        "interleaf show replace/001 --kernel 5.5\ninterleaf show 5.5\ninterleaf show 1bbb97b8ce7d"},
    VerbSpec{VerbId::Run, "run", "ID|FILE", "one execution of a scenario", 1, 1,
             "interleaf run replace/001 --seed 7 --trace"},
    VerbSpec{VerbId::Hunt, "hunt", "[ID-GLOB|FILE...]", "random search for a failure", 0, 1000,
             "interleaf hunt replace/001 --kernel 5.5 --without 1bbb97b8ce7d --strategy pct:3 "
             "--count 20000"},
    VerbSpec{VerbId::Explore, "explore", "[ID-GLOB|FILE...]",
             "all executions of a scenario within a bound", 0, 1000,
             "interleaf explore replace/001 --kernel 5.5\ninterleaf explore commit/001 "
             "--preemptions 1 -j 4\ninterleaf explore --resume interleaf-out/commit-001-6.1.ilfr"},
    VerbSpec{VerbId::Merge, "merge", "FILE...",
             "the verdict of a search whose plan's shards were run apart, or what is left of it", 1,
             1000, "interleaf merge interleaf-out/commit-001-6.1.*-of-4.ilfr"},
    VerbSpec{
        VerbId::Replay, "replay", "TOKEN|FILE", "one execution again, from what a failure printed",
        1, 1,
        "interleaf replay il1:...\ninterleaf replay il1:... --kernel 5.5 --on-divergence nearest"},
    VerbSpec{VerbId::Explain, "explain", "TOKEN|FILE",
             "why an execution fails, as a ladder of CPUs", 1, 1, "interleaf explain il1:..."},
    VerbSpec{VerbId::Shrink, "shrink", "TOKEN|FILE",
             "a failing execution with fewer tasks, operations and context switches", 1, 1,
             "interleaf shrink il1:... -o small.ilf\ninterleaf explain small.ilf"},
    VerbSpec{
        VerbId::Diff, "diff", "A B",
        "where two executions of a scenario part: first different choice, first different state", 2,
        2, "interleaf diff il1:... il1:...\ninterleaf diff failing.ilf passing.ilf --full"},
    VerbSpec{VerbId::Matrix, "matrix", "[ID-GLOB|FILE...]",
             "verdicts by scenario and kernel, against what is expected", 0, 1000,
             "interleaf matrix 'replace/*' --format json\ninterleaf matrix --group quick --kernels "
             "5.4,5.5,6.1"},
    VerbSpec{VerbId::Validate, "validate", "FILE...",
             "whether a scenario, token, failure file or certificate can be used", 1, 1000,
             "interleaf validate scenarios/*/*.json"},
    VerbSpec{VerbId::Bench, "bench", "", "how fast the engine and the model are here", 0, 0,
             "interleaf bench --suite core --format json"},
    VerbSpec{VerbId::Image, "image", "ID|TOKEN|FILE",
             "the devices of an execution as real btrfs images", 1, 1,
             "interleaf image commit/001 --seed 7 --at end --dir out/image --check\n"
             "interleaf image il1:... --at commit:1 --dir out/image"},
    VerbSpec{VerbId::Sweep, "sweep", "ID|FILE",
             "how likely a failure is, as a function of a delay in a kernel function", 1, 1,
             "interleaf sweep zoned/001 --kernel 6.8 --delay btrfs_free_tree_block=0..100us "
             "-o sweep.svg"},
    VerbSpec{VerbId::Export, "export", "ID|TOKEN|FILE [ID|TOKEN|FILE]",
             "an execution, or two to compare, as a page for a browser or a file for programs", 1,
             2,
             "interleaf export replace/001 --seed 7 --to html -o replace.html\n"
             "interleaf export failing.ilf passing.ilf --to html -o compare.html\n"
             "interleaf export il1:... --to perfetto -o bug.pftrace\n"
             "interleaf export commit/001 --to dot --at step:40 -o trees.dot"},
    VerbSpec{VerbId::Step, "step", "ID|TOKEN|FILE",
             "an execution step by step, forward and back, with breakpoints and branches", 1, 1,
             "interleaf step il1:...\ninterleaf step il1:... --batch docs/examples/step.txt"},
    VerbSpec{VerbId::Lesson, "lesson", "[NAME|FILE]",
             "guided ways through an execution, for a browser; without a name, which there are", 0,
             1, "interleaf lesson\ninterleaf lesson copy-on-write -o copy-on-write.html"},
};

constexpr std::array option_table{
    // What is simulated.
    OptionSpec{"--kernel", "X.Y", "simulated kernel, mainline's release X.Y (default 6.1)", on_all,
               "INTERLEAF_KERNEL"},
    OptionSpec{"--with", "COMMIT", "add one change to that kernel: a commit id or a name", on_all,
               "", true},
    OptionSpec{"--without", "COMMIT", "take one change out of that kernel", on_all, "", true},
    OptionSpec{"--grain", "GRAIN",
               "coarse (default): steps end where others could notice; fine: at every access",
               on_run | on_hunt | on_explore | on_image | on_sweep | on_told, ""},

    // Which executions.
    OptionSpec{"--strategy", "S",
               "random, walk, pct:D, pos, timed, first; hunt also portfolio (default random)",
               on_run | on_hunt | on_image | on_told, ""},
    OptionSpec{"--seed", "VALUE", "integer, hexadecimal, or a 40-digit commit id (default 1)",
               on_run | on_hunt | on_matrix | on_image | on_sweep | on_told, "INTERLEAF_SEED"},
    OptionSpec{"--seeds", "A..B", "of the executions of this --seed only those numbered A to B",
               on_hunt, ""},
    OptionSpec{"--count", "N",
               "executions for each scenario (default 10000), or each delay (default 20000)",
               on_hunt | on_matrix | on_sweep, ""},
    OptionSpec{"--delay", "FUNCTION=A..B",
               "virtual time that whoever enters the function loses there, from A to B: 0, 250ns, "
               "100us or 2ms",
               on_sweep, ""},
    OptionSpec{"--steps", "N", "delays that are tried, A and B among them (default 11)", on_sweep,
               ""},
    OptionSpec{"--preemptions", "N|none",
               "bound: deviations from the default order (default: the scenario's bound)",
               on_explore | on_matrix, ""},
    OptionSpec{
        "--reduction", "KIND",
        "dpor (the default): where no step's place matters, one order of them; none: all within "
        "the bound; sleep: every transition once, without a bound",
        on_explore, ""},
    OptionSpec{
        "--state-cache", "N",
        "search without a reduction, as crash points do by default; remember N happens-before "
        "prefixes (hashed) and search none of them twice (524288; 0: run every schedule)",
        on_explore | on_matrix, ""},
    OptionSpec{"--keep-going", "", "go on after the first failure and collect all signatures",
               on_hunt | on_explore, ""},
    OptionSpec{"--canonical", "",
               "go on from the failure found to the one with the fewest context switches (default)",
               on_explore, ""},
    OptionSpec{"--first", "", "stop at once at the first failure", on_explore, ""},
    OptionSpec{"--resume", "FILE", "go on with a search that was stopped, or with a plan's shard",
               on_explore, ""},
    OptionSpec{"--checkpoint", "FILE",
               "keep the search in FILE while it runs (default: in the folder of artifacts)",
               on_explore, ""},
    OptionSpec{"--checkpoint-interval", "DUR", "time between checkpoints (default 10s)", on_explore,
               ""},
    OptionSpec{"--plan", "N", "split the search into N files, to be run apart, and stop",
               on_explore | on_merge, ""},
    OptionSpec{
        "--coverage", "FILE",
        "write what the executions came by to FILE: conflicting steps in which orders, checks, "
        "changes; goes on after failures, and a search with a state cache has one worker",
        on_hunt | on_explore, ""},
    OptionSpec{
        "--costs", "",
        "say over which kinds of objects the reversible races were, that is what costs the most "
        "executions; goes on after failures, and a search with a state cache has one worker",
        on_explore, ""},
    OptionSpec{"--self-check", "RATE",
               "take this share of the executions (0.01; 1: all) and run each pair of adjacent "
               "independent steps in the other order as well: a difference is an access that the "
               "model does not declare; the search has one worker",
               on_explore, ""},
    OptionSpec{"--dedup", "KEY",
               "failures listed once for each signature (default) or each execution that differs",
               on_hunt, ""},
    OptionSpec{"--corpus", "DIR",
               "replay the failures in DIR first, do not stop at those, and add new ones", on_hunt,
               ""},
    OptionSpec{"--engine", "ENGINE", "explore (default) or hunt", on_matrix, ""},
    OptionSpec{
        "--kernels", "LIST",
        "kernels, separated by commas; the word expected: those that a scenario expects something "
        "of, which is the default",
        on_matrix, ""},
    OptionSpec{"--certificates", "DIR",
               "keep a certificate of each cell in DIR, and search no cell again that has one of "
               "these inputs there, nor one whose kernel answers alike all that the search of "
               "another asked",
               on_matrix, ""},
    OptionSpec{"--renew", "",
               "with --certificates: search those cells again whose certificate is of an earlier "
               "revision of the search",
               on_matrix, ""},
    OptionSpec{"--group", "GROUP", "scenarios of this group", on_list | on_hunt | on_matrix, "",
               true},
    OptionSpec{"--id", "GLOB", "scenarios whose id matches", on_list, "", true},
    OptionSpec{"--scenario", "FILE", "take the scenario from FILE instead of looking up its id",
               on_replay | on_explain | on_shrink | on_diff | on_show | on_image | on_told, ""},
    OptionSpec{"--crash-at", "WHERE",
               "stop the machine at every-flush, every-write or flush:N, and mount what is left "
               "(default none)",
               on_stoppable, ""},
    OptionSpec{"--degraded", "",
               "a mount after a crash may need -o degraded, as one in the middle of starting a "
               "replace does",
               on_stoppable, ""},
    OptionSpec{"--check-images", "WHEN",
               "let btrfs check judge the devices at each commit, crash or end", on_stoppable, ""},
    OptionSpec{"--at", "WHEN",
               "end (default), commit:N (0: the prepared state), step:N or crash:N: the moment; of "
               "an export as dot, end or step:N: draw the trees then",
               on_image | on_export, ""},
    OptionSpec{"--dir", "DIR", "the folder that DEVICE.img goes to", on_image, ""},
    OptionSpec{"--check", "", "let btrfs check judge the images, in both modes", on_image, ""},
    OptionSpec{
        "--to", "FORM",
        "html: a page for a browser; json: the whole execution (docs/trace.schema.json); "
        "perfetto: tracks for ui.perfetto.dev; ftrace-text: as the kernel's trace file; dot: "
        "what happens before what, for Graphviz; states: the state at each step",
        on_export, ""},
    OptionSpec{"--branches", "N",
               "executions that look where choices lead that were not taken (default 2000)",
               on_told, ""},
    OptionSpec{"--batch", "FILE", "take the commands from FILE, a line each; # begins a comment",
               on_step, ""},
    OptionSpec{"--on-divergence", "WHAT",
               "stop (default), continue or nearest: when a recorded choice is not possible",
               on_replay, ""},
    OptionSpec{"--times", "N", "replay N times and compare", on_replay, ""},

    // Limits.
    OptionSpec{"-j,--jobs", "N|auto", "worker threads (default auto: one for each processor)",
               on_search | on_bench | on_sweep, "INTERLEAF_JOBS"},
    OptionSpec{"--time", "DUR", "wall limit: 500ms, 30s, 10m, 2h", on_search, "INTERLEAF_TIME"},
    OptionSpec{
        "--until-new", "DUR",
        "go on after failures, in each scenario until none with a new signature has come for "
        "this long; no --count limits that unless it is given",
        on_hunt, ""},
    OptionSpec{"--max-steps", "N", "steps of one execution (default 100000)", on_execution, ""},
    OptionSpec{"--max-bytes", "N",
               "largest page (default 5000000); of an execution that needs more the page has a "
               "window around the critical step",
               on_export | on_step, ""},
    OptionSpec{"--max-executions", "N", "executions of one search",
               on_search | on_shrink | on_explain | on_told, ""},
    OptionSpec{"--verify", "N", "replay what was written N times (default 3)", on_shrink, ""},

    // What is shown.
    OptionSpec{"--trace", "", "show every step", on_run | on_replay, ""},
    OptionSpec{"--save", "FILE", "write the execution to FILE, to replay or explain it",
               on_run | on_replay, ""},
    OptionSpec{
        "--as", "FORM",
        "ladder (default), json, or lockdep: a circle of locks as the kernel would report it",
        on_explain, ""},
    OptionSpec{"--critical", "on|off",
               "name the last step before which something that passes is possible (default on)",
               on_explain | on_told, ""},
    OptionSpec{"--flips", "on|off",
               "name the pairs of steps that pass when they come in the other order (default on)",
               on_explain | on_told, ""},
    OptionSpec{"--probability", "", "show from which steps on how many random continuations fail",
               on_explain, ""},
    OptionSpec{"--width", "N", "columns of the ladder (default 75)", on_explain, ""},
    OptionSpec{"--headers", "KIND", "cpu1 (default), cpu0 or task", on_explain, ""},
    OptionSpec{"--full", "", "leave nothing out of the ladder, or of the columns",
               on_explain | on_diff, ""},
    OptionSpec{"--cell", "WHAT", "verdict (default), counts or time", on_matrix, ""},
    OptionSpec{"--long", "", "more about each scenario", on_list, ""},
    OptionSpec{"--fixes", "", "the changes of kernels that --with and --without know", on_list, ""},
    OptionSpec{"--invariants", "", "the promises that are checked", on_list, ""},
    OptionSpec{"--allow-empty", "", "exit 0 although nothing matched", on_list, ""},
    OptionSpec{"--pairs", "", "of a coverage file: the conflicting steps seen in one order only",
               on_show, ""},
    OptionSpec{"--raw", "", "the file as it is", on_show, ""},
    OptionSpec{"--diff-kernel", "A B", "the changes between two kernels", on_show, "", false, 2},
    OptionSpec{"--suite", "NAME",
               "core (default); classic: programs of the literature, whose counts must be right",
               on_bench, ""},
    OptionSpec{"--program", "GLOB", "of the classic suite only the programs with such names",
               on_bench, ""},
    OptionSpec{"--repeat", "N",
               "measurements of each figure, of which the median counts (default 3)", on_bench, ""},

    // Everywhere.
    OptionSpec{"--format", "F",
               "text, json, jsonl, junit, sarif, ktap, github or md; may be repeated, each with "
               "its own -o",
               on_all, "INTERLEAF_FORMAT", true},
    OptionSpec{"-o,--output", "FILE",
               "for the preceding --format; \"-\" is stdout. Before any --format: of shrink the "
               "smaller failure, of sweep the plot (SVG), of export the result, of lesson the page",
               on_all, "", true},
    OptionSpec{"--artifacts", "DIR", "where failures and certificates go (default interleaf-out)",
               on_all, "INTERLEAF_ARTIFACTS"},
    OptionSpec{"--progress", "MODE", "auto, live, plain, jsonl or none", on_all,
               "INTERLEAF_PROGRESS"},
    OptionSpec{"--progress-interval", "DUR",
               "time between progress lines (default: growing from 1s to 60s)", on_all, ""},
    OptionSpec{"--expect", "VERDICT", "exit 0 for this verdict and 1 for another", on_execution,
               ""},
    OptionSpec{"--accept-bounded", "",
               "a bound that interleaf chose itself is good enough for PASS-BOUNDED", on_all, ""},
    OptionSpec{"--bisect", "", "exit 0, 1 or 125, as git bisect run wants it", on_all, ""},
    OptionSpec{"-q,--quiet", "", "no progress and no hints", on_all, ""},
    OptionSpec{"-v,--verbose", "", "more on stderr; with --version, what a report of a bug needs",
               on_all, "", true},
    OptionSpec{"--no-tips", "", "no lines that begin with tip:", on_all, ""},
    OptionSpec{"--version", "", "the version", on_all, ""},
    OptionSpec{
        "-h,--help", "",
        "this text; --help=TOPIC for exit-codes, environment, operations, kernels, invariants",
        on_all, ""},
};

std::vector<std::string> names_of(const OptionSpec& option) {
    return scenario::split(option.flags, ',');
}

const OptionSpec* find_option(std::string_view name) {
    for (const OptionSpec& option : option_table)
        for (const std::string& flag : names_of(option))
            if (flag == name) return &option;
    return nullptr;
}

/// How many of the following words belong to the option word `word`.
std::size_t words_taken(const std::string& word) {
    const OptionSpec* option = find_option(word);
    return option == nullptr || *option->value == '\0' ? 0 : option->values;
}

/// The first word that is neither an option nor its value.
std::size_t verb_index(const std::vector<std::string>& words) {
    std::size_t at = 0;
    while (at < words.size() && words[at].size() > 1 && words[at][0] == '-' && words[at] != "--")
        at += 1 + words_taken(words[at]);
    return std::min(at, words.size());
}

UsageError unknown_verb(const std::string& word) {
    std::vector<std::string> known;
    for (const VerbSpec& verb : verb_table)
        known.emplace_back(verb.name);
    return {.message = "unknown command \"" + word + "\"; there are " + scenario::join(known, ", "),
            .nearest = scenario::nearest(word, known)};
}

UsageError unknown_option(const std::string& word, const VerbSpec* verb) {
    const std::string name = word.substr(0, word.find('='));
    std::vector<std::string> known;
    for (const OptionSpec& option : option_table)
        if (verb == nullptr || applies(option, verb->id))
            for (const std::string& flag : names_of(option))
                known.push_back(flag);
    const std::string of = verb == nullptr ? "interleaf" : std::string("interleaf ") + verb->name;
    if (const OptionSpec* elsewhere = find_option(name); elsewhere != nullptr)
        return {.message = of + " has no option " + name, .nearest = ""};
    return {.message = "unknown option " + name + " of " + of,
            .nearest = scenario::nearest(name, known)};
}

UsageError wrong_count(const ParsedOptions& parsed) {
    const VerbSpec& verb = *parsed.verb;
    const std::string usage = std::string("interleaf ") + verb.name + " " + verb.arguments;
    if (parsed.arguments.size() < verb.least)
        return {.message = std::string(verb.arguments) + " is missing: " + usage, .nearest = ""};
    return {.message = "unexpected argument \"" + parsed.arguments[verb.most] + "\": " + usage,
            .nearest = ""};
}

/// Gives the words after the verb to CLI11, with the options that the verb has.
class Parser {
  public:
    explicit Parser(const VerbSpec* verb) : verb_(verb) {
        app_.set_help_flag();
        app_.allow_extras();
        app_.add_option("arguments", arguments_);
        for (const OptionSpec& option : option_table)
            if (verb == nullptr || applies(option, verb->id)) add(option);
    }

    sim::Result<ParsedOptions, UsageError> parse(std::vector<std::string> words) {
        std::reverse(words.begin(), words.end());  // CLI11 takes them from the end
        try {
            app_.parse(words);
        } catch (const CLI::ParseError& error) {
            return UsageError{.message = error.what(), .nearest = ""};
        }
        for (const std::string& word : app_.remaining())
            return unknown_option(word, verb_);
        ParsedOptions parsed{.verb = verb_, .arguments = arguments_, .in_order = in_order()};
        for (const auto& [option, spec] : added_)
            if (auto mistake = misuse(*option, *spec)) return *mistake;
        if (verb_ != nullptr && !parsed.has("help") &&
            (arguments_.size() < verb_->least || arguments_.size() > verb_->most))
            return wrong_count(parsed);
        return parsed;
    }

  private:
    void add(const OptionSpec& spec) {
        CLI::Option* option = nullptr;
        if (*spec.value == '\0') {
            option = app_.add_flag(spec.flags);
        } else {
            values_.emplace_back(std::make_unique<std::vector<std::string>>());
            option = app_.add_option(spec.flags, *values_.back());
            option->expected(static_cast<int>(spec.values))->allow_extra_args(false);
            if (spec.repeatable) option->take_all();
        }
        added_.emplace_back(option, &spec);
    }

    static std::optional<UsageError> misuse(const CLI::Option& option, const OptionSpec& spec) {
        const std::string name = "--" + std::string(spec.key());
        const bool is_switch = *spec.value == '\0';
        for (const std::string& value : option.results())
            if (is_switch && value != "true")
                return UsageError{.message = name + " takes no value", .nearest = ""};
        if (!spec.repeatable && option.results().size() > spec.values)
            return UsageError{.message = name + " is given more than once", .nearest = ""};
        return std::nullopt;
    }

    std::vector<std::pair<std::string, std::string>> in_order() const {
        std::vector<std::pair<std::string, std::string>> order;
        std::map<const CLI::Option*, std::size_t> seen;
        for (const CLI::Option* option : app_.parse_order()) {
            const auto it = std::find_if(added_.begin(), added_.end(),
                                         [&](const auto& a) { return a.first == option; });
            if (it == added_.end()) continue;
            const std::size_t index = seen[option]++;
            const bool is_switch = *it->second->value == '\0';
            order.emplace_back(it->second->key(), is_switch ? "" : option->results().at(index));
        }
        return order;
    }

    const VerbSpec* verb_;
    CLI::App app_;
    std::vector<std::string> arguments_;
    std::vector<std::unique_ptr<std::vector<std::string>>> values_;
    std::vector<std::pair<CLI::Option*, const OptionSpec*>> added_;
};

}  // namespace

std::span<const VerbSpec> verbs() {
    return verb_table;
}
std::span<const OptionSpec> options() {
    return option_table;
}

const VerbSpec* find_verb(std::string_view name) {
    for (const VerbSpec& verb : verb_table)
        if (name == verb.name) return &verb;
    return nullptr;
}

std::string_view OptionSpec::key() const {
    const std::string_view all = flags;
    return all.substr(all.find("--") + 2);
}

bool applies(const OptionSpec& option, VerbId verb) {
    return (option.verbs & bit(verb)) != 0;
}

bool ParsedOptions::has(std::string_view key) const {
    return std::any_of(in_order.begin(), in_order.end(),
                       [&](const auto& entry) { return entry.first == key; });
}

std::vector<std::string> ParsedOptions::all(std::string_view key) const {
    std::vector<std::string> values;
    for (const auto& [name, value] : in_order)
        if (name == key) values.push_back(value);
    return values;
}

std::string ParsedOptions::last(std::string_view key) const {
    const std::vector<std::string> values = all(key);
    return values.empty() ? "" : values.back();
}

sim::Result<ParsedOptions, UsageError> parse_options(const std::vector<std::string>& words) {
    const std::size_t at = verb_index(words);
    if (at == words.size()) return Parser(nullptr).parse(words);
    const VerbSpec* verb = find_verb(words[at]);
    if (verb == nullptr) return unknown_verb(words[at]);
    std::vector<std::string> rest(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(at));
    rest.insert(rest.end(), words.begin() + static_cast<std::ptrdiff_t>(at) + 1, words.end());
    return Parser(verb).parse(std::move(rest));
}

}  // namespace app::cli
