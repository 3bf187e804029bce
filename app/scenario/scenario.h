#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/scenario/ops.h"
#include "app/verdict.h"
#include "model/kernel_version.h"
#include "model/mkfs.h"

namespace app::scenario {

/// One task of a scenario: operations one after the other, on a CPU (a column of the ladder).
struct TaskSpec {
    std::string name;
    std::uint8_t cpu = 1;
    std::vector<Op> run;
};

/// What a search on one kernel must say.
struct Expectation {
    model::KernelVersion kernel;
    Verdict verdict = Verdict::Pass;
    std::string signature;  // empty: any
};

/// Digest of what an execution depends on, in three parts so that a mismatch can say which part
/// changed. Title, bounds and expectations are no part of it: tokens survive their change.
struct ContentHash {
    std::uint32_t fs = 0;
    std::uint32_t prepare = 0;
    std::uint32_t tasks = 0;
    bool operator==(const ContentHash&) const = default;
    std::uint64_t digest() const;
};

struct Scenario {
    std::string id;
    std::string title;
    std::string description;
    std::vector<std::string> groups;
    std::vector<std::string> refs;
    std::optional<model::Release> since;
    model::Geometry geometry;
    std::vector<Op> prepare;
    std::vector<std::string> prepare_lines;  // as written: a repeat is one of them
    std::vector<TaskSpec> tasks;
    std::optional<std::uint32_t> preemptions;  // the scenario's bound
    std::vector<Expectation> expect;
    ContentHash content;
    std::string file;  // where it came from, for reports
    std::string text;  // what it was read from: JSON with comments

    /// "replace/001@5c1e22"
    std::string label() const;
    /// What is expected on this kernel; null: nothing said.
    const Expectation* expected_on(const model::KernelVersion& kernel) const;
    bool exists_on(const model::Release& release) const { return !since || release >= *since; }
};

}  // namespace app::scenario
