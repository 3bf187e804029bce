#pragma once
#include <cstdint>

#include "sim/object.h"
#include "sim/primitive_classes.h"

namespace sim {

/// The kernel's atomic_t, atomic64_t and words accessed with READ_ONCE and WRITE_ONCE: seen by
/// others at once, at every access.
template <class T> class Atomic : public Object {
  public:
    explicit Atomic(T value = {}, std::uint64_t key = 0, const ObjectClass& cls = primitive::atomic)
        : Object(cls, key), value_(value) {}

    T load() const {
        read(0);
        return value_;
    }
    void store(T value) {
        write(static_cast<std::uint64_t>(value));
        value_ = value;
    }
    /// Adds without looking at the result (atomic_inc, atomic_add): commutes with other such
    /// additions.
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
    T fetch_or(T bits) {
        write(static_cast<std::uint64_t>(bits));
        const T old = value_;
        value_ = static_cast<T>(value_ | bits);
        return old;
    }
    T fetch_and(T bits) {
        write(static_cast<std::uint64_t>(bits));
        const T old = value_;
        value_ = static_cast<T>(value_ & bits);
        return old;
    }
    /// @return whether the value was `expected` and is `desired` now; otherwise `expected` holds
    /// what it was
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
    /// Changes the value without an access: where a lock or a count that is held already orders the
    /// change, and the caller records what others can notice.
    void poke(T value) { value_ = value; }

  private:
    T value_;
};

/// The kernel's test_bit, set_bit, clear_bit and their test_and_ forms on one word. Each bit is a
/// key of its own: who looks at one does not depend on who changes another.
class AtomicBits : public Atomic<std::uint64_t> {
  public:
    using Atomic::Atomic;
    bool test(unsigned bit) const {
        lookup(bit);
        return peek_bit(bit);
    }
    void set_bit(unsigned bit) { test_and_set(bit); }
    void clear_bit(unsigned bit) { test_and_clear(bit); }
    /// @return what the bit was
    bool test_and_set(unsigned bit) { return exchange_bit(bit, true); }
    bool test_and_clear(unsigned bit) { return exchange_bit(bit, false); }
    /// Looks without an access, as peek() does.
    bool peek_bit(unsigned bit) const { return ((peek() >> bit) & 1) != 0; }

  private:
    bool exchange_bit(unsigned bit, bool value) {
        insert(bit);
        const bool was_set = peek_bit(bit);
        const std::uint64_t mask = std::uint64_t{1} << bit;
        poke(value ? peek() | mask : peek() & ~mask);
        return was_set;
    }
};

}  // namespace sim
