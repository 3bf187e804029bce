// The coarse grain merges steps that nobody could notice apart. Programs small enough to be
// searched whole in both grains end in the same states.
#include <catch2/catch.hpp>

#include "model/vfs.h"
#include "sim/explorer.h"
#include "sim/strategy_dfs.h"
#include "tests/model/support/watched_fs.h"

namespace grains_test {

namespace {

using namespace model;

using Task = std::function<void(FsInfo&)>;

sim::SearchReport search(const std::vector<Task>& tasks, sim::Grain grain) {
    test::Watched watched;
    watched.prepare = [](FsInfo& fs) {
        test::must(vfs::create(fs, "f1"), "create");
        test::must(vfs::pwrite(fs, "f1", 0, 8192, 0x61), "pwrite");
        test::must(vfs::sync(fs), "sync");
    };
    watched.tasks = tasks;
    sim::ExploreOptions options;
    options.execution.grain = grain;
    options.max_deviations = sim::DfsStrategy::unbounded;
    options.reduction = sim::Reduction::Dpor;
    options.keep_going = true;
    options.collect_final_states = true;
    options.limits.max_executions = 100'000;
    return sim::explore(test::watched_program(watched), options);
}

Task write_at(u64 offset, u8 pattern) {
    return [=](FsInfo& fs) { test::must(vfs::pwrite(fs, "f1", offset, 4096, pattern), "pwrite"); };
}
Task truncate_to(u64 size) {
    return [=](FsInfo& fs) { test::must(vfs::truncate(fs, "f1", size), "truncate"); };
}
Task make_file(const char* path) {
    return [=](FsInfo& fs) { static_cast<void>(vfs::create(fs, path).ok()); };  // or it is there
}

}  // namespace

TEST_CASE("Both grains end in the same states", "[model][grain]") {
    const auto tasks = GENERATE_COPY(
        Catch::Generators::values<std::vector<Task>>({{write_at(0, 0x62), write_at(0, 0x63)},
                                                      {write_at(0, 0x62), write_at(4096, 0x63)},
                                                      {write_at(0, 0x62), truncate_to(0)},
                                                      {make_file("f2"), make_file("f2")}}));
    const auto coarse = search(tasks, sim::Grain::Coarse);
    const auto fine = search(tasks, sim::Grain::Fine);
    CHECK(coarse.end == sim::SearchEnd::Complete);
    CHECK(fine.end == sim::SearchEnd::Complete);
    CHECK(coarse.final_states == fine.final_states);
    CHECK(coarse.failures.empty());
    CHECK(fine.failures.empty());
}

}  // namespace grains_test
