#pragma once
#include <cstdint>

#include "sim/hash.h"

namespace sim {

/// Seeded generator (xoshiro256**, seeded by splitmix64) with its own distributions: the standard
/// library's differ between implementations, and a seed must mean the same everywhere.
class Rng {
  public:
    explicit Rng(std::uint64_t seed) {
        for (auto& word : state_) {
            seed += 0x9E3779B97F4A7C15ULL;
            std::uint64_t z = seed;
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
            word = z ^ (z >> 31);
        }
    }

    std::uint64_t next() {
        const std::uint64_t result = rotl(state_[1] * 5, 7) * 9;
        const std::uint64_t t = state_[1] << 17;
        state_[2] ^= state_[0];
        state_[3] ^= state_[1];
        state_[1] ^= state_[2];
        state_[0] ^= state_[3];
        state_[2] ^= t;
        state_[3] = rotl(state_[3], 45);
        return result;
    }

    /// Uniform in [0, bound), unbiased (Lemire's multiplication with rejection). @param bound at
    /// least 1
    std::uint64_t below(std::uint64_t bound) {
        for (;;) {
            const std::uint64_t x = next();
            const auto product = static_cast<Wide>(x) * bound;
            const auto low = static_cast<std::uint64_t>(product);
            if (low >= bound || low >= (0 - bound) % bound)
                return static_cast<std::uint64_t>(product >> 64);
        }
    }

  private:
    __extension__ using Wide = unsigned __int128;
    static std::uint64_t rotl(std::uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }
    std::uint64_t state_[4]{};
};

}  // namespace sim
