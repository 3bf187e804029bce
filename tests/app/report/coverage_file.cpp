#include "app/report/coverage_file.h"

#include <catch2/catch.hpp>

#include "app/report/checksum.h"
#include "model/fixes.h"
#include "model/invariants.h"
#include "model/probes.h"

namespace report_coverage_file_test {

namespace {

using namespace app::report;

std::vector<ScenarioCoverage> example() {
    ScenarioCoverage coverage;
    coverage.scenario = "replace/001";
    coverage.kernel = "5.5";
    coverage.executions = 12;
    coverage.pairs.push_back(
        {{"replace", "lock", "scrub_lock"}, {"writer", "lock", "scrub_lock"}, 3, 0});
    coverage.pairs.push_back({{"replace", "write", "page"}, {"writer", "read", "page"}, 3, 1});
    coverage.invariants = {{"block-rsv", 0}, {"no-abort", 12}};
    coverage.changes = {{"1bbb97b8ce7d", "mandatory-readonly", true, 24}};
    return {coverage};
}

TEST_CASE("a coverage file is read as it was written", "[app][report][coverage]") {
    const std::string text = to_text(example());
    CHECK(looks_like_coverage(text));
    const auto read = parse_coverage(text);
    REQUIRE(read.ok());
    CHECK(to_text(read.value()) == text);
    const ScenarioCoverage& coverage = read.value().at(0);
    CHECK(coverage.one_order() == 1);
    CHECK(coverage.evaluated() == 1);
    CHECK(coverage.changes_run() == 1);
    CHECK(coverage.pairs[0].first.object == "scrub_lock");
}

TEST_CASE("a damaged coverage file is refused", "[app][report][coverage]") {
    std::string text = to_text(example());
    CHECK_FALSE(looks_like_coverage("{}"));
    CHECK_FALSE(looks_like_coverage("il1:abc"));
    text.replace(text.find("scrub_lock"), 5, "scrab");
    CHECK(parse_coverage(text).error().find("checksum") != std::string::npos);
    auto json = nlohmann::ordered_json::parse(to_text(example()));
    json["version"] = 2;
    CHECK(parse_coverage(json.dump()).error().find("version 2") != std::string::npos);
    json["version"] = 1;
    json["scenarios"][0].erase("pairs");
    add_checksum(json);
    CHECK(parse_coverage(json.dump()).error().find("cannot be read") != std::string::npos);
}

TEST_CASE("every invariant and every change has a probe of its own", "[app][report][coverage]") {
    std::set<unsigned> probes;
    for (const model::Invariant& invariant : model::invariants())
        probes.insert(model::probe_of(std::string_view(invariant.name)));
    for (const model::Fix& fix : model::fixes())
        probes.insert(model::probe_of(fix));
    CHECK(probes.size() == model::invariants().size() + model::fixes().size());
    CHECK(*probes.rbegin() < sim::max_probes);
}

}  // namespace

}  // namespace report_coverage_file_test
