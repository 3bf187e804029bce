#include "model/dev_replace.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "model/vfs.h"
#include "tests/model/support/watched_fs.h"

namespace dev_replace_test {

using namespace model;

namespace {

using Names = std::vector<std::string>;

/// A committed file of two sectors. @param nocow  written in place later
test::FsTask committed_file(bool nocow) {
    return [nocow](FsInfo& fs) {
        test::must(vfs::create(fs, "f1"), "create");
        test::must(vfs::set_nocow(fs, "f1", nocow), "chattr");
        test::must(vfs::pwrite(fs, "f1", 0, 8192, 0x61), "pwrite");
        test::must(vfs::sync(fs), "sync");
    };
}

void replace(FsInfo& fs) {
    static_cast<void>(vfs::replace_start(fs, "a", "c").ok());
}

void overwrite(FsInfo& fs) {
    test::must(vfs::pwrite(fs, "f1", 0, 4096, 0x62), "pwrite");
    test::must(vfs::writeback(fs, "f1"), "writeback");
}

test::Watched replace_beside_writer(const std::string& kernel, bool nocow, const Names& with = {},
                                    const Names& without = {}) {
    test::Watched watched{.geometry = test::geometry_with_spare(),
                          .kernel = kernel,
                          .with = with,
                          .without = without};
    watched.prepare = committed_file(nocow);
    watched.tasks = {replace, overwrite};
    return watched;
}

/// Random priorities with one change: the failures of this file need a delayed task and one switch.
std::string hunt(const test::Watched& watched, std::uint64_t executions) {
    sim::HuntOptions options;
    options.count = executions;
    options.seed = 7;
    options.strategy = {.kind = sim::StrategySpec::Kind::Pct, .depth = 2};
    const auto report = sim::hunt(test::watched_program(watched), options);
    return test::signature_of(report);
}

/// The second task takes so many steps in one go once so many were taken; otherwise it waits until
/// nobody else can go on.
class Interposed final : public sim::Strategy {
  public:
    Interposed(std::uint32_t after, std::uint32_t steps) : from_(after), to_(after + steps) {}
    bool next_execution() override { return true; }
    sim::Choice choose(sim::Scheduler& scheduler) override {
        const bool now = scheduler.steps() >= from_ && scheduler.steps() < to_;
        scheduler.candidates(candidates_);
        const auto wanted = std::ranges::find_if(
            candidates_, [&](unsigned slot) { return (slot == second) == now; });
        const auto chosen = wanted == candidates_.end() ? candidates_.begin() : wanted;
        return {*chosen, static_cast<std::uint16_t>(chosen - candidates_.begin())};
    }

