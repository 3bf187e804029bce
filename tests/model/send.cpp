#include "model/send.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "model/balance.h"
#include "model/send_stream.h"
#include "model/vfs.h"
#include "tests/model/support/watched_fs.h"

namespace send_test {

using namespace model;

namespace {

/// Two snapshots that differ in data, names and files; trees of the height that `items` makes.
void two_snapshots(FsInfo& fs) {
    for (const char* const name : {"f1", "f2", "gone"})
        test::must(vfs::create(fs, name), "create");
    test::must(vfs::pwrite(fs, "f1", 0, 16384, 0x61), "pwrite");
    test::must(vfs::pwrite(fs, "f2", 0, 8192, 0x62), "pwrite");
    test::must(vfs::sync(fs), "sync");
    test::must(vfs::snapshot(fs, ".", "s1", true), "snapshot");
    test::must(vfs::pwrite(fs, "f1", 4096, 4096, 0x63), "pwrite");
    test::must(vfs::truncate(fs, "f2", 4096), "truncate");
    test::must(vfs::unlink(fs, "gone"), "unlink");
    test::must(vfs::create(fs, "new"), "create");
    test::must(vfs::pwrite(fs, "new", 4096, 8192, 0x64), "pwrite");
    test::must(vfs::sync(fs), "sync");
    test::must(vfs::snapshot(fs, ".", "s2", true), "snapshot");
}

test::Watched watched_on(const std::string& kernel, u32 items_per_node) {
    test::Watched watched{.kernel = kernel, .prepare = two_snapshots};
    watched.geometry.items_per_node = items_per_node;
    return watched;
}

void send_difference(FsInfo& fs) {
    static_cast<void>(vfs::send(fs, "s2", "s1").ok());
}
void balance_data(FsInfo& fs) {
    static_cast<void>(balance_start(fs, true, false).ok());
}
void shrink(FsInfo& fs) {
    static_cast<void>(vfs::resize(fs, "a", u64{12} << 20).ok());
}

bool says(const sim::ExecutionResult& result, const std::string& text) {
    return std::ranges::any_of(
        result.messages, [&](const std::string& m) { return m.find(text) != std::string::npos; });
}

sim::SearchReport hunt(const test::Watched& watched, std::uint64_t count) {
    sim::HuntOptions options;
    options.count = count;
    options.seed = 5;
    options.strategy = {.kind = sim::StrategySpec::Kind::Pct, .depth = 2};
    return sim::hunt(test::watched_program(watched), options);
}

}  // namespace

TEST_CASE("A received snapshot is what was sent, whole or from another", "[model][send]") {
    const auto kernel = GENERATE("4.20", "5.0", "5.3", "5.14", "5.17", "6.1");
    const u32 items = GENERATE(0, 4, 3);
    test::Watched watched = watched_on(kernel, items);
    watched.tasks.push_back([](FsInfo& fs) {
        test::must(vfs::send(fs, "s1", ""), "send");
        test::must(vfs::send(fs, "s2", ""), "send");
        test::must(vfs::send(fs, "s2", "s1"), "send -p");
        test::must(vfs::send(fs, "s1", "s2"), "send -p");
        CHECK(vfs::send(fs, ".", "").error() == Errno::Perm);
    });
    CHECK(test::signature_of(test::run_watched(watched)) == "");
}

TEST_CASE("A send ends without a reader if it goes to /dev/null, and the reader with any send",
          "[model][send]") {
    test::Watched watched = watched_on("6.1", 4);
    watched.tasks = {[](FsInfo& fs) { test::must(vfs::send(fs, "s1", "", "/dev/null"), "send"); },
                     [](FsInfo& fs) { CHECK(!vfs::send(fs, "nothing", "", "pipe")); },
                     [](FsInfo& fs) { test::must(vfs::cat(fs, "pipe"), "cat"); }};
    CHECK(test::signature_of(test::run_watched(watched)) == "");
}

TEST_CASE("What a subvolume holds is what its files are", "[model][send]") {
    test::Watched watched = watched_on("6.1", 4);
    watched.tasks.push_back([](FsInfo& fs) {
        const auto content = peek_subvolume(*fs.fs_root);
        const auto named = [&](const std::string& name) {
            return std::ranges::find_if(content.files,
                                        [&](const auto& file) {
                                            return file.second.names.contains({256, name});
                                        })
                ->second;
        };
        CHECK(named("f1").size == 16384);
        CHECK(named("f1").sectors.at(0) == 0x6161616161616161);
        CHECK(named("f1").sectors.at(1) == 0x6363636363636363);
        CHECK(named("f2").size == 4096);
        CHECK(named("new").sectors.size() == 2);
        CHECK(content.files.at(256).is_dir);
        CHECK(difference(content, content) == "");
        auto other = content;
        ++other.files.rbegin()->second.sectors[1];
        CHECK(difference(content, other) != "");
        CHECK(difference(content, {}) != "");
        CHECK(difference({}, content) != "");
    });
    CHECK(test::signature_of(test::run_watched(watched)) == "");
}

TEST_CASE("The receiver applies each command", "[model][send]") {
    using Kind = SendCommand::Kind;
    SubvolumeContent parent;
    parent.files[300] = {
        .is_dir = false, .size = 8192, .names = {{256, "old"}}, .sectors = {{0, 7}}};
    const auto received = receive(
        {{.kind = Kind::Create, .ino = 301},
         {.kind = Kind::Link, .ino = 301, .offset = 256, .name = "a"},
         {.kind = Kind::Write, .ino = 301, .offset = 4096, .length = 4096, .words = {9}},
         {.kind = Kind::Clone, .ino = 301, .length = 4096, .from_parent = true, .clone_ino = 300},
         {.kind = Kind::Truncate, .ino = 301, .length = 8192},
         {.kind = Kind::Unlink, .ino = 300, .offset = 256, .name = "old"},
         {.kind = Kind::Truncate, .ino = 300, .length = 0},
         {.kind = Kind::Create, .ino = 302},
         {.kind = Kind::Delete, .ino = 302}},
        parent);
    CHECK(received.files.size() == 2);
    CHECK(received.files.at(301).sectors == std::map<u64, u64>{{0, 7}, {1, 9}});
    CHECK(received.files.at(301).size == 8192);
    CHECK(received.files.at(300).sectors.empty());
    CHECK(received.files.at(300).names.empty());
}

// ---- beside relocation
// ---------------------------------------------------------------------------

TEST_CASE("Before they excluded each other a balance could break a send", "[model][send]") {
    test::Watched watched = watched_on("5.0", 8);
    watched.tasks = {send_difference, balance_data};
    const std::string signature = test::signature_of(hunt(watched, 400));
    INFO(signature);
    CHECK((signature.starts_with("send-completes/") || signature.starts_with("send-stream") ||
           signature == "bug-on/btrfs_read_node_slot"));
}

TEST_CASE("A send and a balance exclude each other, or do each other no harm", "[model][send]") {
    const auto kernel = GENERATE("5.3", "5.13", "5.14", "5.16", "5.17", "6.1");
    test::Watched watched = watched_on(kernel, 8);
    watched.tasks = {send_difference, balance_data};
    const auto report = hunt(watched, 120);
    INFO(kernel);
    CHECK(test::signature_of(report) == "");
}

TEST_CASE("Whoever comes second is told why it has to wait", "[model][send]") {
    test::Watched watched;
    watched.prepare = two_snapshots;
    std::string expected;
    SECTION("a send beside a balance") {
        watched.kernel = "5.3";
        watched.tasks.push_back([](FsInfo& fs) {
            fs.flags.set_bit(fs_flag::balance_running);
            CHECK(vfs::send(fs, "s2", "").error() == Errno::Again);
            fs.flags.clear_bit(fs_flag::balance_running);
        });
        expected = "cannot run send because a balance operation is in progress";
    }
    SECTION("a balance beside a send") {
        watched.kernel = "5.3";
        watched.tasks.push_back([](FsInfo& fs) {
            fs.send.in_progress = 2;
            CHECK(balance_start(fs, true, true).error() == Errno::Again);
            fs.send.in_progress = 0;
            test::must(balance_start(fs, true, false), "balance");
        });
        expected = "cannot run balance while send operations are in progress (2 in progress)";
    }
    SECTION("a send beside a relocation") {
        watched.kernel = "5.14";
        watched.tasks.push_back([](FsInfo& fs) {
            fs.flags.set_bit(fs_flag::reloc_running);
            CHECK(vfs::send(fs, "s2", "").error() == Errno::Again);
            fs.flags.clear_bit(fs_flag::reloc_running);
        });
        expected = "cannot run send because a relocation operation is in progress";
    }
    SECTION("a relocation beside a send") {
        watched.kernel = "5.14";
        watched.tasks.push_back([](FsInfo& fs) {
            fs.send.in_progress = 1;
            CHECK(balance_start(fs, true, true).error() == Errno::Again);
            CHECK(vfs::resize(fs, "a", u64{8} << 20).error() == Errno::Again);
            fs.send.in_progress = 0;
        });
        expected = "cannot run relocation while send operations are in progress (1 in progress)";
    }
    SECTION("a send beside another exclusive operation") {
        watched.kernel = "5.0";
        watched.with = {"send-exclusive-op"};
        watched.tasks.push_back([](FsInfo& fs) {
            fs.dev_replace.exclusive_operation.store(exclop::balance_paused);
            CHECK(vfs::send(fs, "s2", "").error() == Errno::InProgress);
            fs.dev_replace.exclusive_operation.store(exclop::none);
            test::must(vfs::send(fs, "s2", ""), "send");
        });
    }
    const auto result = test::run_watched(watched);
    CHECK(test::signature_of(result) == "");
    CHECK((expected.empty() || says(result, expected)));
}

TEST_CASE("A device that shrinks is no balance: only 1cea5cf0e664 keeps it off sends",
          "[model][send]") {
    const auto [kernel, breaks] = GENERATE(table<std::string, bool>(
        {{"5.3", true}, {"5.13", true}, {"5.14", false}, {"5.17", false}}));
    test::Watched watched = watched_on(kernel, 8);
    // The data chunk is the last one, and there is a free place before it.
    watched.prepare = [](FsInfo& fs) {
        two_snapshots(fs);
        test::must(balance_start(fs, true, false), "balance");
        test::must(vfs::sync(fs), "sync");
        test::must(vfs::commit(fs), "commit");
    };
    watched.tasks = {send_difference, shrink};
    const std::string signature = test::signature_of(hunt(watched, breaks ? 800 : 120));
    INFO(kernel << ": " << signature);
    CHECK(signature.empty() != breaks);
}

TEST_CASE("All four outcomes of the historic report are found by chance", "[model][send][slow]") {
    test::Watched watched{.kernel = "5.0"};
    watched.geometry.items_per_node = 6;
    watched.prepare = [](FsInfo& fs) {
        const std::vector<std::string> names{"f1", "f2", "f3", "f4", "f5", "f6"};
        for (const std::string& name : names)
            test::must(vfs::create(fs, name), "create");
        test::must(vfs::pwrite(fs, "f1", 0, 4096, 0x61), "pwrite");
        test::must(vfs::sync(fs), "sync");
        test::must(vfs::snapshot(fs, ".", "s1", true), "snapshot");
        for (const std::string& name : names)
            test::must(vfs::pwrite(fs, name, 0, 4096, 0x63), "pwrite");
        test::must(vfs::sync(fs), "sync");
        test::must(vfs::snapshot(fs, ".", "s2", true), "snapshot");
    };
    watched.tasks = {[](FsInfo& fs) { static_cast<void>(vfs::send(fs, "s2", "s1", "pipe").ok()); },
                     [](FsInfo& fs) {
                         balance_data(fs);
                         test::must(vfs::cat(fs, "pipe"), "cat");
                     }};
    const std::set<std::string> reported{"bug-on/btrfs_read_node_slot", "send-completes/no-backref",
                                         "send-completes/transid", "send-stream-equals-snapshot"};
    std::set<std::string> found;
    sim::HuntOptions options;
    options.count = 500;
    options.keep_going = true;
    options.strategy = {.kind = sim::StrategySpec::Kind::Pct, .depth = 5};
    // The rarest comes once in some two thousand executions.
    for (options.seed = 1; options.seed <= 40 && found != reported; ++options.seed)
        for (const sim::Failure& failure :
             sim::hunt(test::watched_program(watched), options).failures)
            found.insert(failure.signature);
    CHECK(found == reported);
}

}  // namespace send_test
