#pragma once
#include <bit>
#include <cstdint>
#include <string_view>

namespace sim {

/// Mixes one 64-bit value into a running hash. Two multiplications: cheap enough for every access
/// of every step.
constexpr std::uint64_t hash_mix(std::uint64_t seed, std::uint64_t value) {
    std::uint64_t x = (std::rotl(seed, 25) ^ value) + 0x9E3779B97F4A7C15ULL;  // not symmetric
    x *= 0xBF58476D1CE4E5B9ULL;
    x ^= x >> 32;
    x *= 0xD6E8FEB86659FD93ULL;
    return x ^ (x >> 29);
}

/// Hash of a name (FNV-1a, then mixed). The same on every machine and compiler.
constexpr std::uint64_t hash_text(std::string_view text) {
    std::uint64_t h = 0xCBF29CE484222325ULL;
    for (const char c : text)
        h = (h ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
    return hash_mix(h, text.size());
}

}  // namespace sim
