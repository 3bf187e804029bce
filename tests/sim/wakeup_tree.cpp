#include "sim/wakeup_tree.h"

#include <catch2/catch.hpp>
#include <string>

namespace wakeup_tree_test {

namespace {

using sim::WakeupTrees;

WakeupTrees::Id branch_of(WakeupTrees& trees, WakeupTrees::Id made, const std::string& tasks) {
    for (const char task : tasks)
        trees.extend(made, {static_cast<std::uint64_t>(task)});
    return made;
}

/// "ab(c,d)": after a and b, either c or d.
std::string shown(const WakeupTrees& trees, WakeupTrees::Id siblings) {
    std::string text;
    for (; siblings != 0; siblings = trees[siblings].sibling()) {
        if (!text.empty()) text += ',';
        for (const sim::FutureStep& step : trees[siblings].steps())
            text += static_cast<char>(step.path);
        const std::string below = shown(trees, trees[siblings].child());
        if (!below.empty()) text += "(" + below + ")";
    }
    return text;
}

char take(WakeupTrees& trees, WakeupTrees::Id& siblings) {
    sim::FutureStep step;
    WakeupTrees::Id below = trees.take_first(siblings, step);
    trees.discard(siblings);
    siblings = below;
    return static_cast<char>(step.path);
}

}  // namespace

TEST_CASE("wakeup trees keep the order in which branches were added") {
    WakeupTrees trees;
    WakeupTrees::Id root = 0;
    branch_of(trees, trees.append(root), "ab");
    branch_of(trees, trees.append(root), "c");
    CHECK(shown(trees, root) == "ab,c");
}

TEST_CASE("a branch that is split goes on as what follows it, beside what is added there") {
    WakeupTrees trees;
    WakeupTrees::Id root = 0;
    const auto first = branch_of(trees, trees.append(root), "abcd");
    branch_of(trees, trees.append_below(first), "x");
    branch_of(trees, trees.append_below(first), "y");
    trees.split(first, 2);
    branch_of(trees, trees.append_below(first), "z");
    CHECK(shown(trees, root) == "ab(cd(x,y),z)");
}

TEST_CASE("taking steps one by one comes to what follows the branch") {
    WakeupTrees trees;
    WakeupTrees::Id root = 0;
    const auto first = branch_of(trees, trees.append(root), "ab");
    branch_of(trees, trees.append_below(first), "c");
    branch_of(trees, trees.append(root), "other");

    sim::FutureStep step;
    WakeupTrees::Id below = trees.take_first(root, step);
    CHECK(step.path == 'a');
    CHECK(shown(trees, root) == "other");
    CHECK(shown(trees, below) == "b(c)");
    CHECK(take(trees, below) == 'b');
    CHECK(take(trees, below) == 'c');
    CHECK(below == 0);
}

TEST_CASE("a branch that was begun is split where it is, not where it began") {
    WakeupTrees trees;
    WakeupTrees::Id root = 0;
    branch_of(trees, trees.append(root), "abcd");
    CHECK(take(trees, root) == 'a');
    trees.split(root, 1);
    branch_of(trees, trees.append_below(root), "x");
    CHECK(shown(trees, root) == "b(cd,x)");
}

TEST_CASE("what is settled of a branch's last step is known when that is next") {
    constexpr std::uint32_t unknown = ~0U;
    WakeupTrees trees;
    WakeupTrees::Id root = 0;
    const auto first = branch_of(trees, trees.append(root), "abc");
    trees.settle_last(first, 7);
    CHECK(trees[root].settled_from() == unknown);
    trees.split(root, 2);
    CHECK(take(trees, root) == 'a');
    CHECK(trees[root].settled_from() == unknown);  // b ends its branch now, and nobody said it of b
    CHECK(take(trees, root) == 'b');
    CHECK(trees[root].settled_from() == 7);
    CHECK(take(trees, root) == 'c');
    branch_of(trees, trees.append(root), "d");
    CHECK(trees[root].settled_from() == unknown);
}

TEST_CASE("what was discarded is used again, empty") {
    WakeupTrees trees;
    WakeupTrees::Id root = 0;
    const auto first = branch_of(trees, trees.append(root), "ab");
    branch_of(trees, trees.append_below(first), "c");
    trees.discard(root);
    CHECK(root == 0);
    branch_of(trees, trees.append(root), "x");
    branch_of(trees, trees.append(root), "y");
    CHECK(shown(trees, root) == "x,y");
}

}  // namespace wakeup_tree_test
