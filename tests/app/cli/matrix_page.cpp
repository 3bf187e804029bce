#include "app/cli/matrix_page.h"

#include <catch2/catch.hpp>

namespace cli_matrix_page_test {

using namespace app;
using namespace app::cli;

namespace {

struct Table {
    Json document = {{"cells", Json::array()}};
    report::Suite suite{.verb = "matrix", .version = "1", .cases = {}};

    void add(const std::string& scenario, const std::string& kernel, Json cell) {
        cell["scenario"] = scenario;
        cell["kernel"] = kernel;
        if (!cell.contains("as_expected")) cell["as_expected"] = true;
        if (!cell.contains("executions")) cell["executions"] = 1200;
        document["cells"].push_back(cell);
        suite.cases.push_back({.scenario = scenario,
                               .kernel = kernel,
                               .verdict = cell["verdict"],
                               .reason = {},
                               .file = "scenarios/" + scenario + ".json",
                               .title = "a | title",
                               .defects = {},
                               .properties = {}});
    }
    std::string page() const { return matrix_page(document, suite, "docs"); }
};

bool says(const std::string& page, const std::string& text) {
    INFO(page);
    INFO(text);
    const bool found = page.find(text) != std::string::npos;
    CHECK(found);
    return found;
}

const Json never = {{"verdict", "PASS-BOUNDED"},
                    {"frequency", "never"},
                    {"completed_bound", 2},
                    {"certificate", "docs/matrix/a.cert.json"},
                    {"time_ms", 61000}};
const Json fails = {{"verdict", "FAIL"},    {"frequency", "sometimes"},
                    {"completed_bound", 1}, {"signature", "x_y"},
                    {"token", "il1:token"}, {"certificate", "docs/matrix/b.cert.json"},
                    {"time_ms", 100}};

}  // namespace

TEST_CASE("A page of the matrix has a column for each release and a list of other kernels",
          "[app][cli]") {
    Table table;
    table.add("a/001", "5.0", never);
    table.add("a/001", "6.1", fails);
    table.add("b/001", "5.0", {{"verdict", "N/A"}, {"frequency", nullptr}});
    table.add("b/001", "6.1", never);
    table.add("b/001", "6.7", never);
    table.add("b/001", "6.1 with x", fails);
    const std::string page = table.page();
    says(page, "| | 5.0 | 6.1 |\n| --- | --- | --- |\n");
    says(page, "| [a/001](../scenarios/a/001.json)<br>a \\| title | "
               "[Never\\~](matrix/a.cert.json)<br>1 200 at 2<br>");
    says(page, " | [**Sometimes**](matrix/b.cert.json)<br>1 200 at 1<br>");
    says(page, "<br>[again](#a-001-6.1) |\n");
    says(page, "<br>a \\| title | \\- | [Never");
    says(page, "| [b/001](../scenarios/b/001.json) | 6.7 | [Never\\~](matrix/a.cert.json) | ");
    says(page, " | 6.1 with x | [**Sometimes**](matrix/b.cert.json) | 1 200 at 1 | ");
    says(page, "| <a id=\"b-001-6.1-with-x\"></a>[b/001](../scenarios/b/001.json) | 6.1 with x | "
               "x\\_y | `interleaf replay il1:token` |\n");
}

TEST_CASE("A search that was cut is never called Never on the page", "[app][cli]") {
    Table table;
    table.add("a/001", "5.0",
              {{"verdict", "INCONCLUSIVE"},
               {"frequency", nullptr},
               {"as_expected", false},
               {"expected", "PASS-BOUNDED"},
               {"done", "61% at 1"}});
    says(table.page(), " | ? 61% at 1<br>**!** expected PASS-BOUNDED<br>1 200 |\n");
    CHECK(table.page().find("Never\\~]") == std::string::npos);
    CHECK(table.page().find("The failures") == std::string::npos);
}

TEST_CASE("A cell whose search was made on another kernel says which", "[app][cli]") {
    Table table;
    table.add("a/001", "5.0", never);
    Json same = never;
    same["same_as"] = "5.0";
    table.add("a/001", "5.3", same);
    says(table.page(), " | [Never\\~](matrix/a.cert.json)<br>as 5.0 |\n");
}

TEST_CASE("A scenario keeps its row whatever else is in the table", "[app][cli]") {
    Table alone, beside;
    alone.add("b/001", "5.0", fails);
    beside.add("a/001", "5.0", fails);
    beside.add("b/001", "5.0", fails);
    const std::string page = alone.page();
    const std::size_t at = page.find("| [b/001]");
    says(beside.page(), page.substr(at, page.find('\n', at) - at));
}

TEST_CASE("A page marks what an earlier revision of the search recorded", "[app][cli]") {
    Table table;
    table.add("a/001", "5.0", never);
    CHECK(table.page().find("\u00B0") == std::string::npos);
    Json earlier = never;
    earlier["earlier_search"] = true;
    table.add("a/001", "6.1", earlier);
    says(table.page(), "[Never\\~\u00B0](matrix/a.cert.json)<br>1 200 at 2");
    says(table.page(), "`script/matrix --renew`");
}

}  // namespace cli_matrix_page_test
