#pragma once
#include <chrono>

#include "app/cli/search.h"
#include "app/report/certificate.h"

namespace app::cli {

/// One scenario on one kernel.
struct Cell {
    ScenarioPtr scenario;
    model::KernelVersion kernel;
    bool exists = true;  // the scenario can be run there
    Verdict verdict = Verdict::Inconclusive;
    std::string frequency;  // never, sometimes, always; empty: not known
    std::uint64_t executions = 0, failing = 0;
    Bound bound;                           // that is asked for
    std::optional<std::uint32_t> reached;  // that the search came to: the failure's, or the last
    std::optional<double> share_done;      // of a search that was cut, at that bound; an estimate
    std::string signature, token;
    std::chrono::nanoseconds time{};
    const scenario::Expectation* expected = nullptr;
    std::string certificate;      // its file; empty: none
    std::string same_as;          // the kernel whose search this is; empty: its own
    bool earlier_search = false;  // by a program that searched otherwise

    /// "commit/001 on 6.1"
    std::string name() const { return scenario->id + " on " + kernel.name(); }
    bool as_expected() const;
    /// How much of a search that was cut is done: "61%", "61% at 1" where a bound before the one
    /// that is asked for was being explored. Never all of it. Empty: it was not cut.
    std::string done_text() const;
};

/// A column for each kernel, or a line for each cell when that would be too wide.
/// @param what  of each cell: verdict, counts or time
std::string table_text(const std::vector<Cell>& cells, const std::string& what);
/// Those that are not as expected, and how many.
std::string differences_text(const std::vector<Cell>& cells);
Json cell_json(const Cell& cell);

}  // namespace app::cli
