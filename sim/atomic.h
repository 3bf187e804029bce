#pragma once
#include <cstdint>

#include "sim/object.h"

namespace sim {

extern const ObjectClass atomic_class;

/// The kernel's atomic_t, atomic64_t and words accessed with READ_ONCE and WRITE_ONCE: seen by others at once, at every access.
template <class T>
class Atomic : public Object {
  public:
    explicit Atomic(T value = {}, std::uint64_t key = 0, const ObjectClass& cls = atomic_class)
        : Object(cls, key), value_(value) {}

    T load() const {
        read(0);
        return value_;
    }
    void store(T value) {
        write(static_cast<std::uint64_t>(value));
        value_ = value;
    }
    /// Adds without looking at the result (atomic_inc, atomic_add): commutes with other such additions.
    void inc(T amount = 1) {
        add(static_cast<std::uint64_t>(amount));
        value_ = static_cast<T>(value_ + amount);
    }
    void dec(T amount = 1) { inc(static_cast<T>(T{} - amount)); }
    T add_return(T amount) {
        write(static_cast<std::uint64_t>(amount));
        return value_ = static_cast<T>(value_ + amount);
    }
    bool dec_and_test() { return add_return(static_cast<T>(T{} - 1)) == T{}; }
    T exchange(T value) {
        write(static_cast<std::uint64_t>(value));
        const T old = value_;
        value_ = value;
        return old;
    }
    /// @return whether the value was `expected` and is `desired` now; otherwise `expected` holds what it was
    bool compare_exchange(T& expected, T desired) {
        write(static_cast<std::uint64_t>(desired));
        if (value_ != expected) {
            expected = value_;
            return false;
        }
        value_ = desired;
        return true;
    }
    /// Looks without an access: for checks and reports, never for the model's own decisions.
    T peek() const { return value_; }

  private:
    T value_;
};

/// The kernel's test_bit, set_bit, clear_bit and their test_and_ forms on one word.
class AtomicBits : public Atomic<std::uint64_t> {
  public:
    using Atomic::Atomic;
    bool test(unsigned bit) const { return ((load() >> bit) & 1) != 0; }
    void set_bit(unsigned bit) { store_bits(peek() | (std::uint64_t{1} << bit)); }
    void clear_bit(unsigned bit) { store_bits(peek() & ~(std::uint64_t{1} << bit)); }
    bool test_and_set(unsigned bit);
    bool test_and_clear(unsigned bit);

  private:
    void store_bits(std::uint64_t bits) { exchange(bits); }
};

}  // namespace sim
