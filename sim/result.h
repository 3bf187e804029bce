#pragma once
#include <utility>
#include <variant>

#include "sim/assert.h"

namespace sim {

/// A value, or the error that stands in its place. The kernel's `int ret` with a type.
template <class T, class E> class [[nodiscard]] Result {
  public:
    // NOLINTNEXTLINE(google-explicit-constructor): a value stands for its success
    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    // NOLINTNEXTLINE(google-explicit-constructor)
    Result(E error) : state_(std::in_place_index<1>, std::move(error)) {}

    bool ok() const { return state_.index() == 0; }
    explicit operator bool() const { return ok(); }

    T& value() {
        SIM_ASSERT(ok());
        return *std::get_if<0>(&state_);
    }
    const T& value() const {
        SIM_ASSERT(ok());
        return *std::get_if<0>(&state_);
    }
    const E& error() const {
        SIM_ASSERT(!ok());
        return *std::get_if<1>(&state_);
    }
    T& operator*() { return value(); }
    const T& operator*() const { return value(); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }

  private:
    std::variant<T, E> state_;
};

/// Success without a value, or an error.
template <class E> class [[nodiscard]] Result<void, E> {
  public:
    Result() = default;
    // NOLINTNEXTLINE(google-explicit-constructor)
    Result(E error) : error_(std::move(error)), failed_(true) {}

    bool ok() const { return !failed_; }
    explicit operator bool() const { return ok(); }
    const E& error() const {
        SIM_ASSERT(failed_);
        return error_;
    }

  private:
    E error_{};
    bool failed_ = false;
};

}  // namespace sim
