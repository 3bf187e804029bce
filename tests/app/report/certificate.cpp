#include "app/report/certificate.h"

#include <catch2/catch.hpp>

namespace report_certificate_test {

using namespace app::report;

namespace {

Certificate sample() {
    Certificate certificate;
    certificate.program_version = "1.2.3";
    certificate.scenario = "commit/001";
    certificate.content = 0x0123456789abcdef;
    certificate.prepared_state = 7;
    certificate.kernel = "6.1 without 1bbb97b8ce7d";
    certificate.kernel_hash = ~std::uint64_t{0};
    certificate.verdict = "PASS-BOUNDED";
    certificate.grain = "coarse";
    certificate.merged_locks = {"trans_lock", "delayed_refs"};
    certificate.deviations = 2;
    certificate.max_steps = 1000;
    certificate.reduction = "none";
    certificate.cache_entries = 512;
    certificate.crash_at = certificate.check_images = "none";
    certificate.executions = 63;
    certificate.jobs = 2;
    return certificate;
}

}  // namespace

TEST_CASE("A certificate says by which revision of the search it was made", "[app][report]") {
    Certificate certificate = sample();
    CHECK(parse_certificate(to_text(certificate)).value().search_revision == search_revision);
    certificate.search_revision = 1;
    CHECK(parse_certificate(to_text(certificate)).value().search_revision == 1);
}

TEST_CASE("A certificate gives back what went in", "[app][report]") {
    const Certificate certificate = sample();
    const auto parsed = parse_certificate(to_text(certificate));
    REQUIRE(parsed.ok());
    CHECK(to_text(parsed.value()) == to_text(certificate));
    CHECK(parsed.value().content == certificate.content);
    CHECK(parsed.value().deviations == certificate.deviations);
    CHECK(parsed.value().merged_locks == certificate.merged_locks);
    CHECK_FALSE(parsed.value().counts_repeat());
    Certificate unbounded = sample();
    unbounded.deviations.reset();
    unbounded.cache_entries = 0;
    CHECK_FALSE(parse_certificate(to_text(unbounded)).value().deviations);
    CHECK(unbounded.counts_repeat());
}

TEST_CASE("A certificate says what was asked for besides, and nothing of what was not",
          "[app][report]") {
    Certificate certificate = sample();
    const auto labels = [&] {
        std::string all;
        for (const auto& [label, words] : in_words(parse_certificate(to_text(certificate)).value()))
            all += label + ": " + words + "\n";
        return all;
    };
    CHECK(labels().find("Costs") == std::string::npos);
    CHECK(labels().find("Checked") == std::string::npos);
    CHECK(to_text(certificate).find("self_check") == std::string::npos);
    CHECK(labels().find("Split") == std::string::npos);
    certificate.split = {"data", "page"};
    CHECK(labels().find("Split: accesses of data, page: ") != std::string::npos);
    certificate.self_check = 0.25;
    certificate.pairs_swapped = 99;
    certificate.costs = Costs{.executions = 7,
                              .races = 200,
                              .kinds = {{"a", 100}, {"b", 60}, {"c", 40}, {"d", 9}, {"e", 1}}};
    CHECK(labels().find("Costs: 200 reversible races: 50.0% over a, 30.0% over b, 20.0% over c, "
                        "4.5% over d, 0.5% over e\n") != std::string::npos);
    CHECK(labels().find("Checked: 25.0% of the executions: 99 pairs") != std::string::npos);
    certificate.costs->kinds.push_back({"f", 1});
    CHECK(labels().find("over e, 1 other kind of object\n") != std::string::npos);
}

TEST_CASE("A certificate keeps what was asked of the kernel, and what a cell adds",
          "[app][report]") {
    CHECK(to_text(sample()).find("asked") == std::string::npos);
    CHECK(to_text(sample()).find("cell") == std::string::npos);
    Certificate certificate = sample();
    certificate.asked = Asked{.answers = {{"5.2", true}, {"1bbb97b8ce7d", false}},
                              .unasked = {"f0e9b7d64019", "no-zoned-drain"}};
    certificate.cell = Certificate::Cell{.wanted = 2,
                                         .frequency = "sometimes",
                                         .failing = 1,
                                         .witness = "il1:x",
                                         .same_as = "5.3",
                                         .time_ms = 12};
    const Certificate read = parse_certificate(to_text(certificate)).value();
    CHECK(to_text(read) == to_text(certificate));
    CHECK(read.asked == certificate.asked);
    REQUIRE(read.cell);
    CHECK(read.cell->wanted == 2);
    CHECK(read.cell->frequency == "sometimes");
    CHECK(read.cell->failing == 1);
    CHECK(read.cell->witness == "il1:x");
    CHECK(read.cell->same_as == "5.3");
    CHECK(read.cell->time_ms == 12);
    std::string all;
    for (const auto& [label, words] : in_words(read))
        all += label + ": " + words + "\n";
    CHECK(all.find("Asked: of the kernel: 5.2 yes, 1bbb97b8ce7d no; ") != std::string::npos);
    CHECK(all.find("Witness: interleaf replay il1:x\n") != std::string::npos);
    CHECK(all.find("Same as: on kernel 5.3, ") != std::string::npos);
    certificate.cell->wanted.reset();
    CHECK_FALSE(parse_certificate(to_text(certificate)).value().cell->wanted);
}

TEST_CASE("A certificate that was touched is refused", "[app][report]") {
    const std::string text = to_text(sample());
    for (const auto& [from, to] :
         {std::pair{"PASS-BOUNDED", "PASS"}, std::pair{"\"executions\": 63", "\"executions\": 64"},
          std::pair{"\"version\": 1", "\"version\": 2"}, std::pair{"certificate", "certificatf"}}) {
        std::string changed = text;
        changed.replace(changed.find(from), std::string(from).size(), to);
        CHECK_FALSE(parse_certificate(changed).ok());
    }
    for (std::size_t cut = 0; cut + 2 < text.size(); cut += 7)
        CHECK_FALSE(parse_certificate(text.substr(0, cut)).ok());
    CHECK_FALSE(parse_certificate("[]").ok());
    CHECK_FALSE(parse_certificate("\xff").ok());
}

TEST_CASE("A certificate's name is a file name", "[app][report]") {
    CHECK(certificate_name("out", "commit/001", "6.1") == "out/commit-001-6.1.cert.json");
    CHECK(certificate_name("out", "../x", "5.5 with a") == "out/..-x-5.5-with-a.cert.json");
}

}  // namespace report_certificate_test
