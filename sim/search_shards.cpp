#include "sim/search_shards.h"

#include <algorithm>
#include <map>

namespace sim {

namespace {

using Path = std::vector<std::uint16_t>;  // whom each parent runs

/// Brings trees of one search together: their nodes are the same where their paths are.
class TreeUnion {
  public:
    void add(const SavedTree& tree) {
        std::vector<Path> paths;
        std::vector<std::uint32_t> numbers;
        for (const SavedTree::Node& node : tree.nodes) {
            const bool root = node.parent == SavedTree::none;
            Path path = root ? Path{} : paths[node.parent];
            if (!root) path.push_back(node.via);
            const auto [at, fresh] =
                known_.try_emplace(path, static_cast<std::uint32_t>(all_.nodes.size()));
            if (fresh) {
                all_.nodes.push_back(node);
                all_.nodes.back().parent = root ? SavedTree::none : numbers[node.parent];
                all_.nodes.back().foreign = false;
            } else {
                all_.nodes[at->second].at.asked |= node.at.asked;
            }
            numbers.push_back(at->second);
            paths.push_back(std::move(path));
        }
        for (const SavedTree::Branch& branch : tree.escaped) {
            const std::uint32_t node = numbers[branch.node];
            const auto same = [&](const SavedTree::Branch& other) {
                return other.node == node && other.slot == branch.slot;
            };
            if (std::none_of(all_.branches.begin(), all_.branches.end(), same))
                all_.branches.push_back({node, branch.slot});
        }
    }
    SavedTree take() { return std::move(all_); }

  private:
    std::map<Path, std::uint32_t> known_;
    SavedTree all_;
};

void add_new(std::vector<std::string>& texts, const std::vector<std::string>& more) {
    for (const std::string& text : more)
        if (std::find(texts.begin(), texts.end(), text) == texts.end()) texts.push_back(text);
}

}  // namespace

std::vector<SavedSearch> split_search(const SavedSearch& search, std::size_t shards) {
    std::vector<SavedSearch> parts(shards);
    for (std::size_t i = 0; i < shards; ++i) {
        SavedSearch& part = parts[i];
        if (i == 0) {
            part = search;
            part.tree.branches.clear();
        } else {
            part.bound = search.bound;
            part.split = search.split;
            part.tree.nodes = search.tree.nodes;
        }
        for (SavedTree::Node& node : part.tree.nodes)
            node.foreign = true;
    }
    for (std::size_t i = 0; i < search.tree.branches.size(); ++i)
        parts[i % shards].tree.branches.push_back(search.tree.branches[i]);
    return parts;
}

SavedSearch merge_shards(const std::vector<SavedSearch>& shards) {
    SavedSearch all;
    TreeUnion tree;
    for (const SavedSearch& shard : shards) {
        all.bound = shard.bound;
        all.refused += shard.refused;
        all.spent += shard.spent;
        all.expected += shard.expected;
        all.executions += shard.executions;
        all.steps += shard.steps;
        all.steps_before += shard.steps_before;
        all.max_depth = std::max(all.max_depth, shard.max_depth);
        all.found.insert(all.found.end(), shard.found.begin(), shard.found.end());
        all.final_states.insert(all.final_states.end(), shard.final_states.begin(),
                                shard.final_states.end());
        all.unordered.insert(all.unordered.end(), shard.unordered.begin(), shard.unordered.end());
        for (const auto& [kinds, more] : {std::pair(&all.unordered_kinds, &shard.unordered_kinds),
                                          std::pair(&all.split, &shard.split),
                                          std::pair(&all.split_unordered, &shard.split_unordered)})
            add_new(*kinds, *more);
        tree.add(shard.tree);
    }
    all.tree = tree.take();
    return all;
}

}  // namespace sim
