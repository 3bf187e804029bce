#pragma once
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/result.h"

/// The option table: the parser, --help and the manual pages all come from it.
namespace app::cli {

enum class VerbId : unsigned {
    List,
    Show,
    Run,
    Hunt,
    Explore,
    Replay,
    Explain,
    Shrink,
    Diff,
    Matrix,
    Validate,
    Bench,
    Image,
    Merge,
    Sweep,
    Export,
    Step,
    Lesson
};

struct VerbSpec {
    VerbId id;
    const char* name;
    const char* arguments;  // "ID", "[ID-GLOB...]"
    const char* summary;
    unsigned least, most;  // number of arguments
    const char* examples;  // lines
};
std::span<const VerbSpec> verbs();
const VerbSpec* find_verb(std::string_view name);

struct OptionSpec {
    const char* flags;  // "-j,--jobs"
    const char* value;  // "N|auto"; empty: a switch
    const char* help;
    unsigned verbs;        // bit mask of VerbId
    const char* variable;  // environment variable that sets it; empty: none
    bool repeatable = false;
    unsigned values = 1;  // words that follow

    /// The long name without dashes, by which the program asks for it.
    std::string_view key() const;
};
std::span<const OptionSpec> options();
bool applies(const OptionSpec& option, VerbId verb);

/// What was wrong with a command line. Exit 2.
struct UsageError {
    std::string message;
    std::string nearest;
};

/// A command line, split but not yet understood.
struct ParsedOptions {
    const VerbSpec* verb = nullptr;
    std::vector<std::string> arguments;
    std::vector<std::pair<std::string, std::string>>
        in_order;  // key and value, a switch has the value ""

    bool has(std::string_view key) const;
    std::vector<std::string> all(std::string_view key) const;
    /// The last one given, or "".
    std::string last(std::string_view key) const;
};
sim::Result<ParsedOptions, UsageError> parse_options(const std::vector<std::string>& words);

/// Text of --help: of the program (null), or of one verb.
std::string help_text(const VerbSpec* verb);
/// Text of --help=TOPIC; empty when there is no such topic.
std::string topic_text(std::string_view topic);
std::vector<std::string> topic_names();

}  // namespace app::cli
