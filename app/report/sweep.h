#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "app/report/rate.h"

namespace app::report {

/// Executions with one delay in one function: how many failed, and how.
struct SweepPoint {
    std::uint64_t delay_ns = 0;
    Rate rate;
    std::map<std::string, std::uint64_t> by_signature;
};

/// The probability of a failure as a function of a delay.
struct Sweep {
    std::string title;               // "zoned/001 on 6.8"
    std::string function;            // that takes longer
    std::vector<SweepPoint> points;  // by delay
    /// Every signature of any point, in order.
    std::vector<std::string> signatures() const;
};

/// "2.5us", "0ns".
std::string delay_text(std::uint64_t ns);
/// A line for each point, with the interval of its rate, and how many failed in each way.
std::string sweep_table(const Sweep& sweep);
/// A plot with the intervals as whiskers, and a line for each signature if there are several.
std::string sweep_svg(const Sweep& sweep);

}  // namespace app::report
