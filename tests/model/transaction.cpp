#include "model/transaction.h"

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "model/fs_info.h"
#include "model/vfs.h"
#include "sim/completion.h"
#include "tests/model/support/simulated_fs.h"
#include "tests/model/support/watched_fs.h"

namespace transaction_test {

using namespace model;

namespace {

/// Scopes right under a commit, and the states of the transaction, in the order in which one
/// execution told them.
std::vector<std::string> commit_phases(const sim::ExecutionResult& result) {
    using Kind = sim::Narration::Kind;
    std::vector<std::string> phases;
    unsigned depth = 0;  // 1: inside the commit
    for (const sim::Narration& line : result.trace.narration()) {
        if (line.kind == Kind::Enter) {
            if (depth == 1) phases.push_back(line.text);
            if (depth > 0 || line.text == "btrfs_commit_transaction") ++depth;
        } else if (line.kind == Kind::Leave && depth > 0) {
            --depth;
        } else if (const auto is = line.text.find(" is ");
                   line.kind == Kind::Note && depth == 1 && is != std::string::npos) {
            phases.push_back("state " + line.text.substr(is + 4));
        }
    }
    return phases;
}

test::Options narrated(const std::string& kernel) {
    test::Options options;
    options.kernel = kernel;
    options.narrate = true;
    return options;
}

sim::ExecutionResult one_commit(const std::string& kernel) {
    return test::run_on_fs(narrated(kernel), [](FsInfo& fs) {
        test::must(vfs::create(fs, "f"), "create");
        test::must(vfs::commit(fs), "commit");
    });
}

/// What tasks of one test agree on and find out. Made by the first task, so that it is part of the
/// simulation.
struct Meeting {
    sim::Completion may_go;
};

struct Probe {
    bool before_release =
        false;  // it returned while the handle that the commit waits for was still open
    Errno error{};
    u64 transid = 0;
};

using StartFunction = Result<TransHandle*> (*)(Root&);

Probe probe(FsInfo& fs, StartFunction start, const bool& released) {
    const auto trans = start(*fs.tree_root);
    Probe result;
    result.before_release = !released;
    if (!trans) {
        result.error = trans.error();
        return result;
    }
    result.transid = (*trans)->transid.get();
    static_cast<void>(end_transaction(*trans));
    return result;
}

Result<TransHandle*> start_empty(Root& root) {
    return start_transaction(root, 0);
}

/// A commit of transaction 2 stands still in `state`, since a handle got by `holder` is open;
/// `start` is tried meanwhile.
Probe start_during(TransState state, StartFunction holder, StartFunction start) {
    Probe result;
    bool released = false;
    TransState reached{};
    Meeting* meeting = nullptr;
    // A task goes on until it sleeps, then the next one does: each finds what those before it left.
    std::vector<std::function<void(FsInfo&)>> tasks;
    tasks.emplace_back([&](FsInfo& fs) {
        meeting = sim::make<Meeting>();
        const auto trans = holder(*fs.tree_root);
        meeting->may_go.wait();
        released = true;
        static_cast<void>(end_transaction(*trans));
    });
    tasks.emplace_back([](FsInfo& fs) { test::must(vfs::commit(fs), "commit"); });
    tasks.emplace_back([&](FsInfo& fs) {
        reached = fs.running_transaction->state;
        result = probe(fs, start, released);
        meeting->may_go.complete_all();
    });
    // The probe sleeps until the commit is over: then this one lets it go on.
    tasks.emplace_back([&](FsInfo&) { meeting->may_go.complete_all(); });
    const auto run = test::run_on_fs(test::Options(), tasks);
    CHECK(run.outcome == sim::Outcome::Completed);
    CHECK(reached == state);
    return result;
}

}  // namespace

TEST_CASE("a commit goes through the phases that every recorded commit of 6.1 shows",
          "[model][transaction]") {
    const auto result = one_commit("6.1");
    REQUIRE(result.outcome == sim::Outcome::Completed);
    CHECK(commit_phases(result) == std::vector<std::string>{
                                       "btrfs_run_delayed_refs",
                                       "btrfs_create_pending_block_groups",
                                       "btrfs_start_dirty_block_groups",
                                       "state COMMIT_START",
                                       "btrfs_scrub_pause",
                                       "state COMMIT_DOING",
                                       "create_pending_snapshots",
                                       "btrfs_run_delayed_refs",
                                       "commit_fs_roots",
                                       "commit_cowonly_roots",
                                       "switch_commit_roots",
                                       "btrfs_commit_device_sizes",
                                       "state UNBLOCKED",
                                       "btrfs_write_and_wait_transaction",
                                       "write_all_supers",
                                       "state SUPER_COMMITTED",
                                       "btrfs_finish_extent_commit",
                                       "state COMPLETED",
                                       "btrfs_scrub_continue",
                                   });
}

TEST_CASE("states and passes of a commit that only some kernels have", "[model][transaction]") {
    const auto count = [](const std::string& kernel, const std::string& phase) {
        const auto phases = commit_phases(one_commit(kernel));
        return std::count(phases.begin(), phases.end(), phase);
    };
    CHECK(count("6.6", "state COMMIT_PREP") == 1);
    CHECK(count("6.1", "state COMMIT_PREP") == 0);
    CHECK(count("5.12", "state SUPER_COMMITTED") == 1);
    CHECK(count("5.11", "state SUPER_COMMITTED") == 0);
    CHECK(count("5.11", "btrfs_run_delayed_refs") ==
          3);  // twice before the commit is decided, once in it
    CHECK(count("5.12", "btrfs_run_delayed_refs") == 2);
}

TEST_CASE("a small commit takes some hundred steps at most", "[model][transaction]") {
    CHECK(one_commit("6.1").steps < 400);
}

TEST_CASE("the state of a commit decides who may still join", "[model][transaction]") {
    SECTION("COMMIT_START keeps START and ATTACH out") {
        const auto during = [](StartFunction start) {
            return start_during(TransState::CommitStart, start_empty, start);
        };
        CHECK(during(join_transaction).before_release);
        CHECK(during(join_transaction).transid == 2);
        CHECK(during(join_transaction_nostart).before_release);
        CHECK(during(join_transaction_nolock).before_release);
        CHECK_FALSE(during(start_empty).before_release);
        CHECK(during(start_empty).transid == 3);
        CHECK_FALSE(during(attach_transaction).before_release);
        CHECK(during(attach_transaction).error == Errno::NoEnt);
    }
    SECTION("COMMIT_DOING lets only JOIN_NOLOCK in") {
        const auto during = [](StartFunction start) {
            return start_during(TransState::CommitDoing, join_transaction, start);
        };
        CHECK_FALSE(during(join_transaction).before_release);
        CHECK(during(join_transaction).transid == 3);
        CHECK_FALSE(during(join_transaction_nostart).before_release);
        CHECK(during(join_transaction_nostart).error == Errno::NoEnt);
        CHECK(during(join_transaction_nolock).before_release);
        CHECK(during(join_transaction_nolock).transid == 2);
    }
}

TEST_CASE("a handle inside a handle is the same handle, without its reserve",
          "[model][transaction]") {
    bool same = false, reserve_hidden = false, reserve_back = false, over = false;
    test::run_on_fs(test::Options(), [&](FsInfo& fs) {
        const auto outer = start_transaction(*fs.fs_root, 1);
        BlockRsv* const reserve = (*outer)->block_rsv;
        const auto inner = join_transaction(*fs.fs_root);
        same = *inner == *outer && (*outer)->use_count == 2;
        reserve_hidden = (*inner)->block_rsv == nullptr;
        static_cast<void>(end_transaction(*inner));
        reserve_back = (*outer)->block_rsv == reserve && current_trans() == *outer;
        static_cast<void>(end_transaction(*outer));
        over = current_trans() == nullptr;
    });
    CHECK(same);
    CHECK(reserve_hidden);
    CHECK(reserve_back);
    CHECK(over);
}

TEST_CASE("attach finds nothing where nothing runs", "[model][transaction]") {
    Errno attach{}, barrier{};
    test::run_on_fs(test::Options(), [&](FsInfo& fs) {
        attach = attach_transaction(*fs.tree_root).error();
        barrier = attach_transaction_barrier(*fs.tree_root).error();
    });
    CHECK(attach == Errno::NoEnt);
    CHECK(barrier == Errno::NoEnt);
}

TEST_CASE("two commits of one transaction are one commit", "[model][transaction]") {
    u64 committed = 0, generation = 0;
    Meeting* meeting = nullptr;
    const auto commit_after = [&](FsInfo& fs) {
        const auto trans = join_transaction(*fs.fs_root);
        meeting->may_go.wait();
        test::must(commit_transaction(*trans), "commit");
        committed = fs.last_trans_committed.peek();
        generation = fs.generation.get();
    };
    std::vector<std::function<void(FsInfo&)>> tasks;
    tasks.emplace_back([&](FsInfo& fs) {
        meeting = sim::make<Meeting>();
        commit_after(fs);
    });
    tasks.emplace_back(commit_after);
    tasks.emplace_back([&](FsInfo&) { meeting->may_go.complete_all(); });
    const auto result = test::run_on_fs(test::Options(), tasks);
    CHECK(result.outcome == sim::Outcome::Completed);
    CHECK(committed == 2);
    CHECK(generation == 2);
}

TEST_CASE("an abort ends the transaction and makes the filesystem read-only, in the kernel's words",
          "[model][transaction]") {
    Errno start{}, end{};
    bool left_over = true;
    const auto result = test::run_on_fs(test::Options(), [&](FsInfo& fs) {
        const auto trans = start_transaction(*fs.fs_root, 1);
        abort_transaction(**trans, Errno::NoSpc, "__btrfs_free_extent");
        abort_transaction(**trans, Errno::NoSpc, "btrfs_run_delayed_refs");
        end = end_transaction(*trans).error();
        start = start_transaction(*fs.fs_root, 1).error();
        cleanup_transactions(fs);
        left_over = fs.running_transaction != nullptr || !fs.trans_list.empty();
    });
    CHECK(end == Errno::NoSpc);
    CHECK(start == Errno::Rofs);
    CHECK_FALSE(left_over);
    CHECK(
        result.messages ==
        std::vector<std::string>{
            "BTRFS: Transaction aborted (error -28)",
            "BTRFS: error (device a: state A) in __btrfs_free_extent: errno=-28 No space left",
            "BTRFS info (device a: state EA): forced readonly",
            "BTRFS: error (device a: state EA) in btrfs_run_delayed_refs: errno=-28 No space left",
        });
}

TEST_CASE("a commit that finds its transaction aborted throws it away", "[model][transaction]") {
    Errno commit{};
    u64 committed = 0, generation = 0;
    Meeting* meeting = nullptr;
    std::vector<std::function<void(FsInfo&)>> tasks;
    tasks.emplace_back([&](FsInfo& fs) {  // still inside when the commit has begun
        meeting = sim::make<Meeting>();
        const auto trans = join_transaction(*fs.fs_root);
        meeting->may_go.wait();
        abort_transaction(**trans, Errno::IO, "btrfs_finish_ordered_io");
        static_cast<void>(end_transaction(*trans));
    });
    tasks.emplace_back([&](FsInfo& fs) {
        const auto trans = attach_transaction(*fs.fs_root);
        commit = commit_transaction(*trans).error();
        committed = fs.last_trans_committed.peek();
        generation = fs.super_copy->generation;
    });
    tasks.emplace_back([&](FsInfo&) { meeting->may_go.complete_all(); });
    const auto result = test::run_on_fs(test::Options(), tasks);
    CHECK(result.outcome == sim::Outcome::Completed);
    CHECK(commit == Errno::IO);
    CHECK(committed == 1);
    CHECK(generation == 1);
    CHECK(result.messages ==
          std::vector<std::string>{
              "BTRFS: error (device a: state A) in btrfs_finish_ordered_io: errno=-5 IO failure",
              "BTRFS info (device a: state EA): forced readonly",
              "BTRFS warning (device a: state EA): Skipping commit of aborted transaction.",
              "BTRFS: error (device a: state EA) in cleanup_transaction: errno=-5 IO failure",
          });
}

/// Generation of the super block after a commit whose predecessor failed and is gone.
u64 generation_after_failed_predecessor(const std::string& kernel) {
    u64 generation = 0;
    test::Options options;
    options.kernel = kernel;
    const auto result = test::run_on_fs(options, [&](FsInfo& fs) {
        const auto trans = start_transaction(*fs.fs_root, 1);
        fs.fs_state.set_bit(fs_state_bit::trans_aborted);
        handle_fs_error(fs, Errno::IO, "cleanup_transaction");
        static_cast<void>(commit_transaction(*trans));
        generation = fs.super_copy->generation;
    });
    CHECK(result.outcome == sim::Outcome::Completed);
    return generation;
}

TEST_CASE("a commit writes no super block after one that failed, since cb2d3daddbfb",
          "[model][transaction]") {
    CHECK(generation_after_failed_predecessor("5.3") == 1);
    CHECK(generation_after_failed_predecessor("5.0") == 2);
}

TEST_CASE("random schedules of writers and committers keep every promise", "[model][transaction]") {
    test::Watched watched;
    watched.prepare = [](FsInfo& fs) { test::must(vfs::create(fs, "f"), "create"); };
    watched.tasks = {
        [](FsInfo& fs) {
            test::must(vfs::pwrite(fs, "f", 0, 8192, 0x61), "pwrite");
            test::must(vfs::sync(fs), "sync");
        },
        [](FsInfo& fs) { test::must(vfs::create(fs, "g"), "create"); },
        [](FsInfo& fs) { test::must(vfs::commit(fs), "commit"); },
    };
    const auto report = test::hunt_watched(watched, 100);
    CHECK(test::signature_of(report).empty());
    CHECK(report.unordered.empty());
}

}  // namespace transaction_test
