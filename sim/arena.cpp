#include "sim/arena.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <mutex>

#include "sim/assert.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size)                                                   \
    (static_cast<void>(address), static_cast<void>(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size)                                                 \
    (static_cast<void>(address), static_cast<void>(size))
#endif

namespace sim {
namespace {

// The newest arena of this thread, for the fault handler: a write fault is synchronous, so the
// thread is the right one.
thread_local Arena* newest_arena = nullptr;

/// Not instrumented: what the system puts on the signal stack may lie where the sanitizer remembers
/// the stack of a thread that has ended.
__attribute__((no_sanitize_address)) void handle_fault(int signal_number, siginfo_t* info,
                                                       void* /*context*/) {
    if (newest_arena != nullptr && newest_arena->on_write_fault(info->si_addr)) return;
    signal(signal_number, SIG_DFL);  // not ours: fault again, without us
}

void install_fault_handler() {
    static std::once_flag once;
    std::call_once(once, [] {
        struct sigaction action {};
        action.sa_sigaction = handle_fault;
        action.sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK;
        sigemptyset(&action.sa_mask);
        sigaction(SIGSEGV, &action, nullptr);
    });
}

/// A fault may strike on a fiber's small stack, or because that stack overflowed: the handler gets
/// a stack of its own.
void install_signal_stack() {
    constexpr std::size_t bytes = 64 << 10;
    thread_local std::unique_ptr<unsigned char[]> memory;
    if (memory != nullptr) return;
    stack_t current{};
    if (sigaltstack(nullptr, &current) == 0 && (current.ss_flags & SS_DISABLE) == 0) return;
    memory = std::make_unique<unsigned char[]>(bytes);
    stack_t stack{};
    stack.ss_sp = memory.get();
    stack.ss_size = bytes;
    sigaltstack(&stack, nullptr);
}

constexpr std::size_t round_up(std::size_t n, std::size_t to) {
    return (n + to - 1) / to * to;
}

}  // namespace

Arena::Arena(std::size_t reserve_bytes) : reserve_(round_up(reserve_bytes, page_size)) {
    void* memory = mmap(nullptr, reserve_, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    SIM_ASSERT(memory != MAP_FAILED);
    base_ = static_cast<unsigned char*>(memory);
    install_fault_handler();
    install_signal_stack();
    older_ = newest_arena;
    newest_arena = this;
}

Arena::~Arena() {
    for (Arena** at = &newest_arena; *at != nullptr; at = &(*at)->older_) {
        if (*at != this) continue;
        *at = older_;
        break;
    }
    ASAN_UNPOISON_MEMORY_REGION(base_, reserve_);
    munmap(base_, reserve_);
}

void* Arena::allocate(std::size_t bytes) {
    bytes = round_up(std::max<std::size_t>(bytes, 1), granule);
    const std::size_t size_class = bytes / granule;
    if (size_class < lists_used_ && free_lists_[size_class] != nullptr) {
        void* memory = free_lists_[size_class];
        ASAN_UNPOISON_MEMORY_REGION(memory, bytes);
        std::memcpy(&free_lists_[size_class], memory, sizeof(void*));
        return memory;
    }
    SIM_ASSERT(top_ + bytes <= reserve_);
    void* memory = base_ + top_;
    top_ += bytes;
    ASAN_UNPOISON_MEMORY_REGION(memory, bytes);
    return memory;
}

void Arena::deallocate(void* memory, std::size_t bytes) noexcept {
    if (memory == nullptr) return;
    bytes = round_up(std::max<std::size_t>(bytes, 1), granule);
    const std::size_t size_class = bytes / granule;
    if (size_class >= size_classes)
        return;  // large blocks are few: they come back with the end of the execution
    lists_used_ = std::max(lists_used_, size_class + 1);
    std::memcpy(memory, &free_lists_[size_class], sizeof(void*));
    free_lists_[size_class] = memory;
    ASAN_POISON_MEMORY_REGION(memory, bytes);
}

void Arena::snapshot() {
    SIM_ASSERT(pristine_ == nullptr);
    prepared_ = top_;
    top_ = round_up(top_, page_size);  // executions allocate on pages of their own
    frozen_ = top_;
    prepared_lists_ = free_lists_;
    pristine_ = std::make_unique<unsigned char[]>(frozen_);
    ASAN_UNPOISON_MEMORY_REGION(base_, frozen_);
    std::memcpy(pristine_.get(), base_, frozen_);
    hot_pages_.reserve(frozen_ / page_size);  // grows in the fault handler, which must not allocate
    mprotect(base_, frozen_, PROT_READ);
    if (frozen_ != 0) on_write_fault(base_);  // small programs have no other page: no fault at all
}

bool Arena::on_write_fault(void* address) {
    auto* const where = static_cast<unsigned char*>(address);
    if (pristine_ == nullptr || where < base_ || where >= base_ + frozen_)
        return older_ != nullptr && older_->on_write_fault(address);
    const std::size_t page = static_cast<std::size_t>(where - base_) / page_size;
    if (mprotect(base_ + page * page_size, page_size, PROT_READ | PROT_WRITE) != 0) return false;
    hot_pages_.push_back(static_cast<std::uint32_t>(page));
    return true;
}

void Arena::restore() {
    SIM_ASSERT(pristine_ != nullptr);
    ASAN_UNPOISON_MEMORY_REGION(base_, top_);
    top_ = frozen_;
    std::copy_n(prepared_lists_.begin(), lists_used_, free_lists_.begin());
    for (const std::uint32_t page : hot_pages_) {
        const std::size_t offset = std::size_t{page} * page_size;
        std::memcpy(base_ + offset, pristine_.get() + offset,
                    std::min(page_size, prepared_ - offset));
    }
}

}  // namespace sim
