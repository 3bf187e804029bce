#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "sim/trace.h"

namespace sim {

/// Accesses of one key of many.
constexpr bool is_keyed(AccessKind kind) {
    return is_one_of<AccessKind::Insert, AccessKind::Lookup>(kind);
}
/// Of what nobody ever waits for.
constexpr bool never_blocks(AccessKind kind) {
    return is_keyed(kind) || is_one_of<AccessKind::Read, AccessKind::Write, AccessKind::Add>(kind);
}
/// Reads, and the shared holding of a lock: they commute with each other.
constexpr bool is_shared(AccessKind kind) {
    return is_one_of<AccessKind::Read, AccessKind::Lookup, AccessKind::AcquireShared,
                     AccessKind::ReleaseShared>(kind);
}
/// Whether two accesses of different steps do not commute.
constexpr bool conflict(const Access& a, const Access& b) {
    if (a.object != b.object) return false;
    if (is_shared(a.kind) && is_shared(b.kind)) return false;
    if (a.kind == AccessKind::Add && b.kind == AccessKind::Add) return false;
    return !(is_keyed(a.kind) && is_keyed(b.kind) && a.key != b.key);
}

/// What steps touch, each distinct set kept once and called by its number.
class AccessSets {
  public:
    using Id = std::uint32_t;
    AccessSets();

    /// The set of these accesses: repeated ones count once, a read beside a write of the same is
    /// dropped, order does not show. @return its number
    /// @param likely  a set that it may well be; 0: none
    Id intern(std::span<const Access> accesses, Id likely = 0) {
        const bool found = accesses.size() == 1 && sets_[likely].count == 1 &&
                           same(pool_[sets_[likely].first], without_idle_key(accesses[0]));
        return found ? likely : find_or_add(accesses);
    }
    std::span<const Access> of(Id id) const;
    /// A bit for each object of a set: sets without a common bit have no common object.
    std::uint64_t objects_of(Id id) const { return objects_[id]; }
    /// Whether none of a set is of a lock or a wait.
    bool never_block(Id id) const { return sets_[id].never_block; }
    /// Whether steps with these sets do not commute.
    [[gnu::always_inline]] bool dependent(Id a, Id b) {
        if (a >= remembered || b >= remembered)
            return (objects_of(a) & objects_of(b)) != 0 && compare(a, b);
        std::uint8_t& known = known_[std::size_t{a} * remembered + b];
        if (known == 0) known = compare(a, b) ? 2 : 1;
        return known == 2;
    }

  private:
    static constexpr std::uint32_t remembered = 512;  // sets whose dependence on each other is kept
    struct Set {
        std::uint32_t first = 0, count = 0;
        bool never_block = true;
        std::uint64_t hash = 0;
    };
    static bool same(const Access& a, const Access& b) {
        return a.object == b.object && a.key == b.key && a.kind == b.kind;
    }
    /// Only accesses of one key of many need theirs.
    static Access without_idle_key(const Access& access) {
        return {access.object, is_keyed(access.kind) ? access.key : 0, access.kind};
    }
    Id find_or_add(std::span<const Access> accesses);
    /// The set of these, in order and each of them once.
    Id intern_distinct(std::span<const Access> accesses);
    bool is(Id id, std::span<const Access> accesses) const;
    Id append(std::span<const Access> accesses, std::uint64_t hash);
    void grow();
    bool compare(Id a, Id b) const;

    std::vector<Access> pool_;
    Sequence<Set> sets_;
    Sequence<std::uint64_t> objects_;  // by set
    std::vector<Id> table_;            // by hash, open addressing; 0: free
    // Answers for the first few sets, a row for each: 0 unknown, 1 no, 2 yes.
    std::vector<std::uint8_t> known_;
    std::vector<Access> scratch_;
};

}  // namespace sim
