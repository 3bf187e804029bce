#pragma once
#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <initializer_list>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace sim {

/// Plain records that are appended at the end, and taken back there: what an execution leaves step
/// by step, and a search looks at. It keeps its memory.
///
/// Used where std::vector shows in a step's time: a record is written in place wherever the
/// appending is part of its caller, and how many there are is a number, no division.
template <class T> class Sequence {
    static_assert(std::is_trivially_copyable_v<T>);

  public:
    Sequence() = default;
    Sequence(std::initializer_list<T> records) {
        for (const T& record : records)
            append(record);
    }
    ~Sequence() { std::free(records_); }
    Sequence(const Sequence& other) { *this = other; }
    Sequence(Sequence&& other) noexcept { swap(other); }
    Sequence& operator=(const Sequence& other) {
        if (this == &other) return *this;
        size_ = 0;
        reserve(other.size_);
        size_ = other.size_;
        std::uninitialized_copy_n(other.records_, size_, records_);
        return *this;
    }
    Sequence& operator=(Sequence&& other) noexcept {
        swap(other);
        return *this;
    }

    /// A record with its type's first values. It holds until the next one is appended.
    [[gnu::always_inline]] T& append() {
        if (size_ == capacity_) [[unlikely]]
            grow(size_ + 1);
        return *new (records_ + size_++) T{};
    }
    [[gnu::always_inline]] void append(T record) {
        if (size_ == capacity_) [[unlikely]]
            grow(size_ + 1);
        new (records_ + size_++) T(record);
    }
    void pop_back() { --size_; }
    /// Takes back all but the first `count`.
    void truncate(std::uint32_t count) { size_ = count; }
    void clear() { size_ = 0; }
    void reserve(std::uint32_t count) {
        if (count > capacity_) grow(count);
    }

    std::uint32_t size() const { return size_; }
    bool empty() const { return size_ == 0; }
    T& operator[](std::size_t i) { return records_[i]; }
    const T& operator[](std::size_t i) const { return records_[i]; }
    T& back() { return records_[size_ - 1]; }
    const T& back() const { return records_[size_ - 1]; }
    T* data() { return records_; }
    const T* data() const { return records_; }
    T* begin() { return records_; }
    T* end() { return records_ + size_; }
    const T* begin() const { return records_; }
    const T* end() const { return records_ + size_; }

  private:
    [[gnu::noinline, gnu::cold]] void grow(std::uint32_t needed) {
        constexpr std::uint32_t least = std::max<std::uint32_t>(1, 48 / sizeof(T));
        const std::uint32_t capacity = std::max(std::bit_ceil(needed), least);
        void* const memory = std::realloc(static_cast<void*>(records_), capacity * sizeof(T));
        if (memory == nullptr) throw std::bad_alloc();
        records_ = static_cast<T*>(memory);
        capacity_ = capacity;
    }
    void swap(Sequence& other) noexcept {
        std::swap(records_, other.records_);
        std::swap(size_, other.size_);
        std::swap(capacity_, other.capacity_);
    }

    T* records_ = nullptr;
    std::uint32_t size_ = 0, capacity_ = 0;
};

}  // namespace sim
