#include "app/lesson/telling.h"

#include <catch2/catch.hpp>

namespace lesson_telling_test {

using app::SortedJson;
using app::lesson::Anchor;
using app::lesson::Condition;
using app::lesson::Telling;

namespace {

/// Six steps of two tasks: a b a b a b. A head comes in step 1, changes in step 3, goes in step 4.
SortedJson document() {
    SortedJson document = {
        {"counts", {{"steps", 6}}},
        {"tasks", {{"name", {"a", "b/done#1"}}}},
        {"operations", {"start", "lock"}},
        {"objects", SortedJson::array({{{"name", ""}}, {{"name", "trans_lock"}}})},
        {"strings", {"btrfs_commit", "transaction 3 begins", "transaction 4 begins"}},
        {"steps",
         {{"task", {0, 1, 0, 1, 0, 1}},
          {"op", {0, 0, 1, 1, 1, 1}},
          {"object", {0, 0, 1, 1, 1, 1}}}},
        {"scopes", {{"task", {0, 1}}, {"text", {0, 0}}, {"first", {1, 3}}, {"last", {4, 6}}}},
        {"notes", {{"task", {0, 1}}, {"text", {1, 2}}, {"step", {2, 3}}}},
        {"choices",
         {{"step", {1, 3, 4}},
          {"taken", {0, 1, 0}},
          {"count", {2, 2, 2}},
          {"task", {1, 0, 0, 1, 0, 1}}}},
        {"violation", nullptr},
        {"why", SortedJson::object()},
    };
    SortedJson deltas =
        SortedJson::array({SortedJson::object(), SortedJson::object(), SortedJson::object(),
                           SortedJson::object(), SortedJson::object(), SortedJson::object()});
    deltas[1]["heads"]["3/4096"] = {{"sum", 1}, {"refs", {"add 1 by tree 5"}}};
    deltas[3]["heads"]["3/4096"] = {{"sum", 0}};
    deltas[4]["heads"]["3/4096"] = nullptr;
    document["state"] = {{"interval", 64},
                         {"keyframes", SortedJson::array({{{"heads", SortedJson::object()}}})},
                         {"deltas", std::move(deltas)}};
    return document;
}

Anchor anchor(Anchor::Kind kind, std::string text, std::string task = "*") {
    Anchor anchor;
    anchor.kind = kind;
    anchor.text = std::move(text);
    anchor.task = std::move(task);
    return anchor;
}

Condition head(std::vector<std::pair<std::string, app::Json>> fields) {
    Condition condition;
    condition.table = "heads";
    condition.key = "*/4096";
    condition.fields = std::move(fields);
    return condition;
}

}  // namespace

TEST_CASE("a moment is found by what happens, from another moment on", "[app][lesson]") {
    const SortedJson told = document();
    const Telling telling(told);
    CHECK(telling.find(anchor(Anchor::Kind::Start, ""), 0) == 0U);
    CHECK(telling.find(anchor(Anchor::Kind::End, ""), 0) == 6U);
    // After the step in which it happens.
    CHECK(telling.find(anchor(Anchor::Kind::Enters, "btrfs_*"), 0) == 2U);
    CHECK(telling.find(anchor(Anchor::Kind::Enters, "btrfs_*"), 3) == 4U);
    CHECK(telling.find(anchor(Anchor::Kind::Enters, "btrfs_*", "b/*"), 0) == 4U);
    CHECK(telling.find(anchor(Anchor::Kind::Leaves, "btrfs_commit"), 0) == 5U);
    CHECK(telling.find(anchor(Anchor::Kind::Leaves, "btrfs_commit", "b*"), 0) == 6U);  // the end
    CHECK(telling.find(anchor(Anchor::Kind::Says, "transaction * begins"), 0) == 3U);
    CHECK(telling.find(anchor(Anchor::Kind::Does, "lock trans_lock", "b/done#1"), 0) == 4U);
    CHECK_FALSE(telling.find(anchor(Anchor::Kind::Says, "transaction 3 begins"), 4));
    CHECK_FALSE(telling.find(anchor(Anchor::Kind::Enters, "vfs_*"), 0));
    Anchor second = anchor(Anchor::Kind::Does, "lock *");
    second.nth = 2;
    CHECK(telling.find(second, 0) == 4U);
    second.before = true;
    CHECK(telling.find(second, 0) == 3U);
    CHECK_FALSE(telling.find(anchor(Anchor::Kind::Violation, ""), 0));
    CHECK_FALSE(telling.find(anchor(Anchor::Kind::Critical, ""), 0));
    CHECK(telling.next(2) == "a: lock trans_lock");
    CHECK(telling.next(6).empty());
}

TEST_CASE("a failure has its violation and its critical step", "[app][lesson]") {
    SortedJson told = document();
    told["violation"] = {{"step", 5}};
    told["why"]["critical"] = {{"step", 2}};
    const Telling telling(told);
    CHECK(telling.find(anchor(Anchor::Kind::Violation, ""), 0) == 5U);
    CHECK(telling.find(anchor(Anchor::Kind::Critical, ""), 0) == 2U);
}

TEST_CASE("a moment is found by what the state becomes", "[app][lesson]") {
    const SortedJson told = document();
    const Telling telling(told);
    Anchor state = anchor(Anchor::Kind::State, "");
    state.state = {head({})};
    CHECK(telling.find(state, 0) == 2U);
    state.state = {head({{"sum", 0}})};
    CHECK(telling.find(state, 0) == 4U);
    state.state = {head({{"refs", "add * by tree 5"}, {"sum", 1}})};
    CHECK(telling.find(state, 0) == 2U);
    state.state = {head({{"refs", "drop *"}})};
    CHECK_FALSE(telling.find(state, 0));
    state.state = {head({})};
    state.state[0].rows = 0;
    CHECK(telling.find(state, 0) == 0U);
    CHECK(telling.find(state, 2) == 5U);
    state.nth = 2;  // the second time that it becomes so
    CHECK(telling.find(state, 0) == 5U);
}

TEST_CASE("what a stop expects of the state is told when it is not so", "[app][lesson]") {
    const SortedJson told = document();
    const Telling telling(told);
    CHECK(telling.objection(head({{"sum", 1}}), 2).empty());
    CHECK(telling.objection(head({{"sum", 1}}), 4) == "of 1 rows of heads 0 fit");
    CHECK(telling.objection(head({{"sum", "1"}}), 2) == "of 1 rows of heads 0 fit");
    CHECK(telling.objection(head({{"total", 1}}), 2) == "of 1 rows of heads 0 fit");
    Condition none = head({});
    none.rows = 0;
    CHECK(telling.objection(none, 0).empty());
    CHECK(telling.objection(none, 3) == "of 1 rows of heads 1 fit");
    none.table = "haeds";
    CHECK(telling.objection(none, 0) == "the state has no table \"haeds\"; it has heads");
}

TEST_CASE("a choice is one at which the tasks could come and did not", "[app][lesson]") {
    const SortedJson told = document();
    const Telling telling(told);
    const auto first = telling.choice({"a"}, 0);
    REQUIRE(first);
    CHECK(first->step == 1);
    CHECK(first->candidates == std::vector<std::size_t>{1});
    const auto later = telling.choice({"a"}, 2);
    REQUIRE(later);
    CHECK(later->step == 3);
    CHECK(later->row == 1);
    CHECK(later->candidates == std::vector<std::size_t>{0});
    CHECK(telling.choice({"b/*"}, 0)->step == 4);
    CHECK_FALSE(telling.choice({"a", "b/*"}, 0));
    CHECK_FALSE(telling.choice({"a"}, 4));
}

}  // namespace lesson_telling_test
