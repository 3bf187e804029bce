#pragma once
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <new>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace sim {

/// Memory of the simulation that runs on this thread: its arena, or the heap when none is running.
void* arena_allocate(std::size_t bytes);
void arena_deallocate(void* memory, std::size_t bytes) noexcept;

/// Standard allocator over arena_allocate(). All model state that outlives a function uses it,
/// through the aliases below.
template <class T> struct ArenaAllocator {
    using value_type = T;
    ArenaAllocator() = default;
    // NOLINTNEXTLINE(google-explicit-constructor): allocators convert
    template <class U> ArenaAllocator(const ArenaAllocator<U>&) {}
    T* allocate(std::size_t n) { return static_cast<T*>(arena_allocate(n * sizeof(T))); }
    void deallocate(T* memory, std::size_t n) noexcept { arena_deallocate(memory, n * sizeof(T)); }
    friend bool operator==(const ArenaAllocator&, const ArenaAllocator&) { return true; }
};

// Ordered containers only: iteration order must not depend on addresses or hash seeds.
template <class T> using Vector = std::vector<T, ArenaAllocator<T>>;
template <class T> using Deque = std::deque<T, ArenaAllocator<T>>;
template <class K, class V>
using Map = std::map<K, V, std::less<K>, ArenaAllocator<std::pair<const K, V>>>;
template <class K, class V>
using Multimap = std::multimap<K, V, std::less<K>, ArenaAllocator<std::pair<const K, V>>>;
template <class K> using Set = std::set<K, std::less<K>, ArenaAllocator<K>>;
using String = std::basic_string<char, std::char_traits<char>, ArenaAllocator<char>>;

/// Creates an object in the arena. Freed by destroy(), or with the execution.
template <class T, class... Args> T* make(Args&&... args) {
    return new (arena_allocate(sizeof(T))) T(std::forward<Args>(args)...);
}
template <class T> void destroy(T* object) noexcept {
    if (object == nullptr) return;
    object->~T();
    arena_deallocate(object, sizeof(T));
}

}  // namespace sim
