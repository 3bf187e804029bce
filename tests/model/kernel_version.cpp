#include "model/kernel_version.h"

#include <catch2/catch.hpp>
#include <set>

#include "model/fixes.h"

namespace kernel_version_test {

using namespace model;

namespace {

using Names = std::vector<std::string>;

KernelVersion kernel(std::string_view release, const Names& with = {}, const Names& without = {}) {
    const auto parsed = KernelVersion::parse(release, with, without);
    INFO(release);
    REQUIRE(parsed.ok());
    return *parsed;
}

KernelVersion::Error refusal(std::string_view release, const Names& with = {},
                             const Names& without = {}) {
    const auto parsed = KernelVersion::parse(release, with, without);
    INFO(release);
    REQUIRE_FALSE(parsed.ok());
    return parsed.error();
}

/// Releases that have the fix, as one range: {first, last}; {0.0, 0.0}: none.
std::pair<Release, Release> range_with(const Fix& fix) {
    Release first{0, 0}, last{0, 0};
    for (const Release release : releases()) {
        if (!kernel(to_string(release)).has(fix)) continue;
        if (first == Release{0, 0}) first = release;
        last = release;
    }
    return {first, last};
}

}  // namespace

TEST_CASE("Every upstream fix is in the releases from its first to its last",
          "[model][kernel_version]") {
    for (const Fix& fix : fixes()) {
        INFO(fix.name);
        const auto [first, last] = range_with(fix);
        if (fix.kind != Fix::Kind::Upstream) {
            CHECK(first == Release{0, 0});
            continue;
        }
        CHECK(first == fix.since);
        const bool ends = fix.until != Release{0, 0};
        CHECK(last < (ends ? fix.until : Release{99, 0}));
        if (!ends) CHECK(last == Release{6, 12});
    }
}

TEST_CASE("The table of fixes is in order, and its names are unique", "[model][kernel_version]") {
    std::set<std::string> names;
    Release before{0, 0};
    for (const Fix& fix : fixes()) {
        INFO(fix.name);
        CHECK(names.insert(fix.name).second);
        if (fix.commit[0] != '\0')
            CHECK((names.insert(fix.commit).second && std::string(fix.commit).size() == 12));
        CHECK(find_fix(fix.name) == &fix);
        CHECK(find_fix(fix.id()) == &fix);
        for (const char* name : fix.needs)
            CHECK(find_fix(name) != nullptr);
        for (const char* name : fix.replaces)
            CHECK(find_fix(name) != nullptr);
        if (fix.kind != Fix::Kind::Upstream) continue;
        CHECK(before <= fix.since);
        before = fix.since;
    }
}

TEST_CASE("Releases have what the history says", "[model][kernel_version]") {
    CHECK_FALSE(kernel("4.6").has(fix::drain_after_readonly));
    CHECK_FALSE(kernel("4.6").has(fix::cursor_before_rw));
    CHECK(kernel("4.6").has(fix::tolerate_readonly_enospc));
    CHECK(kernel("4.7").has(fix::drain_after_readonly));
    CHECK(kernel("4.7").has(fix::cursor_under_lock));
    CHECK(kernel("5.4").has(fix::drain_after_readonly));
    CHECK_FALSE(kernel("5.5").has(fix::drain_after_readonly));
    CHECK(kernel("5.5").has(fix::mandatory_readonly));
    CHECK_FALSE(kernel("6.5").has(fix::commit_prep_state));
    CHECK(kernel("6.6").has(fix::commit_prep_state));
    CHECK(KernelVersion() == kernel("6.1"));
}

TEST_CASE("Between 042528f8d840 and 1bbb97b8ce7d a replace waited for nobody",
          "[model][kernel_version]") {
    const auto between = kernel("5.5", {}, {"1bbb97b8ce7d"});
    CHECK_FALSE(between.has(fix::mandatory_readonly));
    CHECK_FALSE(between.has(fix::drain_after_readonly));
    CHECK(between.has(fix::tolerate_readonly_enospc));
    CHECK(between.name() == "5.5 without 1bbb97b8ce7d");
}

TEST_CASE("What replaced a fix gives it back when it is taken away", "[model][kernel_version]") {
    const auto version = kernel("5.5", {}, {"042528f8d840"});
    CHECK(version.has(fix::drain_after_readonly));
    CHECK(version.has(fix::mandatory_readonly));
    CHECK(kernel("5.5", {"f0e9b7d64019"}).has(fix::drain_after_readonly));
}

TEST_CASE("A proposal takes the place of what it replaces", "[model][kernel_version]") {
    const auto replacing = kernel("5.5", {"nocow-wait-only"});
    const auto instead = kernel("5.5", {"nocow-wait-only"}, {"1bbb97b8ce7d"});
    CHECK(replacing == instead);
    CHECK(replacing.has(fix::nocow_wait_only));
    CHECK_FALSE(replacing.has(fix::mandatory_readonly));
    CHECK(replacing.name() == "5.5 with nocow-wait-only");
    CHECK(replacing.name() == instead.name());
    CHECK(replacing.hash() == instead.hash());
    CHECK_FALSE(kernel("4.7", {"nocow-wait-only"}).has(fix::drain_after_readonly));
}

TEST_CASE("A commit is known by the beginning of its id, or by more of it",
          "[model][kernel_version]") {
    CHECK(find_fix("1bbb97b") == &fix::mandatory_readonly);
    CHECK(find_fix("1bbb97b8ce7df5b40ee7a8e7c8a3e6a6f4a5f9d1") == &fix::mandatory_readonly);
    CHECK(find_fix("mandatory-readonly") == &fix::mandatory_readonly);
    CHECK(find_fix("1bbb97") == nullptr);
}

TEST_CASE("Kernels differ by what they have", "[model][kernel_version]") {
    std::set<u64> hashes;
    for (const Release release : releases())
        CHECK(hashes.insert(kernel(to_string(release)).hash()).second);
    CHECK(hashes.insert(kernel("5.5", {}, {"1bbb97b8ce7d"}).hash()).second);
    CHECK(kernel("5.5").name() == "5.5");
}

TEST_CASE("A wrong kernel is refused with the nearest valid word", "[model][kernel_version]") {
    CHECK(refusal("5.4.14").hint == "--kernel 5.4 --with COMMIT");
    CHECK(refusal("v5.5").hint == "5.5");
    CHECK(refusal("5.21").hint == "5.1");
    CHECK(refusal("2.6").hint.size() >= 3);
    CHECK(refusal("").message == "kernel \"\" is not of the form X.Y");
    CHECK(refusal("6.").message == "kernel \"6.\" is not of the form X.Y");
}

TEST_CASE("A wrong change is refused and named", "[model][kernel_version]") {
    CHECK(refusal("5.5", {"nocow-wait-onyl"}).hint == "nocow-wait-only");
    CHECK(refusal("5.5", {}, {"1bbb97b8ce7e"}).hint == "1bbb97b8ce7d");
    CHECK(refusal("5.5", {"1bbb97b8ce7d"}).message.find("5.5 has 1bbb97b8ce7d") !=
          std::string::npos);
    CHECK(refusal("5.4", {}, {"1bbb97b8ce7d"}).message.find("5.4 does not have 1bbb97b8ce7d") !=
          std::string::npos);
    const auto missing = refusal("4.2", {"f0e9b7d64019"});
    CHECK(missing.message.find("needs 55e3a601c81c") != std::string::npos);
    CHECK(missing.hint == "--with 55e3a601c81c");
    CHECK(refusal("5.5", {}, {"b12de52896c0"}).hint == "--without 1bbb97b8ce7d");
    CHECK(refusal("5.4", {"1bbb97b8ce7d"}, {"1bbb97b8ce7d"})
              .message.find("asked for and taken away") != std::string::npos);
}

}  // namespace kernel_version_test
