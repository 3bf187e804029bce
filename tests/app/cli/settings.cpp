#include "app/cli/settings.h"

#include <catch2/catch.hpp>

namespace cli_settings_test {

using namespace app::cli;
using namespace std::chrono_literals;

namespace {

struct Read {
    Settings settings;
    std::optional<Failure> failure;
    std::vector<std::string> warnings;
};

Read read(std::vector<std::string> words, const Environment& environment = {}) {
    auto parsed = parse_options(words);
    REQUIRE(parsed.ok());
    Read result;
    result.warnings = apply_environment(environment, parsed.value());
    result.failure = read_settings(parsed.value(), result.settings);
    return result;
}

}  // namespace

TEST_CASE("Durations have units", "[app][cli]") {
    CHECK(parse_duration("500ms") == 500ms);
    CHECK(parse_duration("30s") == 30s);
    CHECK(parse_duration("10m") == 10min);
    CHECK(parse_duration("2h") == 2h);
    CHECK(parse_duration("7") == 7s);
    CHECK_FALSE(parse_duration(""));
    CHECK_FALSE(parse_duration("ms"));
    CHECK_FALSE(parse_duration("1d"));
    CHECK_FALSE(parse_duration("99999999999999999h"));
}

TEST_CASE("A seed is a number or a commit", "[app][cli]") {
    CHECK(parse_seed("7") == 7);
    CHECK(parse_seed("0x19c0") == 0x19c0);
    CHECK(parse_seed("5846a3c268735846a3c268735846a3c268735846"));
    CHECK(parse_seed("5846a3c268735846a3c268735846a3c268735846") !=
          parse_seed("5846a3c268735846a3c268735846a3c268735847"));
    CHECK_FALSE(parse_seed("seven"));
    CHECK_FALSE(parse_seed("-1"));
}

TEST_CASE("Options go before the environment, and that before defaults", "[app][cli]") {
    const Environment environment{
        {"INTERLEAF_KERNEL", "5.4"}, {"INTERLEAF_SEED", "9"}, {"INTERLEAF_JOBS", "3"}};
    CHECK(read({"run", "a/1"}).settings.kernel.name() == "6.1");
    CHECK(read({"run", "a/1"}, environment).settings.kernel.name() == "5.4");
    CHECK(read({"run", "a/1"}, environment).settings.seed == 9);
    CHECK(read({"run", "a/1", "--seed", "4"}, environment).settings.seed == 4);
    CHECK(read({"explore", "a/1"}, environment).settings.jobs == 3);
    SECTION("a recording keeps its own kernel") {
        CHECK_FALSE(read({"replay", "il1:x"}, environment).settings.kernel_given);
        CHECK(read({"replay", "il1:x", "--kernel", "5.5"}, environment).settings.kernel_given);
    }
}

TEST_CASE("A variable that looks like ours and is not is named", "[app][cli]") {
    const Read result =
        read({"list"}, {{"INTERLEAF_SEDE", "1"}, {"INTERLEAF_SCENARIO_PATH", "x"}, {"OTHER", "1"}});
    REQUIRE(result.warnings.size() == 1);
    CHECK(result.warnings[0] ==
          "unknown environment variable INTERLEAF_SEDE; did you mean INTERLEAF_SEED?");
}

TEST_CASE("Each -o belongs to the format before it", "[app][cli]") {
    const auto targets = [](std::vector<std::string> words) {
        words.insert(words.begin(), "list");
        std::string text;
        for (const OutputTarget& target : read(words).settings.outputs)
            text += (target.format == Format::Json ? "json:" : "text:") + target.file + " ";
        return text;
    };
    CHECK(targets({}) == "text:- ");
    CHECK(targets({"--format", "json"}) == "json:- ");
    CHECK(targets({"-o", "x"}) == "text:x ");
    CHECK(targets({"--format", "json", "-o", "x"}) == "json:x ");
    CHECK(targets({"--format", "text", "--format", "json", "-o", "x"}) == "text:- json:x ");
    CHECK(targets({"-o", "y", "--format", "json", "-o", "x"}) == "text:y json:x ");
    CHECK(read({"list", "--format", "text", "--format", "json"}).failure->exit ==
          app::exit_code::usage);
}

TEST_CASE("What is wrong decides the exit code", "[app][cli]") {
    CHECK(read({"run", "a/1", "--seed", "x"}).failure->exit == app::exit_code::usage);
    CHECK(read({"run", "a/1", "--format", "jsn"}).failure->nearest == "json");
    CHECK(read({"explore", "a/1", "--preemptions", "-1"}).failure->exit == app::exit_code::usage);
    CHECK(read({"explore", "a/1", "--jobs", "0"}).failure->exit == app::exit_code::usage);
    CHECK(read({"explore", "a/1", "--expect", "FAILED"}).failure->nearest == "FAIL");
    CHECK(read({"run", "a/1", "--strategy", "randm"}).failure->nearest == "random");
    CHECK(read({"run", "a/1", "--kernel", "7.77"}).failure->exit == app::exit_code::invalid);
    CHECK(read({"run", "a/1", "--without", "1bbb97b8ce7e"}).failure->exit ==
          app::exit_code::invalid);
    CHECK(read({"run", "a/1", "--kernel", "7.77", "--seed", "x"}).failure->exit ==
          app::exit_code::usage);
}

TEST_CASE("A bound is a number or none", "[app][cli]") {
    CHECK(read({"explore", "a/1", "--preemptions", "3"}).settings.preemptions == 3U);
    CHECK(read({"explore", "a/1", "--preemptions", "none"}).settings.unbounded);
    CHECK_FALSE(read({"explore", "a/1"}).settings.preemptions);
}

}  // namespace cli_settings_test
