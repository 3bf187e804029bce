#include <algorithm>

#include "app/cli/options.h"
#include "app/scenario/kernel_spec.h"
#include "app/scenario/ops.h"
#include "app/scenario/words.h"
#include "model/invariants.h"
#include "model/kernel_version.h"

namespace app::cli {

namespace {

constexpr std::size_t text_column = 30, text_width = 100;

/// `left`, then `text` from its column on, wrapped.
std::string help_entry(const std::string& left, std::string_view text) {
    std::string line = "  " + left;
    std::string result;
    if (line.size() + 2 > text_column) {
        result = line + "\n";
        line.clear();
    }
    for (const std::string& word : scenario::split_words(text)) {
        if (line.size() <= text_column)
            line.resize(text_column, ' ');
        else if (line.size() + 1 + word.size() > text_width)
            result += line + "\n", line.assign(text_column, ' ');
        else
            line += ' ';
        line += word;
    }
    return result + line + "\n";
}

std::string option_entry(const OptionSpec& option) {
    std::string left = scenario::join(scenario::split(option.flags, ','), ", ");
    if (*option.value != '\0') left += std::string(" ") + option.value;
    std::string text = option.help;
    if (*option.variable != '\0') text += std::string(" [") + option.variable + "]";
    return help_entry(left, text);
}

/// An option that every verb has.
bool is_common(const OptionSpec& option) {
    return option.verbs == ~0U;
}

std::string common_options() {
    std::string text = "\nOptions of every command:\n";
    for (const OptionSpec& option : options())
        if (is_common(option)) text += option_entry(option);
    return text;
}

std::string program_help() {
    std::string text = "interleaf: a deterministic simulator of btrfs concurrency\n\nUsage: "
                       "interleaf COMMAND [ARGUMENTS] [OPTIONS]\n\n"
                       "Commands:\n";
    for (const VerbSpec& verb : verbs())
        text += help_entry(std::string(verb.name) + " " + verb.arguments, verb.summary);
    text += common_options();
    text += "\ninterleaf COMMAND --help tells what a command takes; --help=TOPIC tells about: " +
            scenario::join(topic_names(), ", ") + "\n";
    return text;
}

std::string exit_codes_topic() {
    return "Exit codes:\n" +
           help_entry("0", "as expected: PASS, PASS-BOUNDED or CLEAN, or the verdict of --expect") +
           help_entry("1",
                      "a violation was found, or a verdict other than that of --expect; of diff: "
                      "the two differ") +
           help_entry("2", "usage error") +
           help_entry("3", "scenario, kernel or configuration cannot be used") +
           help_entry("4", "no verdict inside the limits (INCONCLUSIVE)") +
           help_entry(
               "5", "the replay diverged, or the model did not repeat itself (NONDETERMINISTIC)") +
           help_entry("6", "a token or file is damaged, or of an incompatible version") +
           help_entry("70", "internal error: a bug in interleaf") +
           help_entry("130, 143", "interrupted, terminated") +
           help_entry("125", "with --bisect only: anything but 0 and 1");
}

std::string environment_topic() {
    std::string text = "Environment variables; options go before them:\n";
    for (const OptionSpec& option : options())
        if (*option.variable != '\0')
            text += help_entry(option.variable, "as --" + std::string(option.key()));
    return text +
           help_entry("INTERLEAF_SCENARIO_PATH",
                      "folders of scenarios, separated by colons, searched first") +
           help_entry("CI", "when set, progress is plain lines");
}

std::string operations_topic() {
    std::string text = "Operations of scenarios (FILE is a name, or SUBVOLUME/NAME; sizes are as "
                       "4096, 4K, 64M):\n";
    for (const char* usage : scenario::op_usages())
        text += std::string("  ") + usage + "\n";
    return text + "\"&& OPERATION\" is done only if the one before it in its task succeeded; the "
                  "failure of\n\"OPERATION || fail\" is one of the execution.\n";
}

std::string kernels_topic() {
    std::string text =
        "Changes that --with and --without know; X.Y has those of its release and before:\n";
    for (const model::Fix& fix : model::fixes()) {
        const std::string since = fix.kind == model::Fix::Kind::Upstream   ? to_string(fix.since)
                                  : fix.kind == model::Fix::Kind::Proposal ? std::string("proposal")
                                                                           : std::string("what-if");
        std::string names = fix.id();
        if (names != fix.name) names += std::string("  ") + fix.name;
        text += help_entry(names, since + ": " + fix.subject);
    }
    return text;
}

std::string invariants_topic() {
    std::string text = "Promises that are checked:\n";
    for (const model::Invariant& invariant : model::invariants())
        text += help_entry(invariant.name,
                           std::string(invariant.sentence) + " (" + invariant.where + ")");
    return text;
}

}  // namespace

std::string help_text(const VerbSpec* verb) {
    if (verb == nullptr) return program_help();
    std::string text = std::string("interleaf ") + verb->name + ": " + verb->summary +
                       "\n\nUsage: interleaf " + verb->name + " " + verb->arguments +
                       " [OPTIONS]\n";
    std::string own;
    for (const OptionSpec& option : options())
        if (applies(option, verb->id) && !is_common(option)) own += option_entry(option);
    if (!own.empty()) text += "\nOptions:\n" + own;
    text += common_options() + "\nExamples:\n";
    for (const std::string& line : scenario::split(verb->examples, '\n'))
        text += "  " + line + "\n";
    return text;
}

std::vector<std::string> topic_names() {
    return {"exit-codes", "environment", "operations", "kernels", "invariants"};
}

std::string topic_text(std::string_view topic) {
    if (topic == "exit-codes") return exit_codes_topic();
    if (topic == "environment") return environment_topic();
    if (topic == "operations") return operations_topic();
    if (topic == "kernels") return kernels_topic();
    if (topic == "invariants") return invariants_topic();
    if (const VerbSpec* verb = find_verb(topic)) return help_text(verb);
    return "";
}

}  // namespace app::cli
