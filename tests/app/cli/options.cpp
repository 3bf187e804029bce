#include "app/cli/options.h"

#include <catch2/catch.hpp>
#include <set>

namespace cli_options_test {

using namespace app::cli;

namespace {

ParsedOptions parsed(const std::vector<std::string>& words) {
    const auto result = parse_options(words);
    INFO((result.ok() ? std::string() : result.error().message));
    REQUIRE(result.ok());
    return result.value();
}

/// The whole word: "--time" is not in "--times".
bool mentions(const std::string& text, const std::string& option) {
    for (std::size_t at = text.find(option); at != std::string::npos;
         at = text.find(option, at + 1))
        if (const char next = text[at + option.size()]; next == ' ' || next == '\n' || next == ',')
            return true;
    return false;
}

UsageError mistake(const std::vector<std::string>& words) {
    const auto result = parse_options(words);
    REQUIRE_FALSE(result.ok());
    return result.error();
}

}  // namespace

TEST_CASE("Options stand before or after the command", "[app][cli]") {
    for (const std::vector<std::string>& words :
         {std::vector<std::string>{"explore", "replace/001", "--kernel", "5.5", "-j", "4"},
          std::vector<std::string>{"--kernel", "5.5", "-j4", "explore", "replace/001"},
          std::vector<std::string>{"--kernel=5.5", "explore", "--jobs=4", "replace/001"}}) {
        const ParsedOptions options = parsed(words);
        CHECK(options.verb->id == VerbId::Explore);
        CHECK(options.arguments == std::vector<std::string>{"replace/001"});
        CHECK(options.last("kernel") == "5.5");
        CHECK(options.last("jobs") == "4");
    }
}

TEST_CASE("Repeated options keep their order", "[app][cli]") {
    const ParsedOptions options =
        parsed({"run", "a/1", "--format", "text", "--with", "x", "--format", "json", "-o", "f",
                "--with", "y", "-v", "-v"});
    CHECK(options.all("with") == std::vector<std::string>{"x", "y"});
    std::vector<std::string> keys;
    for (const auto& entry : options.in_order)
        keys.push_back(entry.first);
    CHECK(keys == std::vector<std::string>{"format", "with", "format", "output", "with", "verbose",
                                           "verbose"});
    CHECK(parsed({"show", "--diff-kernel", "4.6", "4.7"}).all("diff-kernel") ==
          std::vector<std::string>{"4.6", "4.7"});
}

TEST_CASE("A wrong command line gets the nearest word", "[app][cli]") {
    CHECK(mistake({"explor", "a/1"}).nearest == "explore");
    CHECK(mistake({"explore", "a/1", "--kernal", "5.5"}).nearest == "--kernel");
    CHECK(mistake({"--kernal=5.5", "explore", "a/1"}).nearest == "--kernel");
    CHECK(mistake({"list", "--trace"}).message == "interleaf list has no option --trace");
    CHECK(mistake({"replay"}).message.find("missing") != std::string::npos);
    CHECK(mistake({"run", "a/1", "b/2"}).message.find("unexpected argument \"b/2\"") !=
          std::string::npos);
    CHECK_FALSE(parse_options({"explore", "a/1", "--kernel"}).ok());
    CHECK_FALSE(parse_options({"explore", "a/1", "--kernel", "5.4", "--kernel", "5.5"}).ok());
    CHECK_FALSE(parse_options({"explore", "a/1", "--keep-going=maybe"}).ok());
}

TEST_CASE("Every option and command is in the help text", "[app][cli]") {
    for (const VerbSpec& verb : verbs()) {
        CHECK(help_text(nullptr).find(verb.name) != std::string::npos);
        const std::string help = help_text(&verb);
        for (const OptionSpec& option : options()) {
            INFO(verb.name << " " << option.flags);
            CHECK((mentions(help, "--" + std::string(option.key()))) == applies(option, verb.id));
        }
    }
    for (const std::string& topic : topic_names())
        CHECK_FALSE(topic_text(topic).empty());
    CHECK(topic_text("nothing").empty());
}

TEST_CASE("Help lines fit into 100 columns", "[app][cli]") {
    for (const VerbSpec& verb : verbs()) {
        std::istringstream lines(help_text(&verb));
        for (std::string line; std::getline(lines, line);) {
            INFO(line);
            CHECK((line.size() <= 100 || line.find("interleaf ") != std::string::npos));
        }
    }
}

TEST_CASE("No two options have one name", "[app][cli]") {
    std::set<std::string_view> keys;
    for (const OptionSpec& option : options())
        CHECK(keys.insert(option.key()).second);
}

}  // namespace cli_options_test
