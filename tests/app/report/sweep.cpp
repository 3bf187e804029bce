#include "app/report/sweep.h"

#include <catch2/catch.hpp>

namespace report_sweep_test {

using namespace app::report;

namespace {

Sweep two_points() {
    Sweep sweep{.title = "a/1 on <6.8>", .function = "f", .points = {}};
    sweep.points.push_back(
        {.delay_ns = 0, .rate = rate_of(30, 100), .by_signature = {{"x", 20}, {"y", 10}}});
    sweep.points.push_back({.delay_ns = 2'500, .rate = rate_of(0, 100), .by_signature = {}});
    return sweep;
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a sweep's table has a line for each delay", "[app][report][sweep]") {
    const std::string table = sweep_table(two_points());
    CHECK(contains(table, "0ns       30       100      0.30000"));
    CHECK(contains(table, "x 20, y 10"));
    CHECK(contains(table, "2.5us        0       100      0.00000  0.00000.."));
    CHECK(two_points().signatures() == std::vector<std::string>{"x", "y"});
}

TEST_CASE("delays are shown in the largest unit that fits", "[app][report][sweep]") {
    CHECK(delay_text(0) == "0ns");
    CHECK(delay_text(999) == "999ns");
    CHECK(delay_text(2'500) == "2.5us");
    CHECK(delay_text(100'000) == "100us");
    CHECK(delay_text(3'000'000) == "3ms");
    CHECK(delay_text(2'000'000'000) == "2s");
}

TEST_CASE("a sweep's plot escapes what it shows, and has a whisker for each interval",
          "[app][report][sweep]") {
    const std::string svg = sweep_svg(two_points());
    CHECK(svg.starts_with("<svg "));
    CHECK(svg.ends_with("</svg>\n"));
    CHECK(contains(svg, "a/1 on &lt;6.8&gt;"));
    CHECK(contains(svg, ">any failure<"));
    CHECK(contains(svg, ">y<"));
    CHECK_FALSE(contains(svg, "nan"));
    CHECK(sweep_svg(Sweep{.title = "none", .function = "f", .points = {}}).ends_with("</svg>\n"));
}

}  // namespace report_sweep_test
