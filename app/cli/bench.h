#pragma once
#include <string>
#include <vector>

#include "app/cli/session.h"

namespace app::cli {

/// One measured figure.
struct Metric {
    std::string name;  // "engine/atomic-2x10/time-per-step"
    double value = 0;
    std::string unit;  // "ns", "1/s", "us", "MiB"; "1" for a plain count
};

/// CPU time that the process has used, in seconds: what other processes do meanwhile hardly shows.
double cpu_seconds();

/// The greater of the two in the middle when their number is even. @param values  at least one
double median(std::vector<double> values);

/// The engine alone, scenarios on one core, starting an execution, and memory. Medians of `repeat`
/// measurements.
std::vector<Metric> core_suite(const Library& library, unsigned repeat);

/// Programs of the literature under DPOR: what was counted beside what was published.
struct ClassicResults {
    std::vector<Metric> metrics;
    Json programs = Json::array();
    bool as_published = true;  // every count, and nothing cut
};
/// Times are medians of `repeat` searches of each; that of a step is of the executions after the
/// first one, which the beginning of a search belongs to, where there are enough.
/// @param pattern  of names; those that do not match are left out
ClassicResults classic_suite(const std::string& pattern, unsigned repeat);

/// How often each strategy of a hunt meets a deadlock that needs all of eight tasks.
void measure_strategies(std::vector<Metric>& metrics);

/// What images and crashes cost: one state judged by btrfs check, and a search with crash points
/// against one without.
void measure_devices(const ScenarioPtr& scenario, unsigned repeat, std::vector<Metric>& metrics);

}  // namespace app::cli
