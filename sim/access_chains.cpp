#include "sim/access_chains.h"

#include <algorithm>

namespace sim {

bool AccessChains::put(std::uint32_t place, const Access& access, std::uint32_t event,
                       std::uint32_t task) {
    const std::uint32_t latest = heads_[place].latest, number = size() + 1;
    for (std::uint32_t at = latest; at != 0 && nodes_[at - 1].event == event;
         at = nodes_[at - 1].before)
        if (nodes_[at - 1].kind == access.kind && nodes_[at - 1].key == access.key) return false;
    const Family family = family_of(access.kind);
    const bool goes_on = latest != 0 && family == nodes_[latest - 1].family;
    Node& node = nodes_.append();
    node.event = event;
    node.before = latest;
    node.key = access.key;
    node.kind = access.kind;
    node.family = family;
    node.task = task;
    node.place = place;
    node.other = goes_on ? nodes_[latest - 1].other : latest;
    heads_[place].latest = number;
    if (family != Family::Keyed) return true;
    std::uint32_t& latest_of_key = heads_[name(key_name(access))].latest;
    node.same_key = latest_of_key;
    latest_of_key = number;
    const bool inserts = access.kind == AccessKind::Insert;
    const std::uint32_t before = node.same_key == 0 ? 0 : nodes_[node.same_key - 1].insert;
    node.insert = inserts ? number : before;
    return true;
}

void AccessChains::truncate(std::uint32_t count) {
    for (; nodes_.size() > count; nodes_.pop_back()) {
        const Node& node = nodes_.back();
        heads_[node.place].latest = node.before;
        if (is_keyed(node.kind))
            heads_[find(key_name({object_of(node), node.key, node.kind}))].latest = node.same_key;
    }
}

/// What has no access any more is dropped; the others move.
void AccessChains::grow() {
    constexpr std::size_t first_heads = 1024;
    std::vector<Head> former(std::max(first_heads, heads_.size() * 2));
    former.swap(heads_);
    heads_used_ = 0;
    std::vector<std::uint32_t> place(former.size());
    for (std::size_t i = 0; i < former.size(); ++i) {
        if (former[i].latest == 0) continue;
        place[i] = find(former[i].name);
        heads_[place[i]] = former[i];
        ++heads_used_;
    }
    for (Node& node : nodes_)
        node.place = place[node.place];
}

}  // namespace sim
