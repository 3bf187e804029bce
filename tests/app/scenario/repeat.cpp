#include "app/scenario/repeat.h"

#include <catch2/catch.hpp>

namespace scenario_repeat_test {

using namespace app::scenario;

namespace {

OpError mistake(const std::string& command) {
    const auto line = with_number(command, 1);
    INFO(command);
    REQUIRE_FALSE(line.ok());
    return line.error();
}

}  // namespace

TEST_CASE("A running number is put where the line asks for it", "[app][scenario]") {
    CHECK(with_number("sync", 7).value() == "sync");
    CHECK(with_number("touch f{i}", 7).value() == "touch f7");
    CHECK(with_number("pwrite -S {i} {i*8}K 4K d{i}/f{i}", 3).value() ==
          "pwrite -S 3 24K 4K d3/f3");
    CHECK(with_number("{i*0x10}", 10).value() == "160");
    CHECK(with_number("{i*4}", 0).value() == "0");
    CHECK(has_number("touch f{i}"));
    CHECK(has_number("touch f}"));
    CHECK_FALSE(has_number("touch f1"));
}

TEST_CASE("Braces around anything else are a mistake", "[app][scenario]") {
    for (const char* place :
         {"{j}", "{}", "{i+1}", "{i*}", "{i*x}", "{ i }", "{i*99999999999999}"}) {
        const OpError error = mistake("touch f" + std::string(place));
        CHECK(error.message.find("\"" + std::string(place) + "\" is no running number") !=
              std::string::npos);
        CHECK(error.nearest == "{i}");
    }
    CHECK(mistake("touch f{i g").message == "\"touch f{i g\": \"{i\" is no running number");
    CHECK(mistake("touch f}{i}").message.find("\"}{i}\"") != std::string::npos);
}

}  // namespace scenario_repeat_test
