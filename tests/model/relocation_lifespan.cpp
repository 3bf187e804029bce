#include <catch2/catch.hpp>

#include "model/invariants.h"
#include "model/relocation_internal.h"
#include "tests/model/support/watched_fs.h"

namespace relocation_lifespan_test {

using namespace model;

namespace {

/// The files' tree as a merge leaves it: it has its relocation tree still, and that one is dead.
void merged_tree(FsInfo& fs) {
    Root& reloc_root = *sim::make<Root>(fs, tree_reloc_objectid);
    reloc_root.node = reloc_root.commit_root = fs.fs_root->commit_root;
    extent_buffer_get(*reloc_root.node);
    extent_buffer_get(*reloc_root.node);
    fs.fs_root->reloc_root = &reloc_root;
    reloc::set_dead(*fs.fs_root, true);
    fs.reloc.has_begun = true;
}

/// What clean_dirty_subvols() does, but for dropping the tree's blocks.
void clean(FsInfo& fs) {
    Root& reloc_root = *fs.fs_root->reloc_root;
    reloc::forget_merged(*fs.fs_root);
    reloc::free_reloc_root(reloc_root);
}

using Hook = Result<void> (*)(TransHandle&, Root&);

/// Beside the cleaning, in every order.
std::string beside_cleaning(const std::string& kernel, Hook hook) {
    test::Watched watched{.kernel = kernel, .prepare = merged_tree};
    watched.tasks = {clean, [hook](FsInfo& fs) {
                         const auto trans = join_transaction(*fs.tree_root);
                         REQUIRE(trans.ok());
                         test::must(hook(**trans, *fs.fs_root), "hook");
                         test::must(end_transaction(*trans), "end");
                     }};
    return test::signature_of(test::explore_watched(watched, 2));
}

struct Snapshot {
    bool ctl = true;
    u32 refs = 0;
};

/// A snapshot of that tree is about to be made.
std::string before_snapshot(const std::string& kernel, const Snapshot& given) {
    test::Watched watched{.kernel = kernel, .prepare = merged_tree};
    watched.tasks.push_back([given](FsInfo& fs) {
        RelocControl rc(fs, &*fs.block_groups.begin()->second);
        rc.merge_reloc_tree = true;
        if (given.ctl) fs.reloc.ctl = &rc;
        fs.fs_root->reloc_root->root_item.refs = given.refs;
        reloc::set_dead(*fs.fs_root, given.refs == 0);
        reloc_pre_snapshot(*fs.fs_root);
        fs.reloc.ctl = nullptr;
        clean(fs);
    });
    return test::signature_of(test::run_watched(watched));
}

std::string signature_of_task(const test::FsTask& task) {
    test::Watched watched;
    watched.tasks.push_back(task);
    return test::signature_of(test::run_watched(watched));
}

}  // namespace

TEST_CASE("Up to 5.3 a transaction writes to a relocation tree that is being freed",
          "[model][relocation]") {
    const auto [kernel, signature] =
        GENERATE(table<std::string, std::string>({{"5.1", "use-after-free/btrfs_init_reloc_root"},
                                                  {"5.3", "use-after-free/btrfs_init_reloc_root"},
                                                  {"5.4", ""},
                                                  {"5.5", ""},
                                                  {"6.1", ""}}));
    INFO(kernel);
    CHECK(beside_cleaning(kernel, init_reloc_root) == signature);
}

TEST_CASE("Up to 5.3 a commit finds a dead relocation tree alive, and no relocation",
          "[model][relocation]") {
    const auto [kernel, signature] = GENERATE(
        table<std::string, std::string>({{"5.1", "null-dereference/btrfs_update_reloc_root"},
                                         {"5.3", "null-dereference/btrfs_update_reloc_root"},
                                         {"5.4", ""},
                                         {"5.5", ""},
                                         {"6.1", ""}}));
    INFO(kernel);
    CHECK(beside_cleaning(kernel, update_reloc_root) == signature);
}

TEST_CASE("Up to 5.4 a snapshot takes a merged tree for one that is to be merged",
          "[model][relocation]") {
    const auto [kernel, signature] =
        GENERATE(table<std::string, std::string>({{"5.0", ""},
                                                  {"5.1", "bug-on/btrfs_reloc_pre_snapshot"},
                                                  {"5.4", "bug-on/btrfs_reloc_pre_snapshot"},
                                                  {"5.5", ""},
                                                  {"6.1", ""}}));
    INFO(kernel);
    CHECK(before_snapshot(kernel, {}) == signature);
    CHECK(before_snapshot(kernel, {.refs = 1}) == "");
}

TEST_CASE("5.1 takes a relocation tree for a sign that there is a relocation",
          "[model][relocation]") {
    CHECK(before_snapshot("5.1", {.ctl = false}) == "null-dereference/btrfs_reloc_pre_snapshot");
    CHECK(before_snapshot("5.2", {.ctl = false}) == "");
    CHECK(before_snapshot("5.5", {.ctl = false}) == "");
}

TEST_CASE("Whoever uses a tree that was freed is found", "[model][invariants]") {
    CHECK(signature_of_task([](FsInfo& fs) { free_extent_buffer(&root_node(*fs.fs_root)); }) == "");
    CHECK(signature_of_task([](FsInfo& fs) {
              fs.fs_root->is_freed = true;
              free_extent_buffer(&root_node(*fs.fs_root));
          }) == "use-after-free/btrfs_root_node");
}

TEST_CASE("Whoever follows a null pointer is found", "[model][invariants]") {
    CHECK(signature_of_task([](FsInfo& fs) { check_followed(&fs, "test"); }) == "");
    CHECK(signature_of_task([](FsInfo&) { check_followed(nullptr, "test"); }) ==
          "null-dereference/test");
}

}  // namespace relocation_lifespan_test
