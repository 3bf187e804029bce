#include "app/verdict.h"

#include <array>
#include <utility>

namespace app {

namespace {

constexpr std::array<std::pair<Verdict, const char*>, 7> words{{
    {Verdict::Pass, "PASS"},
    {Verdict::PassBounded, "PASS-BOUNDED"},
    {Verdict::Clean, "CLEAN"},
    {Verdict::Fail, "FAIL"},
    {Verdict::Inconclusive, "INCONCLUSIVE"},
    {Verdict::Invalid, "INVALID"},
    {Verdict::Nondeterministic, "NONDETERMINISTIC"},
}};

int plain_code(Verdict verdict) {
    switch (verdict) {
    case Verdict::Pass:
    case Verdict::PassBounded:
    case Verdict::Clean:
        return exit_code::as_expected;
    case Verdict::Fail:
        return exit_code::violation;
    case Verdict::Inconclusive:
        return exit_code::inconclusive;
    case Verdict::Invalid:
        return exit_code::invalid;
    case Verdict::Nondeterministic:
        return exit_code::nondeterministic;
    }
    return exit_code::internal;
}

}  // namespace

const char* to_string(Verdict verdict) {
    for (const auto& [value, word] : words)
        if (value == verdict) return word;
    return "?";
}

std::optional<Verdict> parse_verdict(std::string_view word) {
    for (const auto& [value, name] : words)
        if (word == name) return value;
    return std::nullopt;
}

std::vector<std::string> verdict_words() {
    std::vector<std::string> list;
    for (const auto& entry : words)
        list.emplace_back(entry.second);
    return list;
}

int exit_code_of(Verdict verdict, const ExitRule& rule) {
    int code = plain_code(verdict);
    // A file that cannot be used or a run that did not repeat itself is no verdict on the scenario:
    // it keeps its own code.
    const bool on_scenario = verdict != Verdict::Invalid && verdict != Verdict::Nondeterministic;
    if (rule.expect == verdict)
        code = exit_code::as_expected;
    else if (rule.expect && on_scenario)
        code = exit_code::violation;
    return rule.bisect ? bisect_code(code) : code;
}

int bisect_code(int code) {
    return code == exit_code::as_expected || code == exit_code::violation ? code
                                                                          : exit_code::undecided;
}

}  // namespace app
