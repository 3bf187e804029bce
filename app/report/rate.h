#pragma once
#include <cstdint>
#include <optional>

namespace app::report {

/// How likely one execution is to fail, as far as those that ran can tell. An interval is exact:
/// whatever the probability is, at least `confidence` of all samples give one that holds it.
struct Rate {
    static constexpr double confidence = 0.95;
    std::uint64_t failures = 0, executions = 0;
    bool stopped = false;            // at the first failure
    std::optional<double> estimate;  // nothing when none failed
    double lower = 0, upper = 1;     // with no failure: one-sided, so 3/executions, about
};

/// Of a number of executions that was fixed beforehand (Clopper and Pearson, Biometrika 1934).
Rate rate_of(std::uint64_t failures, std::uint64_t executions);
/// Of executions up to the first that failed, itself included.
Rate rate_until_failure(std::uint64_t executions);

}  // namespace app::report
