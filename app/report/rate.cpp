#include "app/report/rate.h"

#include <boost/math/distributions/binomial.hpp>
#include <boost/math/distributions/negative_binomial.hpp>

namespace app::report {

namespace {

// Without long double, which valgrind computes with fewer digits than Boost counts on.
using Doubles = boost::math::policies::policy<boost::math::policies::promote_double<false>>;
using Binomial = boost::math::binomial_distribution<double, Doubles>;
using NegativeBinomial = boost::math::negative_binomial_distribution<double, Doubles>;

constexpr double each_side = (1 - Rate::confidence) / 2;

}  // namespace

Rate rate_of(std::uint64_t failures, std::uint64_t executions) {
    Rate rate{.failures = failures, .executions = executions, .estimate = {}};
    if (executions == 0) return rate;
    const auto n = static_cast<double>(executions), k = static_cast<double>(failures);
    if (failures == 0) {
        rate.upper = Binomial::find_upper_bound_on_p(n, 0, 1 - Rate::confidence);
        return rate;
    }
    rate.estimate = k / n;
    rate.lower = Binomial::find_lower_bound_on_p(n, k, each_side);
    if (failures < executions) rate.upper = Binomial::find_upper_bound_on_p(n, k, each_side);
    return rate;
}

Rate rate_until_failure(std::uint64_t executions) {
    Rate rate{.failures = 1, .executions = executions, .stopped = true, .estimate = {}};
    const auto n = static_cast<double>(executions);
    rate.estimate = 1 / n;
    rate.lower = NegativeBinomial::find_lower_bound_on_p(n, 1, each_side);
    if (executions > 1) rate.upper = NegativeBinomial::find_upper_bound_on_p(n, 1, each_side);
    return rate;
}

}  // namespace app::report
