#include "app/lesson/loader.h"

#include <catch2/catch.hpp>

namespace lesson_loader_test {

using app::lesson::Anchor;
using app::lesson::Glossary;
using app::lesson::Lesson;

namespace {

const Glossary glossary{{"copy on write", "x"}, {"commit", "y"}};

const std::string good = R"({
  "name": "first",
  "title": "A title",
  "about": ["One [copied|copy on write] block.", "Second `code`."],
  "scenario": "commit/001",
  "kernel": "5.5",
  "without": ["1bbb97b8ce7d"],
  "verdict": "FAIL",
  "signature": "no-abort",
  "turns": [{"at": {"says": "transaction * begins"}, "task": "syncer"}],
  "stops": [
    {"title": "begin", "text": "Nothing.", "at": "start", "panels": []},
    {"title": "there", "text": "A [commit].", "panels": ["trees", "refs"],
     "at": {"task": "writer", "enters": "btrfs_*", "nth": 2, "before": true},
     "expects": [{"table": "blocks", "key": "52*", "where": {"level": 0, "flags": "dirty"}, "rows": 1}],
     "question": {"text": "Why?", "answer": "So."},
     "choose": ["deleter"]},
    {"title": "state", "text": "x", "at": {"state": [{"table": "heads", "rows": 0}]}}
  ]
})";

app::scenario::InputError mistake(const std::string& text) {
    const auto loaded = app::lesson::load(text, "first.json", glossary);
    REQUIRE_FALSE(loaded.ok());
    return loaded.error();
}

/// The good lesson with one thing written differently.
std::string with(const std::string& from, const std::string& to) {
    std::string text = good;
    const std::size_t at = text.find(from);
    REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("a lesson is read with all that it says", "[app][lesson]") {
    const auto loaded = app::lesson::load(good, "first.json", glossary);
    REQUIRE(loaded.ok());
    const Lesson& lesson = loaded.value();
    CHECK(lesson.name == "first");
    CHECK(lesson.about == "One [copied|copy on write] block.\n\nSecond `code`.");
    CHECK(lesson.kernel.name() == "5.5 without 1bbb97b8ce7d");
    CHECK(lesson.verdict == app::Verdict::Fail);
    REQUIRE(lesson.turns.size() == 1);
    CHECK(lesson.turns[0].at.kind == Anchor::Kind::Says);
    CHECK(lesson.turns[0].task == "syncer");
    REQUIRE(lesson.stops.size() == 3);
    CHECK(lesson.stops[0].at.kind == Anchor::Kind::Start);
    const app::lesson::Stop& stop = lesson.stops[1];
    CHECK(stop.at.kind == Anchor::Kind::Enters);
    CHECK(stop.at.task == "writer");
    CHECK(stop.at.nth == 2);
    CHECK(stop.at.before);
    CHECK(stop.panels == std::vector<std::string>{"trees", "refs"});
    REQUIRE(stop.expects.size() == 1);
    CHECK(stop.expects[0].key == "52*");
    CHECK(stop.expects[0].fields.size() == 2);
    CHECK(stop.expects[0].rows == 1);
    CHECK(stop.question->answer == "So.");
    CHECK(stop.choose == std::vector<std::string>{"deleter"});
    CHECK(lesson.stops[2].at.state.at(0).rows == 0);
}

TEST_CASE("a mistake in a lesson is told with its place and the nearest word", "[app][lesson]") {
    struct Case {
        std::string from, to, field, message, nearest;
    };
    const std::vector<Case> cases{
        {"\"title\": \"A title\"", "\"titel\": \"A title\"", "/titel", "unknown key \"titel\"",
         "title"},
        {"[commit]", "[comit]", "/stops/1/text", "the glossary has no \"comit\"", "commit"},
        {"\"5.5\"", "\"5.55\"", "/kernel", "", "5.5"},
        {"1bbb97b8ce7d", "1bbb97b8ce7e", "/without/0", "unknown commit \"1bbb97b8ce7e\"",
         "1bbb97b8ce7d"},
        {"\"FAIL\"", "\"FAILS\"", "/verdict", "unknown verdict of one execution \"FAILS\"", "FAIL"},
        {"\"FAIL\"", "\"CLEAN\"", "/signature", "only a failure has a signature", ""},
        {"\"start\"", "\"strat\"", "/stops/0/at", "unknown moment \"strat\"", "start"},
        {"\"enters\"", "\"entres\"", "/stops/1/at/entres", "unknown key \"entres\"", "enters"},
        {"\"enters\": \"btrfs_*\"", "\"enters\": \"a\", \"does\": \"b\"", "/stops/1/at",
         "this does not say what happens then", ""},
        {"\"nth\": 2", "\"nth\": 0", "/stops/1/at/nth", "0 is out of range", ""},
        {"\"refs\"]", "\"refz\"]", "/stops/1/panels/1", "unknown panel \"refz\"", "refs"},
        {"\"rows\": 1}", "\"rows\": -1}", "/stops/1/expects/0/rows", "-1 is no such number", ""},
        {"\"answer\": \"So.\"", "\"answr\": \"So.\"", "/stops/1/question/answr",
         "unknown key \"answr\"", "answer"},
    };
    for (const Case& one : cases) {
        INFO(one.to);
        const auto error = mistake(with(one.from, one.to));
        CHECK(error.file == "first.json");
        CHECK(error.line > 0);
        CHECK(error.field == one.field);
        if (!one.message.empty()) CHECK(error.message == one.message);
        CHECK(error.nearest == one.nearest);
    }
    CHECK(mistake("{").message.find("syntax error") == 0);
    CHECK(mistake(with("\"name\"", "\"title\"")).message == "this key stands twice in its object");
}

TEST_CASE("marks of a text are its terms, and go in a terminal", "[app][lesson]") {
    const std::string text = "It is [copied|copy on write] in a [commit] of `sync`, not [here";
    CHECK(app::lesson::terms_of(text) == std::vector<std::string>{"copy on write", "commit"});
    CHECK(app::lesson::plain(text) == "It is copied in a commit of sync, not [here");
    CHECK(app::lesson::terms_of("").empty());
    CHECK(app::lesson::plain("no marks") == "no marks");
}

TEST_CASE("a glossary is an object of texts", "[app][lesson]") {
    CHECK(app::lesson::load_glossary(R"({"a": "b"})", "g.json").value().at("a") == "b");
    CHECK(app::lesson::load_glossary("[]", "g.json").error().message == "this is a list");
    CHECK(app::lesson::load_glossary(R"({"a": 1})", "g.json").error().field == "/a");
    CHECK(app::lesson::load_glossary(R"({"a": "b", "a": "c"})", "g.json").error().message ==
          "this term stands twice");
}

}  // namespace lesson_loader_test
