#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace sim {

struct Task;

/// A kind of lock. One constant per kind; `index` is unique. Subclasses (levels of a tree, left and right sibling) are
/// numbered by the caller and added to the index, as lockdep's subclasses are: index + subclass must not meet another class.
struct LockClass {
    const char* name;
    std::uint16_t index;
    std::uint16_t subclasses = 1;
};

inline constexpr unsigned max_lock_classes = 512;

/// Which class of lock was taken while which other was held, in one execution. A cycle is a finding even where the
/// execution did not deadlock (the kernel's lockdep). Read acquisitions count as write acquisitions.
class Lockdep {
  public:
    void clear();
    /// Adds the edges from every held lock to `taken`.
    /// @return empty, or the cycle that the newest edge closes, for people: "a -> b -> a"
    std::string acquire(const Task& task, std::uint16_t taken);
    static void name_class(const LockClass& cls);

  private:
    bool has_edge(unsigned from, unsigned to) const { return (edges_[from][to >> 6] >> (to & 63)) & 1; }
    bool find_path(unsigned from, unsigned to, std::vector<std::uint16_t>& path) const;

    std::array<std::array<std::uint64_t, max_lock_classes / 64>, max_lock_classes> edges_{};
    std::vector<std::uint16_t> used_;
    std::array<bool, max_lock_classes> in_used_{};
};

}  // namespace sim
