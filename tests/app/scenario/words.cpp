#include "app/scenario/words.h"

#include <catch2/catch.hpp>

namespace scenario_words_test {

using namespace app::scenario;

TEST_CASE("The nearest word is the one that was probably meant", "[app][scenario]") {
    const std::vector<std::string> words{"pwrite", "pread", "falloc", "truncate", "fsync", "sync"};
    CHECK(nearest("pwrte", words) == "pwrite");
    CHECK(nearest("pwriet", words) == "pwrite");
    CHECK(nearest("trunc", words) == "truncate");
    CHECK(nearest("fsnyc", words) == "fsync");
    CHECK(nearest("balance", words).empty());
    CHECK(nearest("", words).empty());
}

TEST_CASE("Sizes are numbers of bytes with an optional unit", "[app][scenario]") {
    CHECK(parse_size("4096") == 4096);
    CHECK(parse_size("0x1000") == 4096);
    CHECK(parse_size("4K") == 4096);
    CHECK(parse_size("64M") == 64 << 20);
    CHECK(parse_size("1g") == 1 << 30);
    CHECK_FALSE(parse_size(""));
    CHECK_FALSE(parse_size("K"));
    CHECK_FALSE(parse_size("64MB"));
    CHECK_FALSE(parse_size("-1"));
    CHECK_FALSE(parse_size("1.5M"));
    CHECK_FALSE(parse_size("20000000000000000000"));
    CHECK_FALSE(parse_size("18446744073709551615K"));
    CHECK(format_size(64 << 20) == "64M");
    CHECK(format_size(12 << 10) == "12K");
    CHECK(format_size(513) == "513");
    CHECK(format_size(0) == "0");
}

TEST_CASE("A glob matches whole ids", "[app][scenario]") {
    CHECK(glob_match("replace/*", "replace/001"));
    CHECK(glob_match("*", "replace/001"));
    CHECK(glob_match("*/00?", "replace/001"));
    CHECK(glob_match("r*e/*1", "replace/001"));
    CHECK_FALSE(glob_match("replace", "replace/001"));
    CHECK_FALSE(glob_match("replace/00", "replace/001"));
    CHECK_FALSE(glob_match("?", ""));
}

TEST_CASE("Text is split at blanks and separators", "[app][scenario]") {
    CHECK(split_words("  a  bc\td ") == std::vector<std::string>{"a", "bc", "d"});
    CHECK(split("a,,b", ',') == std::vector<std::string>{"a", "", "b"});
    CHECK(hex_digits(0x91d0abcdef012345, 4) == "91d0");
}

}  // namespace scenario_words_test
