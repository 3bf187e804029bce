#pragma once
#include <cstdint>
#include <vector>

#include "sim/fingerprint.h"

namespace sim {

/// Happens-before prefixes that a bounded search has been at, with the least deviations it had used
/// there (soundness: a reduction that a bound does not spoil). Fixed in size and lossy: forgetting
/// an entry costs time only.
class PrefixCache {
  public:
    /// @param entries  rounded up to a power of two; 0: no cache
    explicit PrefixCache(std::size_t entries);
    bool enabled() const { return !table_.empty(); }
    void clear() { ++generation_; }
    /// Notes a visit. @return whether an equivalent prefix was visited before with no more
    /// deviations
    bool visited(const Digest& prefix, std::uint32_t deviations);

  private:
    struct Entry {
        Digest prefix;
        std::uint32_t generation = 0;
        std::uint32_t deviations = 0;
    };
    std::vector<Entry> table_;
    std::uint32_t generation_ = 1;
};

}  // namespace sim
