#include "sim/containers.h"

#include "sim/scheduler.h"

namespace sim {

void* arena_allocate(std::size_t bytes) {
    Scheduler* const scheduler = current_or_null();
    return scheduler == nullptr ? ::operator new(bytes) : scheduler->arena().allocate(bytes);
}

void arena_deallocate(void* memory, std::size_t bytes) noexcept {
    Scheduler* const scheduler = current_or_null();
    if (scheduler == nullptr) {
        ::operator delete(memory);
    } else {
        scheduler->arena().deallocate(memory, bytes);
    }
}

}  // namespace sim
