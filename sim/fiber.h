#pragma once
#include <cstddef>
#include <memory>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#define SIM_FIBER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SIM_FIBER_ASAN 1
#endif
#endif

namespace sim {

/// A stack with a suspended computation on it. Boost.Context (fcontext: about 5.5 ns one way),
/// which nobody else knows.
///
/// Switching is symmetric: the running fiber names its successor. Stacks come from the pool and go
/// back to it.
class Fiber {
  public:
    using Entry = void (*)(void* argument);

    /// Puts a computation on the stack; it starts at the first switch to it and never returns from
    /// entry.
    void prepare(Entry entry, void* argument);

    /// Suspends `from` (the running fiber, or the thread's own context) and resumes `to`. In
    /// sim/fiber_switch.h.
    /// @param from_ends  `from` will never be resumed: sanitizers may drop its fake stack
    static inline void switch_to(Fiber& from, Fiber& to, bool from_ends = false);

    bool has_stack() const { return stack_ != nullptr; }

  private:
    friend class StackPool;
    friend struct FiberEntry;
    void* context_ = nullptr;
    unsigned char* stack_ = nullptr;  // lowest usable address; null for the thread's own context
    std::size_t stack_bytes_ = 0;
    Entry entry_ = nullptr;
    void* argument_ = nullptr;
#ifdef SIM_FIBER_ASAN
    void* fake_stack_ = nullptr;  // with the bounds that AddressSanitizer knows the stack by
    const void* sanitizer_bottom_ = nullptr;
    std::size_t sanitizer_size_ = 0;
#endif
};

/// Stacks of one simulation, mapped a few at a time. A fiber keeps its stack from execution to
/// execution. Debug builds put an inaccessible page below each.
class StackPool {
  public:
    StackPool() = default;
    ~StackPool();
    StackPool(const StackPool&) = delete;
    StackPool& operator=(const StackPool&) = delete;

    void attach(Fiber& fiber);

  private:
    std::vector<unsigned char*> mappings_;
    unsigned left_ = 0;  // stacks in the last one that nobody has
    std::size_t attached_ = 0;
};

}  // namespace sim
