#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace sim {

struct HeldLock;
struct Task;

/// Whether a task would have waited for the lock that it got.
enum class Attempt : std::uint8_t { Waits, Tries };

/// A kind of lock. One constant per kind; `index` is unique. Subclasses (levels of a tree, left and
/// right sibling) are numbered by the caller and added to the index, as lockdep's subclasses are:
/// index + subclass must not meet another class.
struct LockClass {
    const char* name;
    std::uint16_t index;
    std::uint16_t subclasses = 1;
};

inline constexpr unsigned max_lock_classes = 768;

/// Which class of lock was taken while which other was held, in one execution. A cycle is a finding
/// even where the execution did not deadlock (the kernel's lockdep). Read acquisitions count as
/// write acquisitions.
class Lockdep {
  public:
    void clear();
    /// Adds the edges from every lock that `task` holds to `cls`. A trylock adds none: who does not
    /// wait closes no cycle.
    /// @return empty, or the cycle that the newest edge closes, for people: "a -> b -> a"
    std::string acquire(const Task& task, const LockClass& cls, unsigned subclass, Attempt attempt);

    /// Names of all classes that were ever taken, in order of their index.
    std::vector<std::string> classes() const;

  private:
    /// Classes, one bit each.
    using Row = std::array<std::uint64_t, max_lock_classes / 64>;
    static bool has(const Row& row, unsigned to) { return ((row[to >> 6] >> (to & 63)) & 1) != 0; }
    static void set(Row& row, unsigned to) { row[to >> 6] |= std::uint64_t{1} << (to & 63); }

    bool may_close_cycle(unsigned from, unsigned to);
    bool was_path(unsigned from, unsigned to, Row& seen) const;
    bool find_path(unsigned from, unsigned to, std::vector<std::uint16_t>& path) const;
    std::string name(unsigned index) const;

    /// What was taken while a class was held. Most of the numbers are no class of this program.
    struct Held {
        Row edges{};      // in this execution
        Row all_edges{};  // of every execution so far: while these have no cycle, none has one
    };
    Held& held(unsigned cls) {
        if (place_[cls] == 0) add(cls);
        return held_[place_[cls]];
    }
    void add(unsigned cls);
    const Held& held(unsigned cls) const { return held_[place_[cls]]; }

    bool had_cycle_ = false;  // all edges have one
    std::array<const LockClass*, max_lock_classes> classes_{};
    std::array<std::uint16_t, max_lock_classes> place_{};  // in held_; 0: was never held
    std::vector<Held> held_{1};
    std::vector<std::uint16_t> with_edges_;  // classes, in this execution
};

}  // namespace sim