  private:
    static constexpr unsigned second = 1;  // slot
    std::uint32_t from_, to_;
    std::vector<std::uint16_t> candidates_;
};

bool says(const sim::ExecutionResult& result, const std::string& text) {
    return std::ranges::any_of(
        result.messages, [&](const std::string& m) { return m.find(text) != std::string::npos; });
}

}  // namespace

TEST_CASE("A replace puts the target in the place of the source, in every release",
          "[model][dev_replace]") {
    const auto kernel =
        GENERATE("3.13", "3.18", "4.3", "4.4", "4.7", "5.2", "5.5", "5.9", "6.1", "6.4", "6.12");
    test::Watched watched{.geometry = test::geometry_with_spare(),
                          .kernel = kernel,
                          .prepare = committed_file(false)};
    watched.tasks.push_back([](FsInfo& fs) {
        const Device& src = *find_device_by_name(fs, "a");
        const Device& tgt = *find_device_by_name(fs, "c");
        test::must(vfs::replace_start(fs, "a", "c"), "replace");
        CHECK((tgt.devid == 1 && tgt.in_fs_devices && tgt.on_alloc_list &&
               !tgt.test(dev_state::replace_tgt)));
        CHECK((src.devid == 0 && !src.in_fs_devices && !src.on_alloc_list));
        CHECK(fs.dev_replace.replace_state == ReplaceState::Finished);
        for (const auto& [start, map] : fs.mapping_tree)
            for (const Stripe& stripe : map->stripes)
                CHECK(stripe.dev == &tgt);
        test::must(vfs::drop_caches(fs), "drop_caches");
        CHECK(vfs::pread(fs, "f1", 0, 8192, 0x61).ok());
        test::must(vfs::pwrite(fs, "f1", 0, 65536, 0x63), "pwrite");
        test::must(vfs::sync(fs), "sync");
    });
    const auto result = test::run_watched(watched);
    INFO((result.violation ? result.violation->text : std::string()));
    CHECK(result.outcome == sim::Outcome::Completed);
    REQUIRE(result.messages.size() == 2);
    CHECK(result.messages[0] ==
          "BTRFS info (device a): dev_replace from /dev/a (devid 1) to /dev/c started");
    CHECK(says(result, "dev_replace from /dev/a (devid 1) to /dev/c finished"));
}

TEST_CASE("Wherever a write in place stands when a replace ends, it is on its way to both devices",
          "[model][dev_replace]") {
    sim::Execution execution(test::watched_program(replace_beside_writer("6.1", true)), {});
    Interposed alone(0, 0);
    const std::uint32_t all = execution.run(alone).steps;
    for (std::uint32_t after = all / 2; after < all; after += 16) {
        for (std::uint32_t steps = 1; steps < 50; ++steps) {
            Interposed strategy(after, steps);
            INFO(after << " steps, then " << steps << " of the writer");
            REQUIRE(test::signature_of(execution.run(strategy)) == "");
        }
    }
}

TEST_CASE("Every copy of a mirrored chunk that lies on the source is replaced",
          "[model][dev_replace]") {
    const auto profile = GENERATE(bg_dup, bg_raid1);
    test::Watched watched{.geometry = test::geometry_with_spare(profile == bg_raid1 ? 2 : 1),
                          .prepare = committed_file(false)};
    watched.geometry.data_profile = watched.geometry.metadata_profile = profile;
    watched.tasks.push_back(
        [](FsInfo& fs) { test::must(vfs::replace_start(fs, "a", "c"), "replace"); });
    CHECK(test::signature_of(test::run_watched(watched)) == "");
}

TEST_CASE("A target that cannot be one is refused", "[model][dev_replace]") {
    test::Watched watched{.geometry = test::geometry_with_spare(2),
                          .prepare = committed_file(false)};
    watched.geometry.devices.back().size /= 2;
    watched.tasks.push_back([](FsInfo& fs) {
        CHECK(dev_replace_by_ioctl(fs, "a", "x").error() == Errno::NoEnt);
        CHECK(dev_replace_by_ioctl(fs, "x", "c").error() == Errno::NoEnt);
        CHECK(dev_replace_by_ioctl(fs, "a", "b").error() == Errno::Exist);
        CHECK(dev_replace_by_ioctl(fs, "a", "c").error() == Errno::Inval);
        CHECK(dev_replace_cancel(fs).error() == Errno::NotConn);
    });
    const auto result = test::run_watched(watched);
    CHECK(result.outcome == sim::Outcome::Completed);
    CHECK(says(result, "target device x is invalid!"));
    CHECK(says(result, "target device is in the filesystem!"));
    CHECK(says(result, "target device is smaller than source device!"));
}

TEST_CASE("A cancelled replace leaves the source in its place", "[model][dev_replace]") {
    test::Watched watched{.geometry = test::geometry_with_spare(),
                          .prepare = committed_file(false)};
    watched.tasks.push_back([](FsInfo& fs) {
        if (vfs::replace_start(fs, "a", "c").ok()) return;
        CHECK(fs.dev_replace.replace_state == ReplaceState::Canceled);
        CHECK(find_device(fs, 1) == find_device_by_name(fs, "a"));
        CHECK(!find_device_by_name(fs, "c")->in_fs_devices);
    });
    watched.tasks.push_back([](FsInfo& fs) {
        fs.scrub.pause_wait.wait_event([&fs] {
            return fs.scrub.running.load() > 0 ||
                   fs.dev_replace.replace_state == ReplaceState::Finished;
        });
        static_cast<void>(vfs::replace_cancel(fs).ok());
    });
    CHECK(hunt(watched, 200) == "");
}

TEST_CASE("Before 1bbb97b8ce7d a replace copies an old block over a nocow write",
          "[model][dev_replace]") {
    // About one execution in 160 fails: 1000 miss it once in five hundred times, and the seed is
    // fixed.
    CHECK(hunt(replace_beside_writer("5.5", true, {}, {"1bbb97b8ce7d"}), 1000) ==
          "replace-target-equals-source");
    CHECK(hunt(replace_beside_writer("5.5", true), 1000) == "");
}

TEST_CASE("Waiting for nocow writers alone is not enough", "[model][dev_replace]") {
    CHECK(hunt(replace_beside_writer("5.5", true, {"nocow-wait-only"}), 1000) ==
          "replace-target-equals-source");
    CHECK(hunt(replace_beside_writer("5.5", true, {"nocow-wait-only"}, {"1bbb97b8ce7d"}), 1000) ==
          "replace-target-equals-source");
}

TEST_CASE("The waits of f0e9b7d64019 protect nocow writes too", "[model][dev_replace]") {
    CHECK(hunt(replace_beside_writer("4.7", true), 1000) == "");
    CHECK(hunt(replace_beside_writer("5.5", true, {"drain-and-commit"}, {"1bbb97b8ce7d"}), 1000) ==
          "");
}

TEST_CASE("COW writes need only duplication, and what a replace waits for at its start",
          "[model][dev_replace]") {
    CHECK(hunt(replace_beside_writer("5.5", false, {}, {"1bbb97b8ce7d"}), 1000) == "");
    CHECK(hunt(replace_beside_writer("6.1", false, {"no-start-wait", "no-start-commit"}), 400) ==
          "replace-target-equals-source");
}

TEST_CASE("If duplication followed the cursor, COW writes were lost", "[model][dev_replace]") {
    const Names cursor{"cursor-duplication", "22ab04e814f4", "81e87a736c55"};
    CHECK(hunt(replace_beside_writer("4.6", false, cursor), 400) == "replace-target-equals-source");
    CHECK(hunt(replace_beside_writer("4.6", false), 400) == "");
}

TEST_CASE("A wait for a commit that does not count as a pause waits for itself",
          "[model][dev_replace]") {
    auto watched = replace_beside_writer("6.1", true, {"drain-and-commit", "drain-outside-pause"});
    watched.tasks.pop_back();
    CHECK(test::run_watched(watched).outcome == sim::Outcome::Deadlock);
    watched.with = {"drain-and-commit"};
    CHECK(test::run_watched(watched).outcome == sim::Outcome::Completed);
}

TEST_CASE("Up to 3.17 a bio that waits for the replace lock and the replace wait for each other",
          "[model][dev_replace]") {
    const auto beside_reader = [](const char* kernel) {
        auto watched = replace_beside_writer(kernel, false);
        watched.tasks[1] = [](FsInfo& fs) {
            test::must(vfs::drop_caches(fs), "drop_caches");
            if (!vfs::pread(fs, "f1", 0, 8192, 0x61)) sim::violation("test/pread", "failed");
        };
        return watched;
    };
    const auto found = hunt(beside_reader("3.17"), 3000);
    INFO(found);
    // One task holds the semaphore and waits for the counter, the other holds the counter and waits
    // for the semaphore.
    CHECK(found.ends_with("dev_replace.rwsem+replace_wait"));
    CHECK(hunt(beside_reader("3.18"), 1000) == "");
}

TEST_CASE("After a replace the allocator knows what is taken, since 5.9 again",
          "[model][dev_replace]") {
    const auto run = [](const char* kernel) {
        test::Watched watched{.geometry = test::geometry_with_spare(),
                              .kernel = kernel,
                              .prepare = committed_file(false)};
        watched.tasks.push_back([](FsInfo& fs) {
            test::must(vfs::replace_start(fs, "a", "c"), "replace");
            test::must(vfs::pwrite(fs, "f1", 0, 6 << 20, 0x63),
                       "pwrite");  // needs another data chunk
            test::must(vfs::sync(fs), "sync");
        });
        return test::signature_of(test::run_watched(watched));
    };
    CHECK(run("5.8") != "");
    CHECK(run("5.9") == "");
    CHECK(run("5.1") == "");
}

TEST_CASE("The replace item says how far a replace came", "[model][dev_replace]") {
    test::Watched watched{.geometry = test::geometry_with_spare(),
                          .prepare = committed_file(false)};
    watched.tasks.push_back([](FsInfo& fs) {
        test::must(vfs::replace_start(fs, "a", "c"), "replace");
        Path path;
        const auto found =
            search_slot(nullptr, *fs.dev_root, {0, dev_replace_key, 0}, path, 0, false);
        CHECK((found.ok() && *found));
        const auto item = read_item<DevReplaceItem>(path);
        CHECK(item.replace_state == static_cast<u64>(ReplaceState::Finished));
        CHECK(item.cursor_left == item.cursor_right);
        CHECK(fs.dev_replace.committed_cursor_left == item.cursor_left);
    });
    CHECK(test::signature_of(test::run_watched(watched)) == "");
}

}  // namespace dev_replace_test
