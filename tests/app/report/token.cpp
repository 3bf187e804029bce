#include "app/report/token.h"

#include <catch2/catch.hpp>

namespace report_token_test {

using namespace app::report;

namespace {

model::KernelVersion kernel(const char* release, const std::vector<std::string>& with = {},
                            const std::vector<std::string>& without = {}) {
    return model::KernelVersion::parse(release, with, without).value();
}

Token sample() {
    Token token;
    token.scenario = "replace/001";
    token.content = {.fs = 0x12345678, .prepare = 0x9abcdef0, .tasks = 0x0fedcba9};
    token.kernel = kernel("5.5", {}, {"1bbb97b8ce7d"});
    token.trace_hash = 0xbeef;
    token.schedule.departures = {{.ordinal = 31, .index = 1}, {.ordinal = 64, .index = 1}};
    return token;
}

Token round_trip(const Token& token) {
    const std::string text = encode(token);
    INFO(text);
    REQUIRE(text.starts_with("il1:"));
    REQUIRE(text.size() <= max_token_length);
    const auto decoded = decode(text);
    REQUIRE(decoded.ok());
    return decoded.value();
}

}  // namespace

TEST_CASE("A token gives back what went in", "[app][report]") {
    Token token = sample();
    SECTION("a schedule") {}
    SECTION("no departure at all") {
        token.schedule.departures.clear();
    }
    SECTION("many departures") {
        for (std::uint32_t i = 0; i < 300; ++i)
            token.schedule.departures.push_back(
                {.ordinal = 70 + 2 * i, .index = static_cast<std::uint16_t>(1 + i % 3)});
    }
    SECTION("an unusual id") {
        token.scenario = "My-Group/a_1";
    }
    SECTION("another kernel") {
        token.kernel = kernel("4.7", {"cursor-duplication"}, {"f0e9b7d64019"});
    }
    SECTION("the default kernel, made before the run") {
        token.kernel = model::KernelVersion{};
        token.trace_hash.reset();
    }
    SECTION("the fine grain") {
        token.fine = true;
    }
    SECTION("a search that split some kinds of objects") {
        token.split = {"ordered_extent", "page"};
    }
    SECTION("all that there may be in bytes that are full") {
        const auto more = GENERATE(1U, 2U, 3U, 4U, 5U, 6U, 7U, 8U);
        for (std::uint32_t i = 0; i < more; ++i)
            token.schedule.departures.push_back({.ordinal = 65 + i, .index = 1});
    }
    const Token back = round_trip(token);
    CHECK(back.split == token.split);
    CHECK(back.scenario == token.scenario);
    CHECK(back.kernel == token.kernel);
    CHECK(back.schedule == token.schedule);
    CHECK(back.trace_hash == token.trace_hash);
    CHECK(back.fine == token.fine);
    CHECK(back.revision == model_revision);
    CHECK_FALSE(back.run);
    CHECK(changed_parts(back, token.content).empty());
}

TEST_CASE("A token of a strategy and a seed gives them back", "[app][report]") {
    Token token = sample();
    token.run = StrategyRun{.strategy = *sim::StrategySpec::parse("pct:3"),
                            .seed = 0xfedcba9876543210,
                            .tasks = 7,
                            .steps = 612};
    const Token back = round_trip(token);
    REQUIRE(back.run);
    CHECK(back.run->strategy.name() == "pct:3");
    CHECK(back.run->seed == token.run->seed);
    CHECK(back.run->tasks == 7);
    CHECK(back.run->steps == 612);
    token.run = StrategyRun{.strategy = *sim::StrategySpec::parse("random"), .seed = 7};
    CHECK(round_trip(token).run->seed == 7);
}

TEST_CASE("A short schedule makes a line that fits into a mail", "[app][report]") {
    CHECK(("Reproduce  interleaf replay " + encode(sample())).size() <= 75);
}

TEST_CASE("A schedule that does not fit has no token", "[app][report]") {
    Token token = sample();
    for (std::uint32_t i = 0; i < 3000; ++i)
        token.schedule.departures.push_back({.ordinal = 100 + 5 * i, .index = 2});
    CHECK(encode(token).empty());
}

TEST_CASE("Every single wrong character of a token is found", "[app][report]") {
    const std::string good = encode(sample());
    for (std::size_t i = token_prefix.size(); i < good.size(); ++i)
        for (const char letter : std::string("abcdefghijklmnopqrstuvwxyz234567=!1 ")) {
            if (letter == good[i]) continue;
            std::string damaged = good;
            damaged[i] = letter;
            INFO(damaged);
            CHECK_FALSE(decode(damaged).ok());
        }
}

TEST_CASE("A token that is cut, lengthened or of another version is refused", "[app][report]") {
    const std::string good = encode(sample());
    for (std::size_t length = 0; length < good.size(); ++length)
        CHECK_FALSE(decode(good.substr(0, length)).ok());
    for (const char* more : {"a", "aa", "aaaaaaaa"})
        CHECK_FALSE(decode(good + more).ok());
    CHECK(decode("il2:" + good.substr(4)).error().message.find("unknown token version") == 0);
    CHECK(looks_like_token("il2:abc"));
    CHECK_FALSE(looks_like_token("illegal:thing"));
    CHECK_FALSE(decode(std::string("il1:") + std::string(10'000, 'a')).ok());
}

TEST_CASE("A token in capitals is the same token", "[app][report]") {
    std::string text = encode(sample());
    for (std::size_t i = token_prefix.size(); i < text.size(); ++i)
        text[i] = static_cast<char>(std::toupper(text[i]));
    CHECK(decode(text).ok());
}

TEST_CASE("A token says which part of its scenario changed", "[app][report]") {
    Token token = sample();
    app::scenario::ContentHash content = token.content;
    content.tasks ^= 0x80000000;
    CHECK(changed_parts(token, content) == "the tasks");
    content.fs ^= 0x80000000;
    CHECK(changed_parts(token, content) == "the filesystem and the tasks");
}

}  // namespace report_token_test
