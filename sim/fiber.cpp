#include "sim/fiber.h"

#include <sys/mman.h>

#include "sim/assert.h"
#include "sim/fiber_switch.h"

#ifdef SIM_FIBER_ASAN
#include <sanitizer/asan_interface.h>
#endif

namespace sim {

namespace {
#ifdef SIM_FIBER_ASAN
constexpr std::size_t stack_bytes = 256 << 10;  // instrumented frames are larger
#else
constexpr std::size_t stack_bytes = 64 << 10;
#endif
#ifdef NDEBUG
constexpr std::size_t guard_bytes = 0;
#else
constexpr std::size_t guard_bytes = 4096;  // one page
#endif

constexpr std::size_t stacks_at_once = 16;

/// Stacks begin at different places of a page: else all of them would share the few lines of the
/// processor's first cache that their upper ends fall on.
constexpr std::size_t cache_offset(std::size_t stack) {
    constexpr std::size_t page = 4096, line = 64, lines_apart = 39;  // odd, near the golden section
    return stack * lines_apart * line % page;
}
}  // namespace

void Fiber::prepare(Entry entry, void* argument) {
    entry_ = entry;
    argument_ = argument;
#ifdef SIM_FIBER_ASAN
    fake_stack_ = nullptr;
    sanitizer_bottom_ = stack_;
    sanitizer_size_ = stack_bytes_;
    ASAN_UNPOISON_MEMORY_REGION(
        stack_, stack_bytes_);  // frames of the last computation there never returned
#endif
    context_ = boost::context::detail::make_fcontext(stack_ + stack_bytes_, stack_bytes_,
                                                     FiberEntry::main);
}

StackPool::~StackPool() {
    for (unsigned char* mapping : mappings_)
        munmap(mapping, stacks_at_once * (guard_bytes + stack_bytes));
}

void StackPool::attach(Fiber& fiber) {
    if (fiber.stack_ != nullptr) return;
    if (left_ == 0) {
        void* const memory =
            mmap(nullptr, stacks_at_once * (guard_bytes + stack_bytes), PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
        SIM_ASSERT(memory != MAP_FAILED);
        mappings_.push_back(static_cast<unsigned char*>(memory));
        left_ = stacks_at_once;
    }
    unsigned char* const lowest = mappings_.back() + --left_ * (guard_bytes + stack_bytes);
    if (guard_bytes != 0) mprotect(lowest, guard_bytes, PROT_NONE);
    fiber.stack_ = lowest + guard_bytes;
    fiber.stack_bytes_ = stack_bytes - cache_offset(attached_++);
}

}  // namespace sim
