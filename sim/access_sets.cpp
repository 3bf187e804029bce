#include "sim/access_sets.h"

#include <algorithm>
#include <tuple>

namespace sim {
namespace {

constexpr std::uint32_t remembered = 512;  // sets whose dependence on each other is kept

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

AccessSets::AccessSets() : known_(std::size_t{remembered} * remembered) {
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
    const auto [begin, end] = by_hash_.equal_range(hash);
    for (auto it = begin; it != end; ++it) {
        const auto known = of(it->second);
        if (std::equal(known.begin(), known.end(), scratch_.begin(), scratch_.end(),
                       [](const Access& a, const Access& b) { return order(a) == order(b); }))
            return it->second;
    }
    const auto id = static_cast<Id>(sets_.size());
    sets_.push_back(
        {static_cast<std::uint32_t>(pool_.size()), static_cast<std::uint32_t>(scratch_.size())});
    pool_.insert(pool_.end(), scratch_.begin(), scratch_.end());
    by_hash_.emplace(hash, id);
    return id;
}

std::span<const Access> AccessSets::of(Id id) const {
    return {pool_.data() + sets_[id].first, sets_[id].count};
}

bool AccessSets::dependent(Id a, Id b) {
    if (a == 0 || b == 0) return false;
    if (a >= remembered || b >= remembered) return compare(a, b);
    std::uint8_t& known = known_[a * remembered + b];
    if (known == 0) known = compare(a, b) ? 2 : 1;
    return known == 2;
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
