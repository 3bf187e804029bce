#include "app/report/rate.h"

#include <catch2/catch.hpp>
#include <cmath>

namespace report_rate_test {

namespace {

using app::report::Rate;
using app::report::rate_of;
using app::report::rate_until_failure;

/// The probability of at most k failures in n executions, each failing with probability p.
double at_most(unsigned k, unsigned n, double p) {
    double sum = 0, term = std::pow(1 - p, n);
    for (unsigned i = 0; i <= k; ++i) {
        sum += term;
        term *= (n - i) / (i + 1.0) * p / (1 - p);
    }
    return sum;
}

TEST_CASE("the interval of a rate is that of Clopper and Pearson", "[app][report][rate]") {
    const auto [failures, executions] =
        GENERATE(table<unsigned, unsigned>({{1, 10}, {3, 10}, {9, 10}, {1, 500}, {40, 1000}}));
    const Rate rate = rate_of(failures, executions);
    CHECK(*rate.estimate == Approx(failures / static_cast<double>(executions)));
    // By definition: at the ends, what was seen or more (or less) has a probability of 2.5%.
    CHECK(1 - at_most(failures - 1, executions, rate.lower) == Approx(0.025));
    CHECK(at_most(failures, executions, rate.upper) == Approx(0.025));
}

TEST_CASE("a rate is bounded where nothing failed, or everything", "[app][report][rate]") {
    const Rate none = rate_of(0, 1000);
    CHECK_FALSE(none.estimate);
    CHECK(none.lower == 0);
    CHECK(std::pow(1 - none.upper, 1000) == Approx(0.05));
    CHECK(none.upper == Approx(3.0 / 1000).epsilon(0.01));  // the rule of three
    const Rate all = rate_of(20, 20);
    CHECK(std::pow(all.lower, 20) == Approx(0.025));
    CHECK(all.upper == 1);
    const Rate nothing = rate_of(0, 0);
    CHECK(nothing.lower == 0);
    CHECK(nothing.upper == 1);
}

TEST_CASE("a search that stopped at its first failure has an interval of its own",
          "[app][report][rate]") {
    const unsigned executions = GENERATE(2U, 17U, 3000U);
    const Rate rate = rate_until_failure(executions);
    CHECK(rate.stopped);
    CHECK(*rate.estimate == Approx(1.0 / executions));
    // The first failure comes as early with 2.5%; or as late.
    CHECK(1 - std::pow(1 - rate.lower, executions) == Approx(0.025));
    CHECK(std::pow(1 - rate.upper, executions - 1) == Approx(0.025));
    CHECK(rate_until_failure(1).upper == 1);
}

}  // namespace

}  // namespace report_rate_test
