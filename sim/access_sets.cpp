#include "sim/access_sets.h"

#include <algorithm>
#include <tuple>

namespace sim {
namespace {

bool is_keyed(AccessKind kind) {
    return kind == AccessKind::Insert || kind == AccessKind::Lookup;
}
/// Reads, and the shared holding of a lock: they commute with each other.
bool is_shared(AccessKind kind) {
    return kind == AccessKind::Read || kind == AccessKind::Lookup ||
           kind == AccessKind::AcquireShared || kind == AccessKind::ReleaseShared;
}
auto order(const Access& access) {
    return std::tuple(access.object, access.key, access.kind);
}

}  // namespace

bool conflict(const Access& a, const Access& b) {
    if (a.object != b.object) return false;
    if (is_shared(a.kind) && is_shared(b.kind)) return false;
    if (a.kind == AccessKind::Add && b.kind == AccessKind::Add) return false;
    return !(is_keyed(a.kind) && is_keyed(b.kind) && a.key != b.key);
}

AccessSets::AccessSets() : table_(2 * remembered), known_(std::size_t{remembered} * remembered) {
    sets_.push_back({});  // the empty set is 0
}

AccessSets::Id AccessSets::intern(std::span<const Access> accesses) {
    if (accesses.empty()) return 0;
    scratch_.assign(accesses.begin(), accesses.end());
    for (Access& access : scratch_)
        if (!is_keyed(access.kind)) access.key = 0;
    if (scratch_.size() > 1) {
        std::sort(scratch_.begin(), scratch_.end(),
                  [](const Access& a, const Access& b) { return order(a) < order(b); });
        scratch_.erase(
            std::unique(scratch_.begin(), scratch_.end(),
                        [](const Access& a, const Access& b) { return order(a) == order(b); }),
            scratch_.end());
    }
    std::uint64_t hash = 0;
    for (const Access& access : scratch_)
        hash = hash_mix(hash_mix(hash, access.object + static_cast<std::uint64_t>(access.kind)),
                        access.key);
    if (sets_.size() * 2 > table_.size()) grow();
    const std::size_t mask = table_.size() - 1;
    for (std::size_t at = hash & mask;; at = (at + 1) & mask) {
        Id& id = table_[at];
        if (id == 0) return id = append(hash);
        if (sets_[id].hash == hash && is_scratch(id)) return id;
    }
}

bool AccessSets::is_scratch(Id id) const {
    const auto known = of(id);
    return std::equal(known.begin(), known.end(), scratch_.begin(), scratch_.end(),
                      [](const Access& a, const Access& b) { return order(a) == order(b); });
}

AccessSets::Id AccessSets::append(std::uint64_t hash) {
    sets_.push_back({static_cast<std::uint32_t>(pool_.size()),
                     static_cast<std::uint32_t>(scratch_.size()), hash});
    pool_.insert(pool_.end(), scratch_.begin(), scratch_.end());
    return static_cast<Id>(sets_.size() - 1);
}

void AccessSets::grow() {
    table_.assign(table_.size() * 2, 0);
    const std::size_t mask = table_.size() - 1;
    for (Id id = 1; id < sets_.size(); ++id) {
        std::size_t at = sets_[id].hash & mask;
        while (table_[at] != 0)
            at = (at + 1) & mask;
        table_[at] = id;
    }
}

std::span<const Access> AccessSets::of(Id id) const {
    return {pool_.data() + sets_[id].first, sets_[id].count};
}

bool AccessSets::compare(Id a, Id b) const {
    const auto first = of(a), second = of(b);
    auto low = second.begin();
    for (const Access& x : first) {
        while (low != second.end() && low->object < x.object)
            ++low;
        for (auto y = low; y != second.end() && y->object == x.object; ++y)
            if (conflict(x, *y)) return true;
    }
    return false;
}

}  // namespace sim
