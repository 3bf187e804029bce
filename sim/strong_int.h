#pragma once
#include <compare>
#include <cstdint>

namespace sim {

/// An integer with a type of its own: a Bytenr is no Transid. Arithmetic stays within the type.
template <class Tag, class Rep> class StrongInt {
  public:
    using rep = Rep;
    constexpr StrongInt() = default;
    constexpr explicit StrongInt(Rep value) : value_(value) {}
    constexpr Rep get() const { return value_; }

    constexpr auto operator<=>(const StrongInt&) const = default;
    constexpr StrongInt& operator+=(Rep n) {
        value_ = static_cast<Rep>(value_ + n);
        return *this;
    }
    constexpr StrongInt& operator++() { return *this += 1; }
    friend constexpr StrongInt operator+(StrongInt a, Rep n) {
        return StrongInt(static_cast<Rep>(a.value_ + n));
    }
    friend constexpr StrongInt operator-(StrongInt a, Rep n) {
        return StrongInt(static_cast<Rep>(a.value_ - n));
    }
    friend constexpr Rep operator-(StrongInt a, StrongInt b) {
        return static_cast<Rep>(a.value_ - b.value_);
    }

  private:
    Rep value_{};
};

}  // namespace sim
