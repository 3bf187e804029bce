#include "app/scenario/loader.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

namespace scenario_loader_test {

using namespace app::scenario;

namespace {

const char* const good = R"({
  // an overwrite in place
  "$schema": "schema.json",
  "id": "replace/001",
  "title": "device replace copies an old block over a nocow write",
  "groups": ["auto", "quick", "replace"],
  "refs": ["1bbb97b8ce7d"],
  "fs": {
    "devices": [{"name": "a", "size": "64M"}, {"name": "c", "size": "64M", "spare": true}],
    "data": "single", "metadata": "dup", "items_per_node": 4
  },
  "prepare": ["touch f1", "chattr +C f1", "pwrite -S 0x61 0 8K f1", "sync"],
  "tasks": {
    "replace": {"cpu": 1, "run": ["btrfs replace start a c"]},
    "writer": {"cpu": 2, "run": ["pwrite -S 0x62 0 4K f1", "writeback f1"]}
  },
  "bound": {"preemptions": 2},
  "expect": [
    {"kernel": "5.5", "without": ["1bbb97b8ce7d"], "verdict": "FAIL", "signature": "replace-target-equals-source"},
    {"kernel": "5.5", "verdict": "PASS-BOUNDED"}
  ]
})";

Scenario loaded(const std::string& text) {
    const auto scenario = load(text, "replace/001.json");
    INFO((scenario.ok() ? std::string() : to_string(scenario.error())));
    REQUIRE(scenario.ok());
    return scenario.value();
}

/// The good scenario with one change at a JSON pointer; a null value removes what is there.
std::string changed(const std::string& pointer, const nlohmann::ordered_json& value) {
    auto json = nlohmann::ordered_json::parse(good, nullptr, true, true);
    const nlohmann::ordered_json::json_pointer at(pointer);
    if (value.is_null())
        json.at(at.parent_pointer()).erase(at.back());
    else
        json[at] = value;
    return json.dump(2);
}

InputError mistake(const std::string& text) {
    const auto scenario = load(text, "wrong.json");
    INFO(text);
    REQUIRE_FALSE(scenario.ok());
    const InputError error = scenario.error();
    INFO(to_string(error));
    CHECK(error.file == "wrong.json");
    CHECK(error.line > 0);
    CHECK(error.expected != "");
    return error;
}

