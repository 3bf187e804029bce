#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace app {

/// What may be said after executions ran. One set of words for text, JSON and exit codes.
enum class Verdict {
    Pass,              ///< the whole space was explored, no violation
    PassBounded,       ///< every execution inside the bound was run, no violation
    Clean,             ///< the executions that ran showed no violation
    Fail,              ///< a promise was broken
    Inconclusive,      ///< a limit was hit before any of the above
    Invalid,           ///< scenario or configuration cannot be used
    Nondeterministic,  ///< the model or the replay did not repeat itself
};

const char* to_string(Verdict verdict);
std::optional<Verdict> parse_verdict(std::string_view word);
std::vector<std::string> verdict_words();

/// The program's exit codes: part of the stable interface.
namespace exit_code {
inline constexpr int as_expected = 0;
inline constexpr int violation = 1;  // or another verdict than --expect
inline constexpr int usage = 2;
inline constexpr int invalid = 3;  // scenario, kernel or configuration
inline constexpr int inconclusive = 4;
inline constexpr int nondeterministic = 5;
inline constexpr int damaged = 6;  // artefact corrupt, or of an incompatible version
inline constexpr int internal = 70;
inline constexpr int undecided = 125;  // what `git bisect run` skips
inline constexpr int interrupted = 130;
inline constexpr int terminated = 143;
}  // namespace exit_code

/// How the verdict becomes an exit code.
struct ExitRule {
    std::optional<Verdict> expect;  // --expect
    bool bisect = false;            // --bisect
};
int exit_code_of(Verdict verdict, const ExitRule& rule);
/// What --bisect makes of any code.
int bisect_code(int code);

}  // namespace app
