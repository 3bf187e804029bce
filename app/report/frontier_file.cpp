#include "app/report/frontier_file.h"

#include <array>

#include "app/report/checksum.h"
#include "app/scenario/words.h"

namespace app::report {

namespace {

constexpr std::string_view frontier_format = "interleaf frontier";
constexpr int frontier_version = 2;

Json slots_json(const sim::TaskSet& tasks) {
    Json slots = Json::array();
    tasks.for_each([&](unsigned slot) { slots.push_back(slot); });
    return slots;
}

sim::TaskSet read_slots(const Json& json) {
    sim::TaskSet tasks;
    for (const Json& slot : json) {
        const auto number = slot.get<unsigned>();
        if (number < sim::max_tasks) tasks.set(number);
    }
    return tasks;
}

Json index_json(std::uint32_t index) {
    return index == sim::SavedTree::none ? Json() : Json(index);
}

std::uint32_t read_index(const Json& json) {
    return json.is_null() ? sim::SavedTree::none : json.get<std::uint32_t>();
}

Json node_json(const sim::SavedTree::Node& node) {
    return {index_json(node.parent),
            node.via,
            node.at.deviations,
            slots_json(node.at.enabled),
            slots_json(node.at.free),
            slots_json(node.at.asked),
            node.at.goes_on,
            node.at.idle,
            node.foreign};
}

sim::SavedTree::Node read_node(const Json& json) {
    sim::SavedTree::Node node;
    node.parent = read_index(json.at(0));
    node.via = json.at(1).get<std::uint16_t>();
    node.at.deviations = json.at(2).get<std::uint32_t>();
    node.at.enabled = read_slots(json.at(3));
    node.at.free = read_slots(json.at(4));
    node.at.asked = read_slots(json.at(5));
    node.at.goes_on = json.at(6).get<bool>();
    node.at.idle = json.at(7).get<bool>();
    node.foreign = json.at(8).get<bool>();
    return node;
}

Json branches_json(const std::vector<sim::SavedTree::Branch>& branches) {
    Json list = Json::array();
    for (const auto& branch : branches)
        list.push_back({index_json(branch.node), branch.slot});
    return list;
}

std::vector<sim::SavedTree::Branch> read_branches(const Json& json) {
    std::vector<sim::SavedTree::Branch> branches;
    for (const Json& branch : json)
        branches.push_back({read_index(branch.at(0)), branch.at(1).get<std::uint16_t>()});
    return branches;
}

Json found_json(const sim::SavedSearch::Found& found) {
    Json departures = Json::array();
    for (const sim::Departure& departure : found.schedule.departures)
        departures.push_back({departure.ordinal, departure.index});
    return {{"signature", found.signature},
            {"count", found.count},
            {"departures", std::move(departures)}};
}

sim::SavedSearch::Found read_found(const Json& json) {
    sim::SavedSearch::Found found{.signature = json.at("signature").get<std::string>(),
                                  .count = json.at("count").get<std::uint64_t>(),
                                  .schedule = {}};
    for (const Json& departure : json.at("departures"))
        found.schedule.departures.push_back(
            {departure.at(0).get<std::uint32_t>(), departure.at(1).get<std::uint16_t>()});
    return found;
}

/// What is left out where there is none.
template <class Search> auto lists_of(Search& search) {
    return std::array{std::pair("unordered_kinds", &search.unordered_kinds),
                      std::pair("split", &search.split),
                      std::pair("split_unordered", &search.split_unordered)};
}

Json search_json(const sim::SavedSearch& search) {
    Json nodes = Json::array(), found = Json::array();
    for (const auto& node : search.tree.nodes)
        nodes.push_back(node_json(node));
    for (const auto& one : search.found)
        found.push_back(found_json(one));
    Json json = {{"bound", search.bound},
                 {"refused", search.refused},
                 {"spent", search.spent},
                 {"expected", search.expected},
                 {"executions", search.executions},
                 {"steps", search.steps},
                 {"steps_before", search.steps_before},
                 {"depth", search.max_depth},
                 {"found", std::move(found)},
                 {"unordered", search.unordered},
                 {"branches", branches_json(search.tree.branches)},
                 {"escaped", branches_json(search.tree.escaped)},
                 {"nodes", std::move(nodes)}};
    for (const auto& [key, list] : lists_of(search))
        if (!list->empty()) json[key] = *list;
    return json;
}

/// Parents come first, and nothing points beyond the nodes.
bool is_tree(const sim::SavedTree& tree) {
    const auto is_node = [&](std::uint32_t index) {
        return index == sim::SavedTree::none || index < tree.nodes.size();
    };
    for (std::size_t i = 0; i < tree.nodes.size(); ++i)
        if (tree.nodes[i].parent != sim::SavedTree::none && tree.nodes[i].parent >= i) return false;
    for (const auto* const branches : {&tree.branches, &tree.escaped})
        for (const auto& branch : *branches)
            if (!is_node(branch.node)) return false;
    return true;
}

sim::SavedSearch read_search(const Json& json) {
    sim::SavedSearch search;
    search.bound = json.at("bound").get<std::uint32_t>();
    search.refused = json.at("refused").get<std::uint64_t>();
    search.spent = json.at("spent").get<std::uint64_t>();
    search.expected = json.at("expected").get<std::uint64_t>();
    search.executions = json.at("executions").get<std::uint64_t>();
    search.steps = json.at("steps").get<std::uint64_t>();
    search.steps_before = json.at("steps_before").get<std::uint64_t>();
    search.max_depth = json.at("depth").get<std::uint32_t>();
    for (const Json& one : json.at("found"))
        search.found.push_back(read_found(one));
    search.unordered = json.at("unordered").get<std::vector<std::string>>();
    for (const auto& [key, list] : lists_of(search))
        if (json.contains(key)) json.at(key).get_to(*list);
    search.tree.branches = read_branches(json.at("branches"));
    search.tree.escaped = read_branches(json.at("escaped"));
    for (const Json& node : json.at("nodes"))
        search.tree.nodes.push_back(read_node(node));
    return search;
}

}  // namespace

std::string to_text(const FrontierFile& file) {
    Json json = {{"format", frontier_format},
                 {"version", frontier_version},
                 {"token", encode(file.token)},
                 {"deviations", file.deviations},
                 {"bound_accepted", file.bound_accepted},
                 {"max_steps", file.max_steps},
                 {"keep_going", file.keep_going},
                 {"plan", scenario::hex_digits(file.shard.plan, 16)},
                 {"shard", file.shard.index},
                 {"shards", file.shard.count},
                 {"search", search_json(file.search)}};
    add_checksum(json);
    return json.dump() + "\n";
}

sim::Result<FrontierFile, TokenError> parse_frontier(std::string_view text) {
    const auto opened = open_artefact(text, frontier_format, frontier_version, "a frontier file");
    if (!opened.ok()) return opened.error();
    const Json& json = opened.value();
    try {
        auto token = decode(json.at("token").get<std::string>());
        if (!token.ok()) return token.error();
        FrontierFile file;
        file.token = std::move(token.value());
        file.deviations = json.at("deviations").get<std::uint32_t>();
        file.bound_accepted = json.at("bound_accepted").get<bool>();
        file.max_steps = json.at("max_steps").get<std::uint32_t>();
        file.keep_going = json.at("keep_going").get<bool>();
        file.shard.plan = std::stoull(json.at("plan").get<std::string>(), nullptr, 16);
        file.shard.index = json.at("shard").get<std::uint32_t>();
        file.shard.count = json.at("shards").get<std::uint32_t>();
        file.search = read_search(json.at("search"));
        if (!is_tree(file.search.tree)) return TokenError{"the frontier file's tree is none"};
        return file;
    } catch (const std::exception& error) {
        return TokenError{std::string("the frontier file cannot be read: ") + error.what()};
    }
}

bool looks_like_frontier(std::string_view text) {
    const Json json = Json::parse(text, nullptr, false);
    return json.is_object() && json.value("format", Json()) == frontier_format;
}

}  // namespace app::report
