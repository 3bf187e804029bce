#include "model/scrub.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "model/invariant_state.h"
#include "model/vfs.h"
#include "tests/model/support/watched_fs.h"

namespace scrub_test {

using namespace model;

namespace {

void committed_file(FsInfo& fs) {
    test::must(vfs::create(fs, "f1"), "create");
    test::must(vfs::pwrite(fs, "f1", 0, 8192, 0x61), "pwrite");
    test::must(vfs::sync(fs), "sync");
}

/// Damages the first copy of the first committed extent of that kind.
void damage(FsInfo& fs, bool metadata) {
    for (const auto& range : fs.invariants->ranges) {
        if (range.metadata != metadata) continue;
        const ChunkMap& map = *std::prev(fs.mapping_tree.upper_bound(range.start))->second;
        return medium_store(*map.stripes[0].dev,
                            map.stripes[0].physical + (range.start - map.logical),
                            {.word = 7, .bytes = nullptr});
    }
}

sim::ExecutionResult scrub_damaged(u64 profile, bool metadata) {
    test::Watched watched{.prepare = committed_file};
    watched.geometry.data_profile = watched.geometry.metadata_profile = profile;
    watched.tasks.push_back([metadata](FsInfo& fs) {
        damage(fs, metadata);
        fs.invariants->examining = true;  // not compared: a scrub writes over what the super block
                                          // reaches: that is what repairing means
        test::must(vfs::scrub_start(fs, "a"), "scrub");
        test::must(vfs::scrub_start(fs, "a"), "scrub");
    });
    return test::run_watched(watched);
}

std::ptrdiff_t count_of(const sim::ExecutionResult& result, const std::string& text) {
    return std::ranges::count_if(
        result.messages, [&](const std::string& m) { return m.find(text) != std::string::npos; });
}

}  // namespace

TEST_CASE("A scrub of a sound device finds nothing", "[model][scrub]") {
    const auto kernel = GENERATE("3.13", "4.3", "5.5", "6.1", "6.4");
    test::Watched watched{.kernel = kernel, .prepare = committed_file};
    watched.tasks.push_back([](FsInfo& fs) { test::must(vfs::scrub_start(fs, "a"), "scrub"); });
    const auto result = test::run_watched(watched);
    CHECK(result.outcome == sim::Outcome::Completed);
    REQUIRE(result.messages.size() == 2);
    CHECK(result.messages[0] == "BTRFS info (device a): scrub: started on devid 1");
    CHECK(result.messages[1] == "BTRFS info (device a): scrub: finished on devid 1 with status: 0");
}

TEST_CASE("A scrub repairs a copy from the other one, once", "[model][scrub]") {
    const bool metadata = GENERATE(false, true);
    const auto result = scrub_damaged(bg_dup, metadata);
    CHECK(result.outcome == sim::Outcome::Completed);
    CHECK(count_of(result, "fixed up error at logical") == 1);
    CHECK(count_of(result, "unable to fixup") == 0);
}

TEST_CASE("A scrub says what it cannot repair, each time", "[model][scrub]") {
    const auto result = scrub_damaged(0, false);
    CHECK(result.outcome == sim::Outcome::Completed);
    CHECK(count_of(result, "unable to fixup (regular) error at logical") == 2);
}

TEST_CASE("One device is scrubbed once at a time, and not beside a replace", "[model][scrub]") {
    test::Watched watched{.geometry = test::geometry_with_spare(), .prepare = committed_file};
    for (int i = 0; i < 2; ++i)
        watched.tasks.push_back([](FsInfo& fs) {
            const auto done = vfs::scrub_start(fs, "a");
            CHECK((done.ok() || done.error() == Errno::InProgress || done.error() == Errno::NoEnt ||
                   done.error() == Errno::IO));
        });
    watched.tasks.push_back([](FsInfo& fs) {
        const auto done = vfs::replace_start(fs, "a", "c");
        CHECK((done.ok() || done.error() == Errno::InProgress));
    });
    CHECK(test::signature_of(test::hunt_watched(watched, 100)) == "");
}

TEST_CASE("A scrub is refused while a replace goes on, and a replace while the source is scrubbed",
          "[model][scrub][dev_replace]") {
    test::Watched watched{.geometry = test::geometry_with_spare(), .prepare = committed_file};
    std::set<Errno> scrubs, replaces;  // what they returned; Errno{}: success
    const auto end_of = [](const Result<void>& done) { return done ? Errno{} : done.error(); };
    watched.tasks = {
        [&](FsInfo& fs) { scrubs.insert(end_of(vfs::scrub_start(fs, "a"))); },
        [&](FsInfo& fs) { replaces.insert(end_of(vfs::replace_start(fs, "a", "c"))); }};
    CHECK(test::signature_of(test::explore_watched(watched, 1)) == "");
    for (const auto* const ends : {&scrubs, &replaces}) {
        CHECK(ends->contains(Errno{}));
        CHECK(ends->contains(Errno::InProgress));
    }
}

TEST_CASE("Scrubs and commits make way for each other", "[model][scrub]") {
    test::Watched watched{.prepare = committed_file};
    watched.tasks.push_back([](FsInfo& fs) { test::must(vfs::scrub_start(fs, "a"), "scrub"); });
    for (int i = 0; i < 2; ++i)
        watched.tasks.push_back([](FsInfo& fs) {
            test::must(vfs::pwrite(fs, "f1", 0, 4096, 0x63), "pwrite");
            test::must(vfs::sync(fs), "sync");
        });
    CHECK(test::signature_of(test::hunt_watched(watched, 300)) == "");
}

TEST_CASE("Nobody can cancel a scrub that does not run", "[model][scrub]") {
    test::Watched watched{.prepare = committed_file};
    watched.tasks.push_back([](FsInfo& fs) { CHECK(scrub_cancel(fs).error() == Errno::NotConn); });
    CHECK(test::signature_of(test::run_watched(watched)) == "");
}

}  // namespace scrub_test
