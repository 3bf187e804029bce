#include "app/crash/search.h"

#include <catch2/catch.hpp>

#include "app/image/camera.h"
#include "sim/explorer.h"
#include "tests/app/image/support.h"

namespace crash_search_test {

using namespace app;
using crash::CheckImages;
using crash::CrashSearch;
using crash::CrashSet;

namespace {

const auto overwrite_and_sync = test::scenario_of(
    test::one_device, R"("touch f1", "pwrite -S 0x61 0 4K f1", "sync")",
    R"("one": {"cpu": 1, "run": ["pwrite -S 0x62 0 4K f1", "fsync f1", "rm f1", "sync"]})");

scenario::ProgramOptions watching(const std::shared_ptr<CrashSearch>& search) {
    return crash::program_options(search, model::KernelVersion{}, overwrite_and_sync->geometry);
}

}  // namespace

TEST_CASE("Crash sets are read and shown", "[app][crash]") {
    for (const char* text : {"none", "every-flush", "every-write", "flush:3"})
        CHECK(CrashSet::parse(text).value().text() == text);
    for (const char* text : {"", "flush", "flush:", "flush:0", "flush:x", "always"})
        CHECK_FALSE(CrashSet::parse(text));
    for (const char* text : {"end", "commit:0", "step:7", "crash:3"})
        CHECK(image::Moment::parse(text).value().text() == text);
    for (const char* text : {"", "commit", "commit:x", "step:0", "crash:0", "later"})
        CHECK_FALSE(image::Moment::parse(text));
}

TEST_CASE("A crash is a branch: the execution goes on as if nothing had happened", "[app][crash]") {
    const auto plain = test::run_default(overwrite_and_sync);
    const auto search =
        std::make_shared<CrashSearch>(CrashSet{CrashSet::Kind::EveryWrite, 0}, CheckImages::None);
    const auto stopped = test::run_default(overwrite_and_sync, watching(search));
    INFO((stopped.violation ? stopped.violation->text : std::string()));
    CHECK(stopped.outcome == sim::Outcome::Completed);
    CHECK(stopped.trace_hash == plain.trace_hash);
    CHECK(stopped.state_hash == plain.state_hash);
    const crash::CrashCounts counts = search->counts();
    CHECK(counts.points > 10);
    CHECK(counts.media > 100);
    CHECK(counts.distinct_points <= counts.points);
}

TEST_CASE("What is stopped at grows with the set, and is judged once", "[app][crash]") {
    const auto count = [](const CrashSet& where) {
        const auto search = std::make_shared<CrashSearch>(where, CheckImages::None);
        sim::Execution execution(
            scenario::make_factory(overwrite_and_sync, model::KernelVersion{}, watching(search)),
            {});
        for (int i = 0; i < 2; ++i) {
            const auto usual = sim::make_default();
            usual->next_execution();
            execution.run(*usual);
        }
        return search->counts();
    };
    const auto one = count({CrashSet::Kind::Flush, 2});
    const auto flushes = count({CrashSet::Kind::EveryFlush, 0});
    const auto writes = count({CrashSet::Kind::EveryWrite, 0});
    CHECK(one.points == 4);  // before and after, twice
    CHECK(one.distinct_points == 2);
    CHECK(one.points < flushes.points);
    CHECK(flushes.points < writes.points);
    CHECK(2 * writes.distinct_points <= writes.points);
}

TEST_CASE("The number of a crash names the medium that the camera takes", "[app][crash]") {
    // A promise that nobody keeps makes every crash fail: the first one is crash:1.
    std::optional<image::Image> taken;
    std::string what;
    std::uint64_t count = 0;
    scenario::ProgramOptions options;
    options.observer = [&] {
        return std::make_unique<image::Camera>(image::Moment{image::Moment::Kind::Crash, 12}, taken,
                                               what, count);
    };
    test::run_default(overwrite_and_sync, options);
    REQUIRE(taken);
    CHECK_FALSE(what.empty());
    const auto search =
        std::make_shared<CrashSearch>(CrashSet{CrashSet::Kind::EveryWrite, 0}, CheckImages::None);
    test::run_default(overwrite_and_sync, watching(search));
    CHECK(search->counts().media == count);
}

}  // namespace crash_search_test