InputError mistake(const std::string& pointer, const nlohmann::ordered_json& value) {
    return mistake(changed(pointer, value));
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("A scenario file becomes a typed scenario", "[app][scenario]") {
    const Scenario scenario = loaded(good);
    CHECK(scenario.id == "replace/001");
    CHECK(scenario.groups.size() == 3);
    CHECK(scenario.geometry.devices.size() == 2);
    CHECK(scenario.geometry.devices[1].spare);
    CHECK(scenario.geometry.devices[0].size == 64 << 20);
    CHECK(scenario.geometry.metadata_profile == 0x20);
    CHECK(scenario.geometry.items_per_node == 4);
    CHECK(scenario.prepare.size() == 4);
    REQUIRE(scenario.tasks.size() == 2);
    CHECK(scenario.tasks[0].name == "replace");
    CHECK(scenario.tasks[1].cpu == 2);
    CHECK(scenario.tasks[1].run[0].pattern == 0x62);
    CHECK(scenario.preemptions == 2U);
    REQUIRE(scenario.expect.size() == 2);
    CHECK(scenario.expect[0].kernel.name() == "5.5 without 1bbb97b8ce7d");
    CHECK(scenario.expect[0].verdict == app::Verdict::Fail);
    CHECK(scenario.expected_on(scenario.expect[1].kernel)->verdict == app::Verdict::PassBounded);
    CHECK(scenario.label().size() == std::string("replace/001@5c1e22").size());
}

TEST_CASE("The content hash follows what executions depend on, and nothing else",
          "[app][scenario]") {
    const ContentHash original = loaded(good).content;
    CHECK(loaded(changed("/title", "another title")).content == original);
    CHECK(loaded(changed("/bound/preemptions", 7)).content == original);
    CHECK(loaded(changed("/expect", nullptr)).content == original);
    CHECK(loaded(changed("/prepare/2", "pwrite  -S 0x61  0 8K f1")).content == original);

    const ContentHash other_fs = loaded(changed("/fs/items_per_node", 5)).content;
    CHECK(other_fs.fs != original.fs);
    CHECK(other_fs.tasks == original.tasks);
    CHECK(loaded(changed("/prepare/2", "pwrite -S 0x63 0 8K f1")).content.prepare !=
          original.prepare);
    CHECK(loaded(changed("/tasks/writer/run/0", "pwrite -S 0x63 0 4K f1")).content.tasks !=
          original.tasks);
    CHECK(loaded(changed("/tasks/writer/cpu", 3)).content.tasks != original.tasks);
    CHECK(other_fs.digest() != original.digest());
}

TEST_CASE("A repeat in the preparation stands for so many calls", "[app][scenario]") {
    using nlohmann::ordered_json;
    const ordered_json repeat = {{"repeat", 3},
                                 {"run", {"touch f{i}", "pwrite {i*8}K 4K f{i} || true"}}};
    const Scenario scenario = loaded(changed("/prepare/1", repeat));
    std::vector<std::string> texts;
    for (const Op& op : scenario.prepare)
        texts.push_back(op.text);
    CHECK(texts == std::vector<std::string>{"touch f1", "touch f0", "pwrite 0K 4K f0 || true",
                                            "touch f1", "pwrite 8K 4K f1 || true", "touch f2",
                                            "pwrite 16K 4K f2 || true", "pwrite -S 0x61 0 8K f1",
                                            "sync"});
    CHECK(scenario.prepare[2].may_fail);
    CHECK(scenario.prepare_lines ==
          std::vector<std::string>{"touch f1", "3 times: touch f{i}; pwrite {i*8}K 4K f{i} || true",
                                   "pwrite -S 0x61 0 8K f1", "sync"});
    // It is what it stands for.
    CHECK(loaded(changed("/prepare/1", {{"repeat", 1}, {"run", {"chattr +C f1"}}})).content ==
          loaded(good).content);
    CHECK(scenario.content.prepare != loaded(good).content.prepare);
}

TEST_CASE("A wrong repeat is told where it stands", "[app][scenario]") {
    const auto repeat = [](const nlohmann::ordered_json& times, const nlohmann::ordered_json& run) {
        return mistake("/prepare/1", {{"repeat", times}, {"run", run}});
    };
    CHECK(repeat(0, {"sync"}).field == "/prepare/1/repeat");
    CHECK(repeat(10001, {"sync"}).expected == "a number from 1 to 10000");
    CHECK(repeat(2, nlohmann::ordered_json::array()).message == "there is nothing to repeat");
    CHECK(repeat(2, {"sync", "tuoch f{i}"}).field == "/prepare/1/run/1");
    CHECK(repeat(2, {"sync", "tuoch f{i}"}).nearest == "touch");
    CHECK(repeat(2, {"touch f{j}"}).nearest == "{i}");
    CHECK(contains(repeat(2, {"pwrite {i}K 4K f1"}).message, "pwrite 1K 4K f1"));
    CHECK(repeat(10000, nlohmann::ordered_json(std::vector<std::string>(11, "sync"))).field ==
          "/prepare/1");
    CHECK(repeat(2, {{{"repeat", 2}, {"run", {"sync"}}}}).field == "/prepare/1/run/0");
    CHECK(contains(repeat(2, {{{"repeat", 2}, {"run", {"sync"}}}}).message, "in no other repeat"));
    CHECK(mistake("/prepare/1", {{"repaet", 2}, {"run", {"sync"}}}).nearest == "repeat");
    CHECK(mistake("/prepare/1", {{"repeat", 2}}).expected == "the keys repeat, run");
    CHECK(mistake("/prepare/1", "touch f{i}").field == "/prepare/1");
    CHECK(mistake("/prepare/1", "umount").expected == "umount in a task");
    CHECK(repeat(2, {"umount"}).field == "/prepare/1/run/0");
    CHECK(mistake("/tasks/writer/run/1", "touch f{i}").field == "/tasks/writer/run/1");
    CHECK(mistake("/tasks/writer/run/1", {{"repeat", 2}, {"run", {"sync"}}}).field ==
          "/tasks/writer/run/1");
}

TEST_CASE("A syntax error has its line", "[app][scenario]") {
    const InputError error = mistake("{\n  \"id\": \"a/1\",\n  \"title\" \"x\"\n}");
    CHECK(error.line == 3);
    CHECK(contains(error.message, "syntax error"));
    CHECK(error.expected == "':'");
    CHECK(mistake("").line == 1);
    CHECK(mistake("{").line == 1);
    CHECK(mistake("{\"id\": 1e999}").line == 1);
    CHECK(mistake("\xff\xfe").line == 1);
    CHECK(mistake("[1, 2]").message == "this is a list");
    CHECK(mistake(std::string(100'000, '[')).line == 1);
}

TEST_CASE("A wrong key is named with the nearest valid one", "[app][scenario]") {
    CHECK(mistake("/taks", 1).nearest == "tasks");
    CHECK(mistake("/taks", 1).field == "/taks");
    CHECK(mistake("/fs/device", 1).nearest == "devices");
    CHECK(mistake("/fs/devices/0/spar", true).nearest == "spare");
    CHECK(mistake("/tasks/writer/cpus", 1).nearest == "cpu");
    CHECK(mistake("/expect/0/kernal", "5.5").nearest == "kernel");
    CHECK(mistake("/bound/preemption", 1).nearest == "preemptions");
    CHECK(contains(mistake("/id", nullptr).message, "\"id\" is missing"));
    CHECK(contains(mistake("/tasks/writer/run", nullptr).message, "\"run\" is missing"));
    CHECK(contains(mistake("{\"id\": \"a/1\",\n \"id\": \"b/1\"}").message, "twice"));
}

TEST_CASE("A value of the wrong kind is refused where it stands", "[app][scenario]") {
    CHECK(mistake("/title", 5).field == "/title");
    CHECK(mistake("/id", "replace").message == "\"replace\" is no scenario id");
    CHECK(mistake("/groups", "auto").message == "this is a string");
    CHECK(mistake("/tasks", nlohmann::ordered_json::array()).field == "/tasks");
    CHECK(mistake("/tasks", nlohmann::ordered_json::object()).message == "0 tasks");
    CHECK(mistake("/tasks/writer/run", nlohmann::ordered_json::array()).message ==
          "task \"writer\" has no steps");
    CHECK(mistake("/tasks/writer/cpu", -1).field == "/tasks/writer/cpu");
    CHECK(mistake("/tasks/writer/cpu", 1.5).field == "/tasks/writer/cpu");
    CHECK(mistake("/bound/preemptions", "two").message == "this is a string");
    CHECK(mistake("/fs/devices/1/spare", "yes").expected == "true or false");
    CHECK(mistake("/fs/items_per_node", 1).field == "/fs/items_per_node");
    CHECK(mistake("/fs/nodesize", "12K").field == "/fs/nodesize");
}

TEST_CASE("Devices, sizes and profiles are checked", "[app][scenario]") {
    CHECK(mistake("/fs/devices/0/size", "64MB").message == "\"64MB\" is no size");
    CHECK(mistake("/fs/devices/0/size", 5000).field == "/fs/devices/0/size");
    CHECK(contains(mistake("/fs/devices/0/size", "16M").message, "too small"));
    CHECK(mistake("/fs/devices/1/name", "a").message == "there is a device \"a\" already");
    CHECK(mistake("/fs/devices/0/spare", true).field == "/fs/devices");
    CHECK(contains(mistake("/fs/data", "raid1").message, "raid1 needs two devices"));
    CHECK(mistake("/fs/metadata", "dupe").nearest == "dup");
    CHECK(contains(mistake("/tasks/replace/run/0", "btrfs replace start a d").message,
                   "no device \"d\""));
}

TEST_CASE("An operation is refused with its line, field and usage", "[app][scenario]") {
    const InputError error = mistake("/tasks/writer/run/1", "writebck f1");
    CHECK(error.field == "/tasks/writer/run/1");
    CHECK(error.nearest == "writeback");
    CHECK(mistake("/prepare/0", "touch").expected == "\"touch FILE\"");
    CHECK(mistake("/prepare/0", 5).message == "this is a number");
}

TEST_CASE("Kernels and commits of expectations are checked", "[app][scenario]") {
    CHECK(mistake("/expect/0/kernel", "5.99").field == "/expect/0/kernel");
    CHECK(mistake("/expect/0/kernel", "5.5.1").field == "/expect/0/kernel");
    CHECK(mistake("/expect/0/without/0", "1bbb97b8ce7e").nearest == "1bbb97b8ce7d");
    CHECK(mistake("/expect/0/without/0", "1bbb97b8ce7e").field == "/expect/0/without/0");
    CHECK(mistake("/expect/1/with", {"1bbb97b8ce7d"}).field == "/expect/1");  // it is there already
    CHECK(mistake("/expect/0/verdict", "FAILS").nearest == "FAIL");
    CHECK(mistake("/expect/1/signature", "x").field == "/expect/1/signature");
    CHECK(
        contains(mistake("/expect/0/without", nlohmann::ordered_json::array()).message, "already"));
    CHECK(mistake("/since", "x").field == "/since");
}

TEST_CASE("A message names file, line, field, what was expected and the nearest word",
          "[app][scenario]") {
    const auto scenario = load("{\n  \"id\": \"a/1\",\n  \"titel\": \"x\"\n}", "dir/a.json");
    REQUIRE_FALSE(scenario.ok());
    CHECK(to_string(scenario.error()) ==
          "dir/a.json:3:3: /titel: unknown key \"titel\"; expected one of: $schema, id, title, "
          "description, groups, refs, "
          "since, fs, prepare, tasks, bound, expect; did you mean \"title\"?");
}

TEST_CASE("A scenario on zoned devices says so, and from which kernel on", "[app][scenario]") {
    auto json = nlohmann::ordered_json::parse(good, nullptr, true, true);
    json["since"] = "5.12";
    json["fs"]["metadata"] = "single";
    json["fs"]["zoned"] = {{"zone_size", "8M"}, {"max_active_zones", 8}};
    json["expect"] = nlohmann::ordered_json::array();
    const Scenario scenario = loaded(json.dump());
    CHECK(scenario.geometry.zone_size == 8 << 20);
    CHECK(scenario.geometry.max_active_zones == 8);
    CHECK(scenario.geometry.data_chunk == 8 << 20);
    CHECK(scenario.content.fs != loaded(good).content.fs);

    const auto mistake_at = [&](const char* pointer, const nlohmann::ordered_json& value) {
        auto wrong = json;
        wrong[nlohmann::ordered_json::json_pointer(pointer)] = value;
        return mistake(wrong.dump(2)).field;
    };
    CHECK(mistake_at("/since", "5.11") == "/fs/zoned");
    CHECK(mistake_at("/fs/metadata", "dup") == "/fs/metadata");
    CHECK(mistake_at("/fs/zoned/zone_size", "3M") == "/fs/zoned/zone_size");
    CHECK(mistake_at("/fs/zoned/max_active_zones", 3) == "/fs/zoned/max_active_zones");
    CHECK(mistake_at("/fs/chunks", {{"data", "8M"}}) == "/fs/chunks");
}

}  // namespace scenario_loader_test
