#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>

#include "app/lesson/loader.h"

namespace lesson_shipped_test {

using app::lesson::Lesson;

namespace {

std::string file(const std::string& name) {
    std::ifstream stream(std::string(INTERLEAF_SOURCE_DIR) + "/lessons/" + name);
    REQUIRE(stream);
    return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

}  // namespace

TEST_CASE("the lessons that come with the program say what they rely on at every stop",
          "[app][lesson]") {
    const auto terms = app::lesson::load_glossary(file("glossary.json"), "glossary.json");
    REQUIRE(terms.ok());
    for (const std::string name : {"copy-on-write", "delayed-refs", "snapshots", "relocation",
                                   "device-replace", "zoned-writeback"}) {
        INFO(name);
        const auto loaded = app::lesson::load(file(name + ".json"), name + ".json", terms.value());
        if (!loaded.ok()) FAIL(app::scenario::to_string(loaded.error()));
        const Lesson& lesson = loaded.value();
        CHECK(lesson.name == name);
        CHECK(lesson.stops.size() >= 6);
        CHECK(lesson.stops.front().panels.empty());  // it begins with an empty page
        int choices = 0, marks = 0;
        for (const app::lesson::Stop& stop : lesson.stops) {
            INFO(stop.title);
            CHECK_FALSE(stop.expects.empty());
            choices += stop.choose.empty() ? 0 : 1;
            marks += app::lesson::terms_of(stop.text).empty() ? 0 : 1;
        }
        CHECK(choices >= 2);
        CHECK(marks >= 4);
    }
}

}  // namespace lesson_shipped_test
