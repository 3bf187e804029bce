#include "sim/fiber.h"

#include <sys/mman.h>

#include <boost/context/detail/fcontext.hpp>

#include "sim/assert.h"

#if defined(__SANITIZE_ADDRESS__)
#define SIM_FIBER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SIM_FIBER_ASAN 1
#endif
#endif
#ifdef SIM_FIBER_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

namespace sim {

namespace context = boost::context::detail;

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

/// What travels with a switch.
struct Passage {
    Fiber* leaver;
    Fiber* arriver;
};
}  // namespace

struct FiberEntry {
    static void arrive(context::transfer_t transfer) {
        const Passage passage = *static_cast<Passage*>(transfer.data);
        passage.leaver->context_ = transfer.fctx;
#ifdef SIM_FIBER_ASAN
        const void* bottom = nullptr;
        std::size_t size = 0;
        __sanitizer_finish_switch_fiber(passage.arriver->fake_stack_, &bottom, &size);
        passage.leaver->sanitizer_bottom_ =
            bottom;  // the thread's own stack has no other way to be known
        passage.leaver->sanitizer_size_ = size;
#endif
    }
    static void main(context::transfer_t transfer) {
        Fiber& self = *static_cast<Passage*>(transfer.data)->arriver;
        arrive(transfer);
        self.entry_(self.argument_);
        assertion_failed("a fiber's entry returned", __FILE__, __LINE__);
    }
};

void Fiber::prepare(Entry entry, void* argument) {
    entry_ = entry;
    argument_ = argument;
    fake_stack_ = nullptr;
    sanitizer_bottom_ = stack_;
    sanitizer_size_ = stack_bytes_;
#ifdef SIM_FIBER_ASAN
    ASAN_UNPOISON_MEMORY_REGION(
        stack_, stack_bytes_);  // frames of the last computation there never returned
#endif
    context_ = context::make_fcontext(stack_ + stack_bytes_, stack_bytes_, FiberEntry::main);
}

void Fiber::switch_to(Fiber& from, Fiber& to, [[maybe_unused]] bool from_ends) {
    Passage passage{&from, &to};
#ifdef SIM_FIBER_ASAN
    __sanitizer_start_switch_fiber(from_ends ? nullptr : &from.fake_stack_, to.sanitizer_bottom_,
                                   to.sanitizer_size_);
#endif
    FiberEntry::arrive(context::jump_fcontext(to.context_, &passage));
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
    fiber.stack_bytes_ = stack_bytes;
}

}  // namespace sim
