#include <catch2/catch.hpp>

#include "app/crash/search.h"
#include "app/image/btrfs_check.h"
#include "sim/explorer.h"
#include "tests/app/image/support.h"

namespace image_shapes_test {

using namespace app;

namespace {

const std::string one = R"({"name": "a", "size": "64M"})";
const std::string two = one + R"(, {"name": "b", "size": "64M"})";

std::string shape(const std::string& devices, const std::string& rest) {
    return R"({"devices": [)" + devices + "], " + rest + "}";
}

constexpr auto snapshot_beside_writers =
    R"("one": {"cpu": 1, "run": ["pwrite -S 0x62 4K 4K f1", "btrfs subvolume snapshot . snap",
        "pwrite -S 0x64 0 4K f1", "fsync f1"]},
       "two": {"cpu": 2, "run": ["pwrite -S 0x63 0 4K f2", "touch f3", "sync"]})";

/// Random executions of a scenario of that shape, each commit judged.
sim::SearchReport hunt_shape(const std::string& fs, std::uint64_t count,
                             const std::shared_ptr<crash::CrashSearch>& search) {
    const auto scenario = test::scenario_of(
        fs, R"("touch f1", "touch f2", "pwrite -S 0x61 0 16K f1", "falloc 0 8K f2", "sync")",
        snapshot_beside_writers);
    sim::HuntOptions options;
    options.count = count;
    return sim::hunt(scenario::make_factory(scenario, model::KernelVersion{},
                                            crash::program_options(search, model::KernelVersion{},
                                                                   scenario->geometry)),
                     options);
}

/// Profiles, node sizes and numbers of devices.
std::string some_shape() {
    return GENERATE(
        shape(one, R"("data": "dup", "metadata": "dup", "items_per_node": 8)"),
        shape(one,
              R"("data": "single", "metadata": "dup", "nodesize": "16K", "items_per_node": 5)"),
        shape(one, R"("data": "single", "metadata": "single", "nodesize": "64K")"),
        shape(one, R"("data": "single", "metadata": "single", "nodesize": "32K")"),
        shape(two, R"("data": "raid1", "metadata": "raid1", "items_per_node": 4)"),
        shape(two, R"("data": "single", "metadata": "raid1", "nodesize": "8K")"));
}

void in_random_order(std::uint64_t count, const crash::CrashSet& where) {
    const std::string fs = some_shape();
    INFO(fs);
    const bool tool = image::can_check();
    const auto search = std::make_shared<crash::CrashSearch>(
        where, tool ? crash::CheckImages::Commit : crash::CheckImages::None);
    const auto report = hunt_shape(fs, count, search);
    INFO((report.failures.empty() ? std::string() : report.failures[0].result.violation->text));
    CHECK(report.failures.empty());
    CHECK(report.unordered.empty());
    if (tool) CHECK(search->counts().distinct_images > 4);
}

}  // namespace

TEST_CASE("In every shape btrfs check accepts each commit, and crashes lose nothing",
          "[app][image][crash]") {
    const std::string fs = some_shape();
    INFO(fs);
    const auto scenario = test::scenario_of(
        fs, R"("touch f1", "touch f2", "pwrite -S 0x61 0 16K f1", "falloc 0 8K f2", "sync")",
        R"("one": {"cpu": 1, "run": ["pwrite -S 0x62 4K 4K f1", "btrfs subvolume snapshot . snap",
            "pwrite -S 0x63 0 4K f2", "pwrite -S 0x64 0 4K f1", "fsync f1", "rm f2", "sync"]})");
    const bool tool = image::can_check();
    const auto search = std::make_shared<crash::CrashSearch>(
        crash::CrashSet{crash::CrashSet::Kind::Flush, 1},
        tool ? crash::CheckImages::Commit : crash::CheckImages::None);
    const auto result = test::run_default(
        scenario, crash::program_options(search, model::KernelVersion{}, scenario->geometry));
    INFO((result.violation ? result.violation->text : std::string()));
    CHECK(result.outcome == sim::Outcome::Completed);
    CHECK(search->counts().media > 50);
    if (tool) CHECK(search->counts().distinct_images == 3);
}

namespace {

/// A balance alone and beside a writer who makes snapshots, or a device that shrinks. Every commit
/// on the way has relocation trees, or blocks that came from them.
void relocate_in_random_order(std::uint64_t count, const std::string& kernel,
                              const std::string& relocation) {
    const std::string fs =
        shape(one, R"("data": "single", "metadata": "dup", "items_per_node": 4)");
    const auto scenario = test::scenario_of(
        fs,
        R"("touch f1", "pwrite -S 0x61 0 8K f1", "touch f2", "chattr +C f2", "falloc 0 8K f2",
           "pwrite -S 0x62 0 4K f2", "sync", "btrfs subvolume snapshot -r . snap",
           "pwrite -S 0x63 0 4K f1")",
        R"("one": {"cpu": 1, "run": [")" + relocation + R"(", "sync"]},
           "two": {"cpu": 2, "run": ["pwrite -S 0x64 4K 4K f1", "fsync f1", "touch f3",
                   "btrfs subvolume snapshot . late", "rm f2", "sync"]})");
    const auto version = model::KernelVersion::parse(kernel, {}, {}).value();
    const auto search = std::make_shared<crash::CrashSearch>(
        crash::CrashSet{},
        image::can_check() ? crash::CheckImages::Commit : crash::CheckImages::None);
    sim::HuntOptions options;
    options.count = count;
    options.execution.max_steps = 1'000'000;  // a random order may relocate for long
    const auto report = sim::hunt(
        scenario::make_factory(scenario, version,
                               crash::program_options(search, version, scenario->geometry)),
        options);
    INFO((report.failures.empty() ? std::string() : report.failures[0].result.violation->text));
    CHECK(report.failures.empty());
    CHECK(report.unordered.empty());
    CHECK(report.error == "");
    if (image::can_check()) CHECK(search->counts().distinct_images > 9);
}

}  // namespace

TEST_CASE("btrfs check accepts each commit of a relocation", "[app][image][relocation]") {
    const auto kernel = GENERATE("4.19", "6.1");
    const auto relocation = GENERATE("btrfs balance start", "btrfs balance start -d",
                                     "btrfs balance start -d\", \"btrfs filesystem resize a 40M");
    INFO(kernel << ": " << relocation);
    relocate_in_random_order(1, kernel, relocation);
}

TEST_CASE("btrfs check accepts each commit of many relocations", "[app][image][relocation][slow]") {
    relocate_in_random_order(40, GENERATE("4.19", "5.3", "6.1"), "btrfs balance start");
}

TEST_CASE("In every shape btrfs check accepts each commit of random executions",
          "[app][image][crash]") {
    in_random_order(5, {});
}

TEST_CASE("In every shape btrfs check accepts each commit of many random executions",
          "[app][image][crash][slow]") {
    in_random_order(200, {crash::CrashSet::Kind::Flush, 1});
}

}  // namespace image_shapes_test
