#include "app/report/failure_file.h"

#include <catch2/catch.hpp>

namespace report_failure_file_test {

using namespace app::report;

namespace {

FailureFile sample() {
    FailureFile file;
    file.token.scenario = "replace/001";
    file.token.content = {.fs = 1, .prepare = 0x80000000, .tasks = 0xffffffff};
    file.token.schedule.departures = {{.ordinal = 3, .index = 1}};
    file.verdict = "FAIL";
    file.signature = "replace-target-equals-source";
    file.text = "target differs";
    file.trace_hash = 0x0123456789abcdef;
    file.steps.push_back(sim::Meaning{.task = "writer",
                                      .op = sim::OpKind::Acquire,
                                      .object_class = "trans_lock",
                                      .key = 7,
                                      .occurrence = 2});
    return file;
}

}  // namespace

TEST_CASE("A failure file gives back what went in", "[app][report]") {
    const FailureFile file = sample();
    const auto parsed = parse_failure_file(to_text(file));
    REQUIRE(parsed.ok());
    const FailureFile& back = parsed.value();
    CHECK(back.token.scenario == file.token.scenario);
    CHECK(back.token.content == file.token.content);
    CHECK(back.token.kernel == file.token.kernel);
    CHECK(back.token.schedule == file.token.schedule);
    CHECK(back.signature == file.signature);
    CHECK(back.trace_hash == file.trace_hash);
    CHECK(back.steps == file.steps);
    CHECK(to_text(back) == to_text(file));
}

TEST_CASE("A failure file can carry its scenario", "[app][report]") {
    FailureFile file = sample();
    file.definition = "{\"id\": \"a/001\" /* a comment */}";
    const auto parsed = parse_failure_file(to_text(file));
    REQUIRE(parsed.ok());
    CHECK(parsed.value().definition == "{\n  \"id\": \"a/001\"\n}\n");
    CHECK(to_text(parsed.value()) == to_text(file));
    CHECK(parse_failure_file(to_text(sample())).value().definition.empty());
}

TEST_CASE("A failure file that was touched is refused", "[app][report]") {
    const std::string text = to_text(sample());
    for (const auto& [from, to] :
         {std::pair{"trans_lock", "trans_lick"}, std::pair{"\"FAIL\"", "\"PASS\""},
          std::pair{"\"version\": 1", "\"version\": 2"}, std::pair{"interleaf", "interlaef"}}) {
        std::string changed = text;
        changed.replace(changed.find(from), std::string(from).size(), to);
        CHECK_FALSE(parse_failure_file(changed).ok());
    }
    for (std::size_t cut = 0; cut + 2 < text.size(); cut += 7)
        CHECK_FALSE(parse_failure_file(text.substr(0, cut)).ok());
    CHECK_FALSE(parse_failure_file("[]").ok());
    CHECK_FALSE(parse_failure_file("\xff").ok());
}

}  // namespace report_failure_file_test
