#include "app/scenario/loader.h"

#include <algorithm>
#include <limits>

#include "app/scenario/json_reader.h"
#include "app/scenario/repeat.h"
#include "app/scenario/words.h"
#include "model/format.h"
#include "sim/hash.h"

namespace app::scenario {

namespace {

constexpr std::size_t max_scenario_tasks = 32;
constexpr unsigned max_cpu = 63;
constexpr std::uint64_t most_repeats = 10000;
constexpr std::size_t most_prepared = 100000;
constexpr std::uint64_t largest_device = std::uint64_t{1} << 40;

class Loader : JsonReader {
  public:
    Loader(Mistakes& mistakes, Scenario& scenario) : JsonReader(mistakes), scenario_(scenario) {}

    void load(const Node& root);

  private:
    void load_fs(const Node& node);
    void load_device(const Node& node);
    void load_chunks(const Node& node);
    void load_zoned(const Node& fs);
    std::uint64_t load_profile(const Node& node);
    void check_room(const Node& fs);
    void load_prepare(const Node& node);
    void load_repeat(const Node& node);
    void check_prepared(const Node& line);
    void load_ops(const Node& node, std::vector<Op>& ops);
    void load_op(const Node& line, const std::string& command, std::vector<Op>& ops,
                 unsigned repeat = 0);
    bool is_call(const Node& node);
    void load_tasks(const Node& node);
    void load_task(const Node& node, const std::string& name);
    void load_expectation(const Node& node);

