#include "model/ctree.h"

#include <catch2/catch.hpp>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "model/disk_io.h"
#include "model/fs_info.h"
#include "model/mkfs.h"
#include "model/tree_check.h"
#include "sim/execution.h"
#include "sim/rng.h"
#include "sim/strategies.h"

namespace ctree_test {

namespace {

using model::Key;
using model::u32;
using model::u64;
using model::u8;

constexpr u8 test_item_key = 250;  // no code of the model looks at such items of a file tree
constexpr model::Objectid test_objectid = 1 << 20;

struct Shape {
    u32 nodesize = 4096;
    u32 items_per_node = 0;
    u32 pointers_per_node = 0;
};

model::Geometry geometry_of(Shape shape) {
    model::Geometry geometry;
    geometry.devices = {{"a", 256 << 20, false}};
    geometry.nodesize = shape.nodesize;
    geometry.items_per_node = shape.items_per_node;
    geometry.pointers_per_node = shape.pointers_per_node;
    return geometry;
}

/// A fresh filesystem, and tasks on it. What goes wrong in a task is noted, since an assertion of
/// Catch2 must not throw through a fiber.
class TreeProgram final : public sim::Program {
  public:
    using Body = void (TreeProgram::*)(unsigned task);
    TreeProgram(Shape shape, Body body, unsigned tasks, u64 seed, std::string* problem)
        : geometry_(geometry_of(shape)), body_(body), tasks_(tasks), seed_(seed),
          problem_(problem) {}

    void prepare() override {
        fs_ = sim::make<model::FsInfo>(model::KernelVersion{}, geometry_);
        model::mkfs(*fs_, geometry_);
        if (!model::open_ctree(*fs_)) note("open_ctree failed");
    }
    void start() override {
        for (unsigned task = 0; task < tasks_; ++task)
            sim::current().spawn("worker", [this, task] { (this->*body_)(task); });
    }
    u64 state_hash() override { return model::state_digest(*fs_); }

    void insert_and_delete(unsigned task);
    void resize_and_duplicate(unsigned task);
    void grow_and_shrink(unsigned task);
    void work_beside_others(unsigned task);

  private:
    using Content = std::map<Key, std::vector<u8>>;

    void note(const std::string& text) {
        if (problem_->empty()) *problem_ = text;
    }
    bool failed() const { return !problem_->empty(); }
    model::Root& root() { return *fs_->fs_root; }

    model::TransHandle* begin() {
        const auto trans = model::start_transaction(root(), 2);
        if (trans) return *trans;
        note(std::string("start_transaction: ") + model::errno_name(trans.error()));
        return nullptr;
    }
    void end(model::TransHandle* trans, bool commit) {
        const auto ended =
            commit ? model::commit_transaction(trans) : model::end_transaction(trans);
        if (!ended)
            note(std::string("end of the transaction: ") + model::errno_name(ended.error()));
    }
    template <class Operation> bool in_transaction(bool commit, Operation&& operation) {
        model::TransHandle* const trans = begin();
        if (trans == nullptr) return false;
        const model::Result<void> done = operation(*trans);
        if (!done) note(std::string("operation: ") + model::errno_name(done.error()));
        end(trans, commit);
        return done.ok();
    }
    bool insert(const Key& key, const std::vector<u8>& data, bool commit = false) {
        return in_transaction(commit, [&](model::TransHandle& trans) {
            return model::insert_item(trans, root(), key, data);
        });
    }
    bool remove(const Key& key, unsigned count, bool commit = false) {
        return in_transaction(commit, [&](model::TransHandle& trans) -> model::Result<void> {
            model::Path path;
            const auto found = model::search_slot(&trans, root(), key, path, -1, true);
            if (!found) return found.error();
            if (!*found) return model::Errno::NoEnt;
            return model::del_items(trans, root(), path, path.slots[0], count);
        });
    }
    /// How many items from `key` on lie in its leaf, at most `wanted`.
    unsigned neighbours(const Key& key, unsigned wanted) {
        model::Path path;
        const auto found = model::search_slot(nullptr, root(), key, path, 0, false);
        if (!found || !*found) return 0;
        return std::min(wanted, path.nodes[0]->nritems() - path.slots[0]);
    }

    void check_structure() {
        if (const std::string defect = model::check_tree_structure(root()); !defect.empty())
            note(defect);
        if (const std::string defect = model::check_tree_structure(*fs_->extent_root);
            !defect.empty())
            note(defect);
    }
    void compare(const Content& expected);
    model::Level height() { return root().node->level(); }
    /// Few enough for eight levels.
    unsigned most_items() const {
        return geometry_.items_per_node == 0 ? 600 : geometry_.items_per_node * 20;
    }

