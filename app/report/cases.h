#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

/// Results as other programs read them: test reports, code scanning, the kernel's test harness,
/// annotations, comments.
namespace app::report {

/// One way in which a scenario failed.
struct Defect {
    std::string signature;
    std::string text;    // what was violated
    std::string token;   // or failure file
    std::string replay;  // the line to paste
    std::string ladder;  // empty: could not be drawn
    /// What the execution says of itself, in order: task and remark.
    std::vector<std::pair<std::string, std::string>> remarks;
};

/// One scenario on one kernel.
struct Case {
    enum class Outcome : std::uint8_t {
        Passed,
        Known,    ///< a failure that is expected
        Failed,   ///< a failure, or another verdict than the expected one
        Skipped,  ///< nothing can be said
        Broken,   ///< it could not be run
    };
    std::string scenario, kernel, verdict;
    Outcome outcome = Outcome::Passed;
    std::string reason;  // why; empty where the defects say it
    std::string file;    // of the scenario; empty: not known
    std::string title;   // of the scenario
    std::vector<Defect> defects;
    std::vector<std::pair<std::string, std::string>> properties;  // seed, executions, ...

    /// "replace/001 on 5.5"
    std::string name() const { return kernel.empty() ? scenario : scenario + " on " + kernel; }
    /// One line: the reason, or the first defect.
    std::string summary() const {
        if (!reason.empty() || defects.empty()) return reason.empty() ? verdict : reason;
        const Defect& first = defects.front();
        return first.text.empty() ? first.signature : first.signature + ": " + first.text;
    }
};

/// What was run and by what.
struct Suite {
    std::string verb, version;
    std::vector<Case> cases;
};

/// JUnit's XML, as far as Jenkins and GitLab read it: a suite for each case, so that seed, token
/// and counts stand where both look for properties. No times: the same bytes each run.
std::string junit(const Suite& suite);
/// SARIF 2.1.0. Defects only: a run without one is empty. The thread flows have the last
/// `max_remarks` remarks, a flow for each task.
inline constexpr std::size_t max_remarks = 1'000;
std::string sarif(const Suite& suite);
/// KTAP version 1: a known failure is XFAIL, what is undecided SKIP.
std::string ktap(const Suite& suite);
/// Workflow commands of GitHub Actions, nine of a type, and one that counts the others.
std::string github(const Suite& suite);
/// A table, and the ladder of each failure.
std::string markdown(const Suite& suite);
/// The ladders alone.
std::string markdown_failures(const Suite& suite);

}  // namespace app::report