    std::vector<std::string> device_names_;
    unsigned repeats_ = 0;
    Scenario& scenario_;
};

void Loader::load(const Node& root) {
    if (!is_object(root,
                   {"$schema", "id", "title", "description", "groups", "refs", "since", "fs",
                    "prepare", "tasks", "bound", "expect"},
                   {"id", "title", "fs", "tasks"}))
        return;
    const Json& json = *root.json;
    scenario_.id = word(root.child("id"), "scenario id", "_-/");
    if (std::count(scenario_.id.begin(), scenario_.id.end(), '/') != 1 ||
        scenario_.id.front() == '/' || scenario_.id.back() == '/')
        mistakes_.at_value("/id", in_quotes(scenario_.id) + " is no scenario id",
                           "GROUP/NUMBER, as \"replace/001\"");
    scenario_.title = text(root.child("title"));
    if (json.contains("description")) scenario_.description = text(root.child("description"));
    if (json.contains("groups")) scenario_.groups = words(root.child("groups"), "group");
    if (json.contains("refs")) scenario_.refs = words(root.child("refs"), "commit or document");
    if (json.contains("since")) scenario_.since = release_of(root.child("since"));
    load_fs(root.child("fs"));
    if (json.contains("prepare")) load_prepare(root.child("prepare"));
    load_tasks(root.child("tasks"));
    if (json.contains("bound") && is_object(root.child("bound"), {"preemptions"}, {"preemptions"}))
        scenario_.preemptions =
            static_cast<std::uint32_t>(number(root.child("bound").child("preemptions"), 0, 64));
    if (json.contains("expect") && is_array(root.child("expect"), "expectations"))
        for (std::size_t i = 0; i < json["expect"].size(); ++i)
            load_expectation(root.child("expect").child(i));
}

void Loader::load_fs(const Node& node) {
    if (!is_object(node,
                   {"devices", "data", "metadata", "nodesize", "items_per_node",
                    "pointers_per_node", "chunks", "zoned", "seed"},
                   {"devices"}))
        return;
    const Node devices = node.child("devices");
    if (!is_array(devices, "devices")) return;
    for (std::size_t i = 0; i < devices.json->size(); ++i)
        load_device(devices.child(i));
    const auto is_spare = [](const auto& device) { return device.spare; };
    if (std::all_of(scenario_.geometry.devices.begin(), scenario_.geometry.devices.end(), is_spare))
        mistakes_.at_value(devices.pointer, "there is no device to make the filesystem on",
                           "at least one device that is no spare");

    model::Geometry& geometry = scenario_.geometry;
    if (node.json->contains("data")) geometry.data_profile = load_profile(node.child("data"));
    if (node.json->contains("metadata"))
        geometry.metadata_profile = load_profile(node.child("metadata"));
    if (node.json->contains("nodesize"))
        geometry.nodesize = static_cast<model::u32>(size(node.child("nodesize"), 4096, 65536));
    if ((geometry.nodesize & (geometry.nodesize - 1)) != 0)
        mistakes_.at_value(node.pointer + "/nodesize", "this is no power of two",
                           "4K, 8K, 16K, 32K or 64K");
    if (node.json->contains("items_per_node"))
        geometry.items_per_node =
            static_cast<model::u32>(number(node.child("items_per_node"), 3, 1000));
    if (node.json->contains("pointers_per_node"))
        geometry.pointers_per_node =
            static_cast<model::u32>(number(node.child("pointers_per_node"), 3, 1000));
    if (node.json->contains("seed"))
        geometry.seed = number(node.child("seed"), 0, std::numeric_limits<std::uint64_t>::max());
    if (node.json->contains("chunks")) load_chunks(node.child("chunks"));
    if (node.json->contains("zoned")) load_zoned(node);
    check_room(node);
}

void Loader::load_device(const Node& node) {
    if (!is_object(node, {"name", "size", "spare"}, {"name", "size"})) return;
    model::Geometry::DeviceSpec device;
    device.name = word(node.child("name"), "device name", "_-");
    if (std::find(device_names_.begin(), device_names_.end(), device.name) != device_names_.end())
        mistakes_.at_value(node.pointer + "/name",
                           "there is a device " + in_quotes(device.name) + " already",
                           "a name of its own for each device");
    device.size = size(node.child("size"), 8 << 20, largest_device);
    if (node.json->contains("spare")) device.spare = boolean(node.child("spare"));
    device_names_.push_back(device.name);
    scenario_.geometry.devices.push_back(std::move(device));
}

void Loader::load_chunks(const Node& node) {
    if (!is_object(node, {"data", "metadata", "system"}, {})) return;
    constexpr std::uint64_t least = 1 << 20, most = 1 << 30;
    const auto read = [&](const char* key, model::u64& chunk) {
        if (!node.json->contains(key)) return;
        chunk = size(node.child(key), least, most);
        if (chunk % (64 << 10) != 0)  // chunks are cut into stripes of 64K
            mistakes_.at_value(node.child(key).pointer, "a chunk is made of stripes",
                               "a multiple of 64K");
    };
    read("data", scenario_.geometry.data_chunk);
    read("metadata", scenario_.geometry.metadata_chunk);
    read("system", scenario_.geometry.system_chunk);
}

/// Zones are the chunks, and the profile is single.
void Loader::load_zoned(const Node& fs) {
    const Node node = fs.child("zoned");
    if (!is_object(node, {"zone_size", "max_active_zones"}, {"zone_size"})) return;
    if (!scenario_.since || *scenario_.since < model::Release{5, 12})
        mistakes_.at_key(node.pointer, "zoned devices are there from kernel 5.12 on",
                         "\"since\": \"5.12\"");
    if (fs.json->contains("chunks"))
        mistakes_.at_key(fs.child("chunks").pointer, "chunks of zoned devices are zones",
                         "\"zone_size\" alone");
    model::Geometry& geometry = scenario_.geometry;
    geometry.zone_size = size(node.child("zone_size"), 64 << 10, 1 << 30);
    geometry.data_chunk = geometry.metadata_chunk = geometry.system_chunk = geometry.zone_size;
    if ((geometry.zone_size & (geometry.zone_size - 1)) != 0)
        mistakes_.at_value(node.child("zone_size").pointer, "this is no power of two",
                           "as \"1M\" or \"8M\"");
    for (const char* profile : {"data", "metadata"})
        if (fs.json->contains(profile) && fs.json->at(profile) != "single")
            mistakes_.at_value(fs.child(profile).pointer, "zoned devices have one profile here",
                               "single", "single");
    if (node.json->contains("max_active_zones"))
        geometry.max_active_zones =
            static_cast<model::u32>(number(node.child("max_active_zones"), 4, 1000));
}

std::uint64_t Loader::load_profile(const Node& node) {
    const std::string profile = one_of(node, {"single", "dup", "raid1"}, "profile");
    const auto in_use =
        std::count_if(scenario_.geometry.devices.begin(), scenario_.geometry.devices.end(),
                      [](const auto& device) { return !device.spare; });
    if (profile == "raid1" && in_use < 2)
        mistakes_.at_value(node.pointer,
                           "raid1 needs two devices, and the filesystem has " +
                               std::to_string(in_use) + " (spares are no part of it)",
                           "single or dup, or one more device", "dup");
    if (profile == "raid1") return model::bg_raid1;
    return profile == "dup" ? model::bg_dup : 0;
}

/// Whether mkfs can place its three chunks.
void Loader::check_room(const Node& fs) {
    const model::Geometry& geometry = scenario_.geometry;
    const auto on_one_device = [](model::u64 profile, model::u64 chunk) {
        return profile == model::bg_dup ? 2 * chunk : chunk;
    };
    const std::uint64_t needed = std::max<std::uint64_t>(1 << 20, geometry.zone_size) +
                                 on_one_device(geometry.metadata_profile, geometry.system_chunk) +
                                 on_one_device(geometry.metadata_profile, geometry.metadata_chunk) +
                                 on_one_device(geometry.data_profile, geometry.data_chunk);
    for (std::size_t i = 0; i < geometry.devices.size(); ++i) {
        if (geometry.devices[i].spare || geometry.devices[i].size >= needed) continue;
        mistakes_.at_value(
            fs.pointer + "/devices/" + std::to_string(i) + "/size",
            "device " + in_quotes(geometry.devices[i].name) +
                " is too small for the first chunks, which take " + format_size(needed),
            "a larger device, or smaller \"chunks\"", format_size((needed | ((1 << 20) - 1)) + 1));
    }
}

/// Calls, and repeats of calls, which become as many.
void Loader::load_prepare(const Node& node) {
    if (!is_array(node, "operations and repeats")) return;
    for (std::size_t i = 0; i < node.json->size() && !mistakes_.first(); ++i) {
        const Node element = node.child(i);
        if (element.json->is_object()) {
            load_repeat(element);
        } else if (is_call(element)) {
            load_op(element, text(element), scenario_.prepare);
            check_prepared(element);
            if (!mistakes_.first())
                scenario_.prepare_lines.push_back(scenario_.prepare.back().text);
        }
    }
}

void Loader::load_repeat(const Node& node) {
    if (!is_object(node, {"repeat", "run"}, {"repeat", "run"})) return;
    const std::uint64_t times = number(node.child("repeat"), 1, most_repeats);
    const Node run = node.child("run");
    if (!is_array(run, "operations")) return;
    if (run.json->empty())
        mistakes_.at_value(run.pointer, "there is nothing to repeat",
                           "a list of at least one operation");
    if (scenario_.prepare.size() + times * run.json->size() > most_prepared)
        mistakes_.at_value(node.pointer, "the preparation becomes too long",
                           "at most " + std::to_string(most_prepared) + " operations in all");
    ++repeats_;
    std::vector<std::string> lines;
    for (std::size_t i = 0; i < run.json->size() && !mistakes_.first(); ++i)
        if (is_call(run.child(i))) lines.push_back(text(run.child(i)));
    for (std::uint64_t number = 0; number < times; ++number)
        for (std::size_t i = 0; i < lines.size() && !mistakes_.first(); ++i) {
            const Node line = run.child(i);
            const sim::Result<std::string, OpError> command = with_number(lines[i], number);
            if (command.ok()) {
                load_op(line, command.value(), scenario_.prepare, repeats_);
                check_prepared(line);
            } else {
                mistakes_.at_value(line.pointer, command.error().message, command.error().expected,
                                   command.error().nearest);
            }
        }
    scenario_.prepare_lines.push_back(std::to_string(times) + " times: " + join(lines, "; "));
}

void Loader::check_prepared(const Node& line) {
    if (!mistakes_.first() && scenario_.prepare.back().verb == Op::Verb::Umount)
        mistakes_.at_value(line.pointer, "the tasks begin with the filesystem mounted",
                           "umount in a task");
}

void Loader::load_ops(const Node& node, std::vector<Op>& ops) {
    if (!is_array(node, "operations")) return;
    for (std::size_t i = 0; i < node.json->size() && !mistakes_.first(); ++i)
        if (is_call(node.child(i))) load_op(node.child(i), text(node.child(i)), ops);
}

/// @param repeat  which one the line stands in; 0: none
void Loader::load_op(const Node& line, const std::string& command, std::vector<Op>& ops,
                     unsigned repeat) {
    if (has_number(command)) {
        mistakes_.at_value(line.pointer,
                           in_quotes(command) + ": only a repeat has a running number",
                           R"({"repeat": 10, "run": ["touch f{i}"]} in "prepare")");
        return;
    }
    const sim::Result<Op, OpError> op = parse_op(command, device_names_);
    if (!op.ok()) {
        mistakes_.at_value(line.pointer, op.error().message, op.error().expected,
                           op.error().nearest);
    } else if (op.value().ends_repeat && repeat == 0) {
        mistakes_.at_value(line.pointer,
                           in_quotes(command) + ": there is no repeat that it could end",
                           R"({"repeat": 10, "run": ["touch f{i} || break"]} in "prepare")");
    } else {
        ops.push_back(op.value());
        ops.back().repeat = repeat;
    }
}

/// A repeat is an element of the preparation, and of nothing else.
bool Loader::is_call(const Node& node) {
    if (node.json->is_object() && node.json->contains("repeat"))
        mistakes_.at_value(node.pointer, "a repeat stands in \"prepare\", and in no other repeat",
                           "a command line");
    else
        text(node);
    return !mistakes_.first();
}

void Loader::load_tasks(const Node& node) {
    if (!node.json->is_object() || node.json->empty() || node.json->size() > max_scenario_tasks) {
        mistakes_.at_value(node.pointer,
                           node.json->is_object() ? std::to_string(node.json->size()) + " tasks"
                                                  : std::string("this is ") + kind_of(*node.json),
                           "an object of one to " + std::to_string(max_scenario_tasks) +
                               " tasks, by name");
        return;
    }
    for (const auto& item : node.json->items())
        load_task(node.child(item.key()), item.key());
}

void Loader::load_task(const Node& node, const std::string& name) {
    const Json as_json = name;
    word({&as_json, node.pointer}, "task name", "_-");
    if (!is_object(node, {"cpu", "run"}, {"run"})) return;
    TaskSpec task{
        .name = name, .cpu = static_cast<std::uint8_t>(scenario_.tasks.size() + 1), .run = {}};
    if (node.json->contains("cpu"))
        task.cpu = static_cast<std::uint8_t>(number(node.child("cpu"), 0, max_cpu));
    load_ops(node.child("run"), task.run);
    if (task.run.empty())
        mistakes_.at_value(node.pointer + "/run", "task " + in_quotes(name) + " has no steps",
                           "a list of at least one operation");
    scenario_.tasks.push_back(std::move(task));
}

void Loader::load_expectation(const Node& node) {
    if (!is_object(node, {"kernel", "with", "without", "verdict", "signature"},
                   {"kernel", "verdict"}))
        return;
    const std::optional<model::KernelVersion> kernel = kernel_of(node);
    const std::string verdict =
        one_of(node.child("verdict"), {"PASS", "PASS-BOUNDED", "CLEAN", "FAIL", "INCONCLUSIVE"},
               "verdict");
    if (!kernel) return;
    Expectation entry{.kernel = *kernel,
                      .verdict = parse_verdict(verdict).value_or(Verdict::Pass),
                      .signature = {}};
    if (node.json->contains("signature")) {
        entry.signature = text(node.child("signature"));
        if (entry.verdict != Verdict::Fail)
            mistakes_.at_key(node.pointer + "/signature", "only a failure has a signature",
                             "\"verdict\": \"FAIL\"");
    }
    if (scenario_.expected_on(entry.kernel) != nullptr)
        mistakes_.at_value(node.pointer,
                           "kernel " + entry.kernel.name() + " has an expectation already",
                           "one expectation for each kernel");
    scenario_.expect.push_back(std::move(entry));
}

std::uint32_t part_hash(const std::string& canonical_text) {
    return static_cast<std::uint32_t>(sim::hash_text(canonical_text) >> 32);
}

ContentHash hash_content(const Scenario& scenario) {
    const model::Geometry& geometry = scenario.geometry;
    Json fs = {{"data", geometry.data_profile},         {"metadata", geometry.metadata_profile},
               {"nodesize", geometry.nodesize},         {"items_per_node", geometry.items_per_node},
               {"data_chunk", geometry.data_chunk},     {"metadata_chunk", geometry.metadata_chunk},
               {"system_chunk", geometry.system_chunk}, {"seed", geometry.seed}};
    if (geometry.pointers_per_node != 0) fs["pointers_per_node"] = geometry.pointers_per_node;
    if (geometry.zone_size != 0) fs["zoned"] = {geometry.zone_size, geometry.max_active_zones};
    for (const auto& device : geometry.devices)
        fs["devices"].push_back({device.name, device.size, device.spare});
    Json prepare = Json::array(), tasks = Json::array();
    for (const Op& op : scenario.prepare)
        prepare.push_back(op.text);
    for (const TaskSpec& task : scenario.tasks) {
        Json ops = Json::array();
        for (const Op& op : task.run)
            ops.push_back(op.text);
        tasks.push_back({task.name, task.cpu, std::move(ops)});
    }
    return {.fs = part_hash(fs.dump()),
            .prepare = part_hash(prepare.dump()),
            .tasks = part_hash(tasks.dump())};
}

}  // namespace

sim::Result<Scenario, InputError> load(std::string_view text, std::string_view file) {
    const auto parsed = parse_json(text, file);
    if (!parsed.ok()) return parsed.error();
    const JsonIndex index(text);
    Mistakes mistakes(file, index);
    if (index.duplicate())
        mistakes.at_key(*index.duplicate(), "this key stands twice in its object", "each key once");
    Scenario scenario;
    scenario.file = file;
    scenario.text = text;
    if (!mistakes.first()) Loader(mistakes, scenario).load({&parsed.value(), ""});
    if (mistakes.first()) return *mistakes.first();
    scenario.content = hash_content(scenario);
    return scenario;
}

}  // namespace app::scenario
