#pragma once
#include <bit>
#include <cstdint>

namespace sim {

/// Tasks alive at one time in one execution. Slots are reused; names are not.
inline constexpr unsigned max_tasks = 128;

/// A set of task slots, in two words.
class TaskSet {
  public:
    constexpr void set(unsigned slot) { words_[slot >> 6] |= bit(slot); }
    constexpr void reset(unsigned slot) { words_[slot >> 6] &= ~bit(slot); }
    constexpr bool test(unsigned slot) const { return (words_[slot >> 6] & bit(slot)) != 0; }
    constexpr bool empty() const { return (words_[0] | words_[1]) == 0; }
    constexpr unsigned count() const {
        return static_cast<unsigned>(std::popcount(words_[0]) + std::popcount(words_[1]));
    }
    constexpr bool single() const {
        if (words_[1] == 0) return words_[0] != 0 && (words_[0] & (words_[0] - 1)) == 0;
        return words_[0] == 0 && (words_[1] & (words_[1] - 1)) == 0;
    }
    /// The lowest slot; undefined when empty.
    constexpr unsigned first() const {
        return static_cast<unsigned>(words_[0] != 0 ? std::countr_zero(words_[0])
                                                    : 64 + std::countr_zero(words_[1]));
    }
    template <class F> constexpr void for_each(F&& visit) const {
        for (unsigned w = 0; w < 2; ++w)
            for (std::uint64_t left = words_[w]; left != 0; left &= left - 1)
                visit(w * 64 + static_cast<unsigned>(std::countr_zero(left)));
    }
    constexpr TaskSet& operator|=(const TaskSet& o) {
        words_[0] |= o.words_[0];
        words_[1] |= o.words_[1];
        return *this;
    }
    constexpr TaskSet& remove(const TaskSet& o) {
        words_[0] &= ~o.words_[0];
        words_[1] &= ~o.words_[1];
        return *this;
    }
    friend constexpr TaskSet operator&(const TaskSet& a, const TaskSet& b) {
        TaskSet both;
        both.words_[0] = a.words_[0] & b.words_[0];
        both.words_[1] = a.words_[1] & b.words_[1];
        return both;
    }
    friend constexpr bool operator==(const TaskSet&, const TaskSet&) = default;

  private:
    static constexpr std::uint64_t bit(unsigned slot) { return std::uint64_t{1} << (slot & 63); }
    std::uint64_t words_[2]{};
};

}  // namespace sim
