#include "app/scenario/loader.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "app/scenario/json_index.h"
#include "app/scenario/kernel_spec.h"
#include "app/scenario/words.h"
#include "model/format.h"
#include "sim/hash.h"

namespace app::scenario {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t max_scenario_tasks = 32;
constexpr unsigned max_cpu = 63;
constexpr std::uint64_t largest_device = std::uint64_t{1} << 40;

/// The first mistake found; later ones are often its consequence.
class Mistakes {
  public:
    Mistakes(std::string_view file, const JsonIndex& index) : file_(file), index_(index) {}

    void at_value(const std::string& pointer, std::string message, std::string expected,
                  std::string nearest = {}) {
        report(index_.value(pointer), pointer, std::move(message), std::move(expected),
               std::move(nearest));
    }
    void at_key(const std::string& pointer, std::string message, std::string expected,
                std::string nearest = {}) {
        report(index_.key(pointer), pointer, std::move(message), std::move(expected),
               std::move(nearest));
    }
    const std::optional<InputError>& first() const { return first_; }

  private:
    void report(Position position, const std::string& pointer, std::string message,
                std::string expected, std::string nearest) {
        if (first_) return;
        first_ = InputError{.file = file_,
                            .line = position.line,
                            .column = position.column,
                            .field = pointer,
                            .message = std::move(message),
                            .expected = std::move(expected),
                            .nearest = std::move(nearest)};
    }

    std::string file_;
    const JsonIndex& index_;
    std::optional<InputError> first_;
};

/// One value of the file, and where it stands.
struct Node {
    const Json* json;
    std::string pointer;

    Node child(const std::string& key) const {
        std::string escaped;
        for (const char c : key)
            escaped += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
        return {&json->at(key), pointer + "/" + escaped};
    }
    Node child(std::size_t index) const {
        return {&json->at(index), pointer + "/" + std::to_string(index)};
    }
};

class Loader {
  public:
    Loader(Mistakes& mistakes, Scenario& scenario) : mistakes_(mistakes), scenario_(scenario) {}

    void load(const Node& root);

  private:
    // Values by type. A mistake is reported, and the value is empty then.
    bool is_object(const Node& node, const std::vector<std::string>& keys,
                   const std::vector<std::string>& required);
    bool is_array(const Node& node, std::string_view of_what);
    std::string text(const Node& node);
    std::string word(const Node& node, std::string_view what, std::string_view extra);
    std::vector<std::string> words(const Node& node, std::string_view what);
    std::uint64_t number(const Node& node, std::uint64_t least, std::uint64_t most);
    bool boolean(const Node& node);
    std::uint64_t size(const Node& node, std::uint64_t least, std::uint64_t most);
    std::string one_of(const Node& node, const std::vector<std::string>& valid,
                       std::string_view what);

    void load_fs(const Node& node);
    void load_device(const Node& node);
    void load_chunks(const Node& node);
    void load_zoned(const Node& fs);
    std::uint64_t load_profile(const Node& node);
    void check_room(const Node& fs);
    void load_ops(const Node& node, std::vector<Op>& ops);
    void load_tasks(const Node& node);
    void load_task(const Node& node, const std::string& name);
    void load_expectation(const Node& node);
    std::optional<model::Release> load_release(const Node& node);
    std::optional<model::KernelVersion> load_kernel(const Node& node);
    void check_change(const Node& node);

