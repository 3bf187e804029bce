#pragma once
#include <cstdint>
#include <vector>

#include "sim/access_sets.h"
#include "sim/sequence.h"

namespace sim {

/// The accesses of an execution's steps, object by object, and those that a further one does not
/// commute with, the latest first. Accesses that all commute with it are passed over in one go, and
/// those of other keys are not looked at. The last ones can be taken back.
///
/// An access is called by its number plus 1; 0 is none.
class AccessChains {
    /// Kinds that commute with each other, with all or with those of other keys.
    enum class Family : std::uint8_t { Shared, Add, Keyed, None };

  public:
    struct Node {
        std::uint32_t event = 0;   // the step
        std::uint32_t before = 0;  // the object's access before
        std::uint64_t key = 0;
        AccessKind kind = AccessKind::Read;
        Family family = Family::None;
        std::uint32_t task = 0;      // whose step it is
        std::uint32_t place = 0;     // of its object
        std::uint32_t other = 0;     // the last one before it that is of another family
        std::uint32_t same_key = 0;  // the last one before it with its key
        std::uint32_t insert = 0;    // it, or the last one before it with its key that inserts
    };

    std::uint32_t size() const { return nodes_.size(); }
    const Node& operator[](std::uint32_t access) const { return nodes_[access - 1]; }
    std::uint64_t object_of(const Node& node) const { return heads_[node.place].name; }
    /// Where an object's accesses begin. A place holds until the next one is asked for.
    std::uint32_t place_of(std::uint64_t object) {
        if ((heads_used_ + 2) * 2 > heads_.size()) grow();  // room for a key, too
        return name(object);
    }
    std::uint32_t latest_at(std::uint32_t place) const { return heads_[place].latest; }
    /// Adds an access of a step to those of its object. @return whether the step had no such one
    [[gnu::hot]] bool put(std::uint32_t place, const Access& access, std::uint32_t event,
                          std::uint32_t task);
    /// Forgets all but the first `count`.
    void truncate(std::uint32_t count);

    /// Visits the accesses that do not commute with this one, the latest first, until one returns
    /// false.
    /// @return whether all were visited
    template <class Visit> bool for_each_rival(const Access& access, Visit&& visit) const {
        return visit_from(access, latest_of(access.object), latest_of_key(access), visit);
    }
    template <class Visit>
    bool for_each_rival_at(std::uint32_t place, const Access& access, Visit&& visit) const {
        return visit_from(access, heads_[place].latest, latest_of_key(access), visit);
    }
    /// The same for an access that is of no key. Additions have passed over each other.
    template <class Visit>
    [[gnu::always_inline]] bool for_each_unkeyed_rival_at(std::uint32_t place, AccessKind kind,
                                                          Visit&& visit) const {
        const unsigned beside = families_beside(kind);
        for (std::uint32_t at = pass_over(beside, heads_[place].latest); at != 0;) {
            const Node& node = nodes_[at - 1];
            const bool rival = !is_shared(kind) || !is_shared(node.kind);
            if (rival && !visit(node)) return false;
            at = pass_over(beside, node.before);
        }
        return true;
    }
    /// The same of those before an access.
    template <class Visit> bool for_each_rival_before(const Node& node, Visit&& visit) const {
        return visit_from({object_of(node), node.key, node.kind}, node.before, node.same_key,
                          visit);
    }
    /// The last access up to this one that may keep out a shared holding.
    std::uint32_t not_shared(std::uint32_t access) const {
        return pass_over(families_beside(AccessKind::AcquireShared), access);
    }

  private:
    struct Head {
        std::uint64_t name = 0;    // an object's identity, or a hash of that and a key
        std::uint32_t latest = 0;  // 0: none
    };

    static Family family_of(AccessKind kind) {
        if (kind == AccessKind::Add) return Family::Add;
        if (is_keyed(kind)) return Family::Keyed;
        return is_shared(kind) ? Family::Shared : Family::None;
    }
    /// A bit for each family that none of is a rival, but for those of the same key.
    static unsigned families_beside(AccessKind kind) {
        const auto bit = [](bool commutes, Family family) {
            return unsigned{commutes} << static_cast<unsigned>(family);
        };
        return bit(is_shared(kind), Family::Shared) | bit(kind == AccessKind::Add, Family::Add) |
               bit(is_keyed(kind), Family::Keyed);
    }
    static std::uint64_t key_name(const Access& access) {
        return hash_mix(access.object, ~access.key);
    }
    std::uint32_t pass_over(unsigned families, std::uint32_t at) const {
        while (at != 0 && ((families >> static_cast<unsigned>(nodes_[at - 1].family)) & 1U) != 0)
            at = nodes_[at - 1].other;
        return at;
    }
    /// Two chains, merged: the object's, and of that the one of the key.
    template <class Visit>
    bool visit_from(const Access& access, std::uint32_t at, std::uint32_t same_key,
                    Visit&& visit) const {
        const bool looks_up = access.kind == AccessKind::Lookup;
        const unsigned beside = families_beside(access.kind);
        for (;;) {
            at = pass_over(beside, at);
            if (looks_up && same_key != 0) same_key = nodes_[same_key - 1].insert;
            const bool by_key = same_key > at;
            const std::uint32_t next = by_key ? same_key : at;
            if (next == 0) return true;
            const Node& node = nodes_[next - 1];
            (by_key ? same_key : at) = by_key ? node.same_key : node.before;
            const bool rival = by_key || conflict(access, {access.object, node.key, node.kind});
            if (rival && !visit(node)) return false;
        }
    }
    /// Where a name is, or would be.
    std::uint32_t find(std::uint64_t name) const {
        const std::size_t mask = heads_.size() - 1;
        std::size_t at = name & mask;  // names are hashes
        while (heads_[at].name != name && heads_[at].name != 0)
            at = (at + 1) & mask;
        return static_cast<std::uint32_t>(at);
    }
    std::uint32_t latest_of(std::uint64_t name) const {
        return heads_.empty() ? 0 : heads_[find(name)].latest;
    }
    std::uint32_t latest_of_key(const Access& access) const {
        return is_keyed(access.kind) ? latest_of(key_name(access)) : 0;
    }
    std::uint32_t name(std::uint64_t name) {
        const std::uint32_t at = find(name);
        if (heads_[at].name == 0) ++heads_used_;
        heads_[at].name = name;
        return at;
    }
    void grow();

    Sequence<Node> nodes_;
    std::vector<Head> heads_;  // open addressing
    std::size_t heads_used_ = 0;
};

}  // namespace sim
