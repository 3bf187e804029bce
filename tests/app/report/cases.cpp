#include "app/report/cases.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "app/report/escape.h"

namespace report_cases_test {

using namespace app::report;

namespace {

const std::string hostile = "<a href='x'>&\"]]>\x01\xff\n::error::%0A,`|`# **b** \xe2\x82\xac";

Case failing(const std::string& name) {
    return {.scenario = name,
            .kernel = name,
            .verdict = "FAIL",
            .outcome = Case::Outcome::Failed,
            .reason = {},
            .file = name,
            .title = {},
            .defects = {{.signature = name,
                         .text = name,
                         .token = name,
                         .replay = name,
                         .ladder = "```\n" + name,
                         .remarks = {{name, name}, {"t", "second"}}}},
            .properties = {{name, name}}};
}

Suite suite(std::size_t count, const std::string& name = "a/001") {
    Suite suite{.verb = "hunt", .version = "1", .cases = {}};
    for (std::size_t i = 0; i < count; ++i)
        suite.cases.push_back(failing(name));
    return suite;
}

std::size_t count(const std::string& text, const std::string& what) {
    std::size_t found = 0;
    for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; ++at)
        ++found;
    return found;
}

}  // namespace

TEST_CASE("Foreign text stays text", "[app][report]") {
    CHECK(clean_text("a\x01\xff") == "a\xef\xbf\xbd\xef\xbf\xbd");
    CHECK(clean_text("\xed\xa0\x80").find('\xed') == std::string::npos);  // a surrogate
    CHECK(clean_text("\xc0\xaf").find('\xc0') == std::string::npos);      // too long a form
    CHECK(clean_text("\xe2\x82") == "\xef\xbf\xbd\xef\xbf\xbd");          // cut
    CHECK(clean_text("\xe2\x82\xac\n\t") == "\xe2\x82\xac\n\t");
    CHECK(in_xml("<&>\"'\n") == "&lt;&amp;&gt;&quot;&apos;&#10;");
    CHECK(in_command("50%\r\n::x") == "50%25%0D%0A::x");
    CHECK(in_command_property("a:b,c%\n") == "a%3Ab%2Cc%25%0A");
    CHECK(in_markdown("a|b\n<c>") == "a\\|b &lt;c&gt;");
    CHECK(fenced("````x") == "`````\n````x\n`````\n");
    CHECK(in_ktap("a # SKIP\nok 2") == "a \\# SKIP ok 2");
    CHECK(in_uri("a b/%") == "a%20b/%25");
}

TEST_CASE("Hostile names make neither tags, nor commands, nor lines", "[app][report]") {
    const Suite bad = suite(1, hostile);
    const std::string xml = junit(bad);
    CHECK(count(xml, "<a ") == 0);
    CHECK(count(xml, "]]>") == 0);
    CHECK(count(xml, "<testcase") == 1);
    CHECK(xml.find('\x01') == std::string::npos);
    CHECK(count(github(bad), "\n") == 1);
    CHECK(count(ktap(bad), "\n") == 5);
    const auto parsed = nlohmann::json::parse(sarif(bad));
    CHECK(parsed["runs"][0]["results"].size() == 1);
    CHECK(count(markdown(bad), "<a ") == 2);  // only inside the fences, where it is text
}

TEST_CASE("Nine annotations of a type, and one that counts the others", "[app][report]") {
    CHECK(count(github(suite(9)), "::error ") == 9);
    CHECK(github(suite(9)).find("more") == std::string::npos);
    const std::string many = github(suite(25));
    CHECK(count(many, "::error ") == 10);
    CHECK(many.find("and 16 more") != std::string::npos);
    CHECK(github({.verb = "run", .version = "1", .cases = {}}).empty());
}

TEST_CASE("Each outcome has its word in each format", "[app][report]") {
    Suite all = suite(1);
    for (const auto outcome : {Case::Outcome::Passed, Case::Outcome::Known, Case::Outcome::Skipped,
                               Case::Outcome::Broken}) {
        Case entry = failing("b/002");
        entry.outcome = outcome;
        entry.reason = "because";
        all.cases.push_back(entry);
    }
    const std::string lines = ktap(all);
    CHECK(count(lines, "\nnot ok ") == 2);
    CHECK(count(lines, "\nok ") == 3);
    CHECK(lines.find("# XFAIL because") != std::string::npos);
    CHECK(lines.find("# SKIP because") != std::string::npos);
    CHECK(lines.find("# ERROR because") != std::string::npos);
    const std::string xml = junit(all);
    CHECK(xml.find("tests=\"5\" failures=\"1\" errors=\"1\" skipped=\"1\"") != std::string::npos);
    CHECK(count(xml, "<failure") == 1);
    // Defects only: what is known, undecided or could not run is none.
    const auto parsed = nlohmann::json::parse(sarif(all));
    CHECK(parsed["runs"][0]["results"].size() == 1);
    CHECK(parsed["runs"][0]["tool"]["driver"]["rules"].size() == 1);
}

TEST_CASE("Thread flows keep the end of a long story, in its order", "[app][report]") {
    Suite one = suite(1);
    auto& remarks = one.cases[0].defects[0].remarks;
    remarks.assign(max_remarks + 50, {"t", "x"});
    remarks.back() = {"u", "last"};
    const auto flows =
        nlohmann::json::parse(sarif(one))["runs"][0]["results"][0]["codeFlows"][0]["threadFlows"];
    REQUIRE(flows.size() == 2);
    CHECK(flows[0]["locations"].size() + flows[1]["locations"].size() == max_remarks);
    CHECK(flows[0]["locations"][0]["executionOrder"] == 51);
    CHECK(flows[1]["locations"][0]["location"]["message"]["text"] == "last");
}

}  // namespace report_cases_test
