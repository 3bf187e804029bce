#include "app/report/certificate.h"

#include <catch2/catch.hpp>

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