    std::vector<std::string> device_names_;
    Mistakes& mistakes_;
    Scenario& scenario_;
};

const char* kind_of(const Json& json) {
    switch (json.type()) {
    case Json::value_t::null:
        return "null";
    case Json::value_t::object:
        return "an object";
    case Json::value_t::array:
        return "a list";
    case Json::value_t::string:
        return "a string";
    case Json::value_t::boolean:
        return "true or false";
    case Json::value_t::number_float:
        return "a fraction";
    default:
        return "a number";
    }
}

bool Loader::is_object(const Node& node, const std::vector<std::string>& keys,
                       const std::vector<std::string>& required) {
    if (!node.json->is_object()) {
        mistakes_.at_value(node.pointer, std::string("this is ") + kind_of(*node.json),
                           "an object");
        return false;
    }
    for (const auto& item : node.json->items()) {
        if (std::find(keys.begin(), keys.end(), item.key()) != keys.end()) continue;
        mistakes_.at_key(node.child(item.key()).pointer, "unknown key " + in_quotes(item.key()),
                         "one of: " + join(keys, ", "), nearest(item.key(), keys));
        return false;
    }
    for (const std::string& key : required) {
        if (node.json->contains(key)) continue;
        mistakes_.at_value(node.pointer, "the key " + in_quotes(key) + " is missing",
                           "the keys " + join(required, ", "));
        return false;
    }
    return true;
}

bool Loader::is_array(const Node& node, std::string_view of_what) {
    if (node.json->is_array()) return true;
    mistakes_.at_value(node.pointer, std::string("this is ") + kind_of(*node.json),
                       "a list of " + std::string(of_what));
    return false;
}

std::string Loader::text(const Node& node) {
    if (node.json->is_string()) return node.json->get<std::string>();
    mistakes_.at_value(node.pointer, std::string("this is ") + kind_of(*node.json), "a string");
    return "";
}

/// A name: letters, digits, and the characters in `extra`.
std::string Loader::word(const Node& node, std::string_view what, std::string_view extra) {
    std::string value = text(node);
    const auto valid = [extra](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               extra.find(c) != std::string_view::npos;
    };
    if (value.empty() || value.size() > 64 || !std::all_of(value.begin(), value.end(), valid))
        mistakes_.at_value(node.pointer, in_quotes(value) + " is no " + std::string(what),
                           "letters, digits and any of " + std::string(extra));
    return value;
}

std::vector<std::string> Loader::words(const Node& node, std::string_view what) {
    std::vector<std::string> list;
    if (!is_array(node, "strings")) return list;
    for (std::size_t i = 0; i < node.json->size(); ++i)
        list.push_back(word(node.child(i), what, "_-./"));
    return list;
}

std::uint64_t Loader::number(const Node& node, std::uint64_t least, std::uint64_t most) {
    const std::string expected =
        "a number from " + std::to_string(least) + " to " + std::to_string(most);
    if (!node.json->is_number_unsigned()) {
        mistakes_.at_value(node.pointer,
                           node.json->is_number() ? node.json->dump() + " is no such number"
                                                  : std::string("this is ") + kind_of(*node.json),
                           expected);
        return least;
    }
    const auto value = node.json->get<std::uint64_t>();
    if (value < least || value > most)
        mistakes_.at_value(node.pointer, std::to_string(value) + " is out of range", expected);
    return value;
}

bool Loader::boolean(const Node& node) {
    if (node.json->is_boolean()) return node.json->get<bool>();
    mistakes_.at_value(node.pointer, std::string("this is ") + kind_of(*node.json),
                       "true or false");
    return false;
}

std::uint64_t Loader::size(const Node& node, std::uint64_t least, std::uint64_t most) {
    const std::string expected = "a size from " + format_size(least) + " to " + format_size(most) +
                                 ", a multiple of 4K, as \"64M\", \"4K\" or a number of bytes";
    std::optional<std::uint64_t> bytes;
    if (node.json->is_number_unsigned()) bytes = node.json->get<std::uint64_t>();
    if (node.json->is_string()) bytes = parse_size(node.json->get<std::string>());
    if (!bytes)
        mistakes_.at_value(node.pointer, node.json->dump() + " is no size", expected);
    else if (*bytes % model::sectorsize != 0 || *bytes < least || *bytes > most)
        mistakes_.at_value(node.pointer, node.json->dump() + " is no possible size here", expected);
    return bytes.value_or(least);
}

std::string Loader::one_of(const Node& node, const std::vector<std::string>& valid,
                           std::string_view what) {
    std::string value = text(node);
    if (std::find(valid.begin(), valid.end(), value) == valid.end())
        mistakes_.at_value(node.pointer, "unknown " + std::string(what) + " " + in_quotes(value),
                           "one of: " + join(valid, ", "), nearest(value, valid));
    return value;
}

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
    if (json.contains("since")) scenario_.since = load_release(root.child("since"));
    load_fs(root.child("fs"));
    if (json.contains("prepare")) load_ops(root.child("prepare"), scenario_.prepare);
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
                   {"devices", "data", "metadata", "nodesize", "items_per_node", "chunks", "zoned",
                    "seed"},
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

void Loader::load_ops(const Node& node, std::vector<Op>& ops) {
    if (!is_array(node, "operations")) return;
    for (std::size_t i = 0; i < node.json->size(); ++i) {
        const Node line = node.child(i);
        const std::string command = text(line);
        if (mistakes_.first()) return;
        const sim::Result<Op, OpError> op = parse_op(command, device_names_);
        if (!op.ok()) {
            mistakes_.at_value(line.pointer, op.error().message, op.error().expected,
                               op.error().nearest);
            return;
        }
        ops.push_back(op.value());
    }
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
    const std::optional<model::KernelVersion> kernel = load_kernel(node);
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

std::optional<model::Release> Loader::load_release(const Node& node) {
    const std::string release = text(node);
    if (mistakes_.first()) return std::nullopt;
    const auto version = KernelSpec{.release = release, .with = {}, .without = {}}.resolve();
    if (version.ok()) return version.value().release();
    mistakes_.at_value(node.pointer, version.error().message, "a mainline release, as \"5.5\"",
                       version.error().hint);
    return std::nullopt;
}

std::optional<model::KernelVersion> Loader::load_kernel(const Node& node) {
    KernelSpec spec;
    spec.release = text(node.child("kernel"));
    if (!load_release(node.child("kernel"))) return std::nullopt;
    for (const auto& [key, list] :
         {std::pair{"with", &spec.with}, std::pair{"without", &spec.without}}) {
        if (!node.json->contains(key)) continue;
        const Node changes = node.child(key);
        *list = words(changes, "commit or name of a change");
        for (std::size_t i = 0; i < list->size() && !mistakes_.first(); ++i)
            check_change(changes.child(i));
    }
    if (mistakes_.first()) return std::nullopt;
    // Each word is known; together they may still be impossible ("with" one that is there already).
    const auto version = spec.resolve();
    if (version.ok()) return version.value();
    mistakes_.at_value(node.pointer, version.error().message, "a kernel that can be made",
                       version.error().hint);
    return std::nullopt;
}

void Loader::check_change(const Node& node) {
    const std::string change = text(node);
    if (model::find_fix(change) != nullptr) return;
    std::vector<std::string> known;
    for (const model::Fix& fix : model::fixes()) {
        if (*fix.commit != '\0') known.emplace_back(fix.commit);
        known.emplace_back(fix.name);
    }
    mistakes_.at_value(node.pointer, "unknown commit " + in_quotes(change),
                       "a commit id or name that the model knows", nearest(change, known));
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

/// What the parser says, without its own name and place: "unexpected end of input; expected '}'".
std::string syntax_message(const std::string& what) {
    static constexpr std::string_view marker = "syntax error while parsing ";
    const std::size_t at = what.find(marker);
    if (at != std::string::npos) return "syntax error in " + what.substr(at + marker.size());
    const std::size_t bracket = what.find("] ");
    return "syntax error: " + (bracket == std::string::npos ? what : what.substr(bracket + 2));
}

InputError syntax_error(std::string_view text, std::string_view file, const std::string& what,
                        std::size_t byte) {
    const Position position = position_at(text, byte == 0 ? 0 : byte - 1);
    std::string message = syntax_message(what);
    std::string expected = "JSON; // and /* */ comments are allowed";
    if (const std::size_t at = message.find("; expected "); at != std::string::npos) {
        expected = message.substr(at + 11);
        message.erase(at);
    }
    return {.file = std::string(file),
            .line = position.line,
            .column = position.column,
            .field = {},
            .message = std::move(message),
            .expected = std::move(expected),
            .nearest = {}};
}

}  // namespace

sim::Result<Scenario, InputError> load(std::string_view text, std::string_view file) {
    Json json;
    try {
        json = Json::parse(text, nullptr, true, true);
    } catch (const Json::parse_error& error) {
        return syntax_error(text, file, error.what(), error.byte);
    } catch (const Json::exception& error) {
        return syntax_error(text, file, error.what(), 0);
    }
    const JsonIndex index(text);
    Mistakes mistakes(file, index);
    if (index.duplicate())
        mistakes.at_key(*index.duplicate(), "this key stands twice in its object", "each key once");
    Scenario scenario;
    scenario.file = file;
    scenario.text = text;
    if (!mistakes.first()) Loader(mistakes, scenario).load({&json, ""});
    if (mistakes.first()) return *mistakes.first();
    scenario.content = hash_content(scenario);
    return scenario;
}

}  // namespace app::scenario
