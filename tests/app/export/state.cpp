#include "app/export/state.h"

#include <catch2/catch.hpp>

#include "app/export/item_text.h"
#include "app/export/object_text.h"
#include "sim/containers.h"

namespace export_state_test {

using namespace app;
using namespace app::exporter;

TEST_CASE("A difference turns the state before into the state after, and names nothing else",
          "[app][export]") {
    const SortedJson before = {
        {"groups", {{"1", {{"used", 1}, {"free", {1, 2}}}}, {"2", {{"used", 5}}}}},
        {"pinned", SortedJson::object()}};
    const SortedJson after = {
        {"groups", {{"1", {{"used", 2}, {"free", {1, 2}}}}, {"3", {{"used", 7}}}}},
        {"pinned", {{"9", {{"length", 3}}}}}};
    const SortedJson patch = difference(before, after);
    CHECK(patch == SortedJson::parse(R"({"groups": {"1": {"used": 2}, "2": null, "3": {"used": 7}},
                                   "pinned": {"9": {"length": 3}}})"));
    SortedJson state = before;
    apply(state, patch);
    CHECK(state == after);
    CHECK(difference(after, after) == SortedJson::object());
}

TEST_CASE("A list that changes is told as a whole", "[app][export]") {
    const SortedJson before = {{"t", {{"r", {{"list", {1, 2, 3}}, {"same", {4}}}}}}};
    SortedJson after = before;
    after["t"]["r"]["list"] = SortedJson::array();
    CHECK(difference(before, after) == SortedJson::parse(R"({"t": {"r": {"list": []}}})"));
}

TEST_CASE("Items are told with what matters of them", "[app][export]") {
    model::FileExtentItem extent{};
    extent.type = model::file_extent_reg;
    extent.disk_bytenr = 13631488;
    extent.num_bytes = 4096;
    extent.generation = 3;
    const auto* const bytes = reinterpret_cast<const unsigned char*>(&extent);
    const model::Key key{257, model::extent_data_key, 0};
    CHECK(item_text(key, bytes, sizeof(extent)) ==
          "257 EXTENT_DATA 0: disk 13631488, 4096 bytes, generation 3");
    CHECK(item_text(key, bytes, 8) == "257 EXTENT_DATA 0: too short");
    CHECK(item_text({model::orphan_objectid, model::orphan_item_key, 257}, bytes, 0) ==
          "ORPHAN ORPHAN_ITEM 257");
    CHECK(group_type_text(model::bg_metadata | model::bg_dup) == "metadata dup");
}

}  // namespace export_state_test
