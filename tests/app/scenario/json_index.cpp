#include "app/scenario/json_index.h"

#include <catch2/catch.hpp>

namespace scenario_json_index_test {

using namespace app::scenario;

namespace {

std::pair<unsigned, unsigned> place(const Position& position) {
    return {position.line, position.column};
}

}  // namespace

TEST_CASE("Every value of a JSON text has a place", "[app][scenario]") {
    const JsonIndex index(R"({
  // a comment with "quotes" and {braces}
  "id": "replace/001", /* another */ "fs": {
    "devices": [{"name": "a"}, {"name": "b,]}"}],
    "a/b~c": null
  },
  "list": [1, [2, 3], []]
})");
    using Place = std::pair<unsigned, unsigned>;
    CHECK(place(index.value("")) == Place{1, 1});
    CHECK(place(index.value("/id")) == Place{3, 9});
    CHECK(place(index.key("/fs")) == Place{3, 38});
    CHECK(place(index.value("/fs/devices/1/name")) == Place{4, 41});
    CHECK(place(index.key("/fs/a~1b~0c")) == Place{5, 5});
    CHECK(place(index.value("/list/1/1")) == Place{7, 19});
    SECTION("and what is not there has the place of what encloses it") {
        CHECK(place(index.value("/fs/devices/7/size")) == place(index.value("/fs/devices")));
        CHECK(place(index.key("/nothing")) == Place{1, 1});
    }
    CHECK_FALSE(index.duplicate());
}

TEST_CASE("A key that stands twice is found at its second place", "[app][scenario]") {
    const JsonIndex index("{\"a\": {\"x\": 1,\n \"y\": 2,\n \"x\": 3}, \"x\": 4}");
    REQUIRE(index.duplicate());
    CHECK(*index.duplicate() == "/a/x");
    CHECK(index.key("/a/x").line == 3);
}

TEST_CASE("A deeply nested text is left alone", "[app][scenario]") {
    const std::string deep = std::string(200'000, '[') + std::string(200'000, ']');
    CHECK(place(JsonIndex(deep).value("/0/0")) == std::pair{1U, 3U});
}

}  // namespace scenario_json_index_test
