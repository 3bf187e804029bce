#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "app/json.h"
#include "model/kernel_version.h"
#include "sim/coverage.h"
#include "sim/result.h"

namespace app::report {

/// One of two conflicting steps, as people read it: "writer/endio: lock ref_head".
struct ConflictingStep {
    std::string task, operation, object;
};
/// Two steps that conflicted, and how often in either order.
struct ConflictPair {
    ConflictingStep first, second;
    std::uint64_t in_order = 0, reversed = 0;
    bool both() const { return in_order != 0 && reversed != 0; }
};
struct CountedName {
    std::string name;
    std::uint64_t count = 0;
};
struct CountedChange {
    std::string id, name;
    bool present = false;     // in that kernel
    std::uint64_t count = 0;  // times that its code path ran, as that kernel has it
};

/// What the executions of one scenario came by.
struct ScenarioCoverage {
    std::string scenario, kernel;
    std::uint64_t executions = 0;
    std::vector<ConflictPair> pairs;
    std::vector<CountedName> invariants;  // all that there are
    std::vector<CountedChange> changes;   // all that there are

    std::size_t one_order() const;  // pairs never seen in both
    std::size_t evaluated() const;  // invariants
    std::size_t changes_run() const;
};
ScenarioCoverage coverage_of(const sim::Coverage& coverage, const std::string& scenario,
                             const model::KernelVersion& kernel);

/// JSON with a checksum.
std::string to_text(const std::vector<ScenarioCoverage>& coverage);
/// Whether a text is meant to be a coverage file.
bool looks_like_coverage(std::string_view text);
/// @return what is wrong with the file. Always exit 6
sim::Result<std::vector<ScenarioCoverage>, std::string> parse_coverage(std::string_view text);

}  // namespace app::report
