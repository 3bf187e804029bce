#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sim/meaning.h"
#include "sim/trace.h"

/// Two executions of one scenario, side by side.
namespace app::report {

/// Steps of one task without another's between them.
struct Stretch {
    std::string task;
    std::uint32_t first = 0, count = 0;  // steps
    std::string remark;                  // the last thing that was said in it
};

/// A line of the two columns: a stretch of either execution, or of both when the same task runs.
struct ComparedRow {
    std::optional<Stretch> a, b;
    bool same = false;  // the same steps with the same effects
};

struct Comparison {
    std::uint32_t common = 0;  // steps that are the same at the start
    /// What each does then; nothing: it has ended. Both nothing: they are the same to the end.
    std::optional<sim::Meaning> next_a, next_b;
    /// Steps that mean the same in both (by task, operation, object and occurrence), in order of A;
    /// within a task none crosses another.
    std::vector<std::pair<std::uint32_t, std::uint32_t>> partners;
    /// The first partners that did something else: touched other objects, or found or left other
    /// values there.
    std::optional<std::pair<std::uint32_t, std::uint32_t>> state;
    std::vector<ComparedRow> rows;  // from the stretch with the first difference on

    bool same() const { return !next_a && !next_b && !state; }
};

/// @param a, b  of narrated executions
Comparison compare(const sim::Trace& a, const sim::Trace& b);

/// What a step does, and what was said in it: "writer: lock mutex 12; creates ordered extent".
std::string step_text(const sim::Trace& trace, std::uint32_t step);

/// Two columns of stretches, marked as diff -y does: `|` both differ, `<` and `>` only one has it.
/// @param most  rows that are shown
std::string columns_text(const Comparison& comparison, std::size_t width, std::size_t most);

}  // namespace app::report
