#include "sim/access_sets.h"

#include <algorithm>
#include <tuple>

namespace sim {
namespace {

auto order(const Access& access) {
    return std::tuple(access.object, access.key, access.kind);
}

}  // namespace

AccessSets::AccessSets() : table_(std::size_t{2} * remembered) {
    sets_.append();  // the empty set is 0
    objects_.append(0);
    known_.resize(remembered);
}

AccessSets::Id AccessSets::find_or_add(std::span<const Access> accesses) {
    if (accesses.empty()) return 0;
    scratch_.assign(accesses.begin(), accesses.end());
    for (Access& access : scratch_)
        access = without_idle_key(access);
    std::sort(scratch_.begin(), scratch_.end(),
              [](const Access& a, const Access& b) { return order(a) < order(b); });
    scratch_.erase(std::unique(scratch_.begin(), scratch_.end(), same), scratch_.end());
    return intern_distinct(scratch_);
}

AccessSets::Id AccessSets::intern_distinct(std::span<const Access> accesses) {
    std::uint64_t hash = 0;
    for (const Access& access : accesses)
        hash = hash_mix(hash_mix(hash, access.object + static_cast<std::uint64_t>(access.kind)),
                        access.key);
    if (std::size_t{sets_.size()} * 2 > table_.size()) grow();
    const std::size_t mask = table_.size() - 1;
    for (std::size_t at = hash & mask;; at = (at + 1) & mask) {
        Id& id = table_[at];
        if (id == 0) return id = append(accesses, hash);
        if (sets_[id].hash == hash && is(id, accesses)) return id;
    }
}

bool AccessSets::is(Id id, std::span<const Access> accesses) const {
    const auto known = of(id);
    return std::equal(known.begin(), known.end(), accesses.begin(), accesses.end(), same);
}

AccessSets::Id AccessSets::append(std::span<const Access> accesses, std::uint64_t hash) {
    sets_.append({static_cast<std::uint32_t>(pool_.size()),
                  static_cast<std::uint32_t>(accesses.size()),
                  std::all_of(accesses.begin(), accesses.end(),
                              [](const Access& access) { return never_blocks(access.kind); }),
                  hash});
    pool_.insert(pool_.end(), accesses.begin(), accesses.end());
    std::uint64_t objects = 0;
    for (const Access& access : accesses)
        objects |= std::uint64_t{1} << (access.object % 64);
    objects_.append(objects);
    if (sets_.size() <= remembered) known_.resize(std::size_t{sets_.size()} * remembered);
    return sets_.size() - 1;
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