    model::Geometry geometry_;
    Body body_;
    unsigned tasks_;
    u64 seed_;
    std::string* problem_;
    model::FsInfo* fs_ = nullptr;
};

/// Walks the leaves with next_item(), as readers do.
void TreeProgram::compare(const Content& expected) {
    model::Path path;
    auto found = model::search_slot_for_read(root(), {test_objectid, 0, 0}, path, true);
    auto at = expected.begin();
    while (found && *found) {
        const Key key = path.key();
        if (key.type == test_item_key) {
            if (at == expected.end()) return note("an item too many: " + to_string(key));
            if (key != at->first)
                return note("found " + to_string(key) + ", not " + to_string(at->first));
            const model::ExtentBuffer& leaf = *path.nodes[0];
            const std::vector<u8> data(leaf.item_data(path.slots[0]),
                                       leaf.item_data(path.slots[0]) +
                                           leaf.item_size(path.slots[0]));
            if (data != at->second) return note("the data of " + to_string(key) + " differs");
            ++at;
        }
        found = model::next_item(root(), path);
    }
    if (!found) return note(std::string("reading: ") + model::errno_name(found.error()));
    if (at != expected.end()) note("missing: " + to_string(at->first));
}

std::vector<u8> some_bytes(sim::Rng& rng, u64 at_most) {
    std::vector<u8> data(rng.below(at_most + 1));
    for (u8& byte : data)
        byte = static_cast<u8>(rng.next());
    return data;
}

void TreeProgram::insert_and_delete(unsigned) {
    sim::Rng rng(seed_);
    Content content;
    const unsigned rounds = 2 * most_items();
    for (unsigned round = 0; round < rounds && !failed(); ++round) {
        const Key key{test_objectid + rng.below(4), test_item_key, rng.below(most_items() / 4)};
        const bool commit = rng.below(20) == 0;
        const bool growing = round < rounds / 2;
        if (!content.contains(key) && (growing || rng.below(3) == 0)) {
            const auto data = some_bytes(rng, rng.below(10) == 0 ? 1500 : 60);
            if (insert(key, data, commit)) content[key] = data;
        } else if (const auto first = content.lower_bound(key); first != content.end()) {
            const unsigned count =
                neighbours(first->first, static_cast<unsigned>(1 + rng.below(3)));
            if (remove(first->first, count, commit)) content.erase(first, std::next(first, count));
        }
        check_structure();
        if (round % 16 == 0) compare(content);
    }
    compare(content);
    while (!content.empty() && !failed()) {
        if (remove(content.begin()->first, 1)) content.erase(content.begin());
        check_structure();
    }
}

void TreeProgram::resize_and_duplicate(unsigned) {
    sim::Rng rng(seed_);
    Content content;
    for (unsigned round = 0; round < most_items() && !failed(); ++round) {
        const Key key{test_objectid, test_item_key, rng.below(1000) * 16};
        if (!content.contains(key)) {
            const auto data = some_bytes(rng, 200);
            if (insert(key, data)) content[key] = data;
        }
        auto& data = content[key];
        const u64 what = rng.below(3);
        in_transaction(false, [&](model::TransHandle& trans) -> model::Result<void> {
            model::Path path;
            const auto added = static_cast<u32>(rng.below(100));
            const auto found = model::search_slot(&trans, root(), key, path,
                                                  what == 0 ? static_cast<int>(added) : 0, true);
            if (!found) return found.error();
            if (what == 0 && added != 0) {
                model::extend_item(path, added);
                data.resize(data.size() + added, 0xEE);
                std::memset(path.nodes[0]->item_data(path.slots[0]) + data.size() - added, 0xEE,
                            added);
            } else if (what == 1 && !data.empty()) {
                data.resize(data.size() / 2);
                model::truncate_item(path, static_cast<u32>(data.size()), true);
            } else if (what == 2) {
                Key copy = key;
                copy.offset += 1 + rng.below(15);
                if (content.contains(copy) ||
                    std::next(content.find(key)) != content.upper_bound(copy))
                    return {};
                if (const auto done = model::duplicate_item(trans, root(), path, copy); !done)
                    return done;
                content[copy] = data;
            }
            return {};
        });
        check_structure();
    }
    compare(content);
}

void TreeProgram::grow_and_shrink(unsigned) {
    const model::Level before = height();
    const unsigned count = most_items();
    for (unsigned i = 0; i < count && !failed(); ++i)
        insert({test_objectid, test_item_key, i}, std::vector<u8>(100));
    check_structure();
    if (height() <= before) note("the tree did not grow");
    const std::size_t cached = fs_->buffer_radix.size();
    for (unsigned i = 0; i < count && !failed(); ++i)
        remove({test_objectid, test_item_key, i * 11 % count}, 1, i % 30 == 29);
    check_structure();
    if (height() != before) note("the tree did not shrink: level " + std::to_string(height()));
    if (fs_->buffer_radix.size() >= cached) note("emptied blocks are still in the cache");
}

/// Everybody inserts, reads and deletes keys of its own, between those of the others.
void TreeProgram::work_beside_others(unsigned task) {
    sim::Rng rng(seed_ + task);
    Content content;
    for (unsigned round = 0; round < 24 && !failed(); ++round) {
        const Key key{test_objectid, test_item_key, rng.below(16) * tasks_ + task};
        if (!content.contains(key)) {
            const auto data = some_bytes(rng, 40);
            if (insert(key, data, rng.below(12) == 0)) content[key] = data;
        } else if (remove(key, 1)) {
            content.erase(key);
        }
        for (const auto& [mine, data] : content)
            if (neighbours(mine, 1) != 1)
                note("task " + std::to_string(task) + " does not find " + to_string(mine));
    }
}

sim::ExecutionResult run(TreeProgram::Body body, Shape shape, u64 seed, std::string& problem,
                         sim::Strategy& strategy, unsigned tasks = 1, unsigned times = 1) {
    sim::ExecutionOptions options;
    options.max_steps = 10'000'000;
    sim::Execution execution(
        [&] { return std::make_unique<TreeProgram>(shape, body, tasks, seed, &problem); }, options);
    REQUIRE(execution.preparation_error() == "");
    sim::ExecutionResult result;
    for (unsigned i = 0; i < times; ++i) {
        strategy.next_execution();
        result = execution.run(strategy);
        if (result.violation) problem = result.violation->signature + ": " + result.violation->text;
        if (!problem.empty()) break;
    }
    for (const std::string& line : result.messages)
        UNSCOPED_INFO(line);
    for (const std::string& line : result.unordered)
        UNSCOPED_INFO(line);
    return result;
}

const std::vector<Shape> shapes = {{4096, 3}, {4096, 4},  {4096, 7},
                                   {4096, 0}, {16384, 5}, {8192, 20, 3}};

TEST_CASE("a tree agrees with a map after random insertions and deletions", "[model][ctree]") {
    const auto shape = GENERATE(from_range(shapes));
    const auto seed = GENERATE(1, 2, 3);
    std::string problem;
    const auto usual = sim::make_default();
    const auto result =
        run(&TreeProgram::insert_and_delete, shape, static_cast<u64>(seed), problem, *usual);
    INFO("nodesize " << shape.nodesize << ", " << shape.items_per_node << " items, seed " << seed);
    CHECK(problem == "");
    CHECK(result.outcome == sim::Outcome::Completed);
}

TEST_CASE("items grow, shrink and split in place", "[model][ctree]") {
    const auto shape = GENERATE(from_range(shapes));
    const auto seed = GENERATE(1, 2);
    std::string problem;
    const auto usual = sim::make_default();
    const auto result =
        run(&TreeProgram::resize_and_duplicate, shape, static_cast<u64>(seed), problem, *usual);
    INFO("nodesize " << shape.nodesize << ", " << shape.items_per_node << " items, seed " << seed);
    CHECK(problem == "");
    CHECK(result.outcome == sim::Outcome::Completed);
}

TEST_CASE("a tree whose items go becomes as low as before", "[model][ctree]") {
    const auto shape = GENERATE(from_range(shapes));
    std::string problem;
    const auto usual = sim::make_default();
    run(&TreeProgram::grow_and_shrink, shape, 1, problem, *usual);
    INFO("nodesize " << shape.nodesize << ", " << shape.items_per_node << " items");
    CHECK(problem == "");
}

TEST_CASE("tasks that change one tree in any order find what they put there", "[model][ctree]") {
    const auto shape = GENERATE(Shape{4096, 3}, Shape{4096, 6});
    std::string problem;
    const auto random = sim::make_random(7);
    const auto result = run(&TreeProgram::work_beside_others, shape, 11, problem, *random, 3, 30);
    INFO(shape.items_per_node << " items");
    CHECK(problem == "");
    CHECK(result.outcome == sim::Outcome::Completed);
    CHECK(result.unordered.empty());
}

}  // namespace

}  // namespace ctree_test
