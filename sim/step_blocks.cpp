#include "sim/step_blocks.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

namespace sim {

FutureStep* StepBlocks::take(std::uint32_t count) {
    FutureStep*& free = free_[static_cast<unsigned>(std::countr_zero(count))];
    if (free != nullptr) {
        FutureStep* const block = free;
        std::memcpy(&free, block, sizeof free);
        return block;
    }
    constexpr std::size_t first_chunk = std::size_t{4} << 10, doublings = 8;
    const std::size_t bytes = count * sizeof(FutureStep);
    if (left_ < bytes) {
        left_ = std::max(bytes, first_chunk << std::min(chunks_.size(), doublings));
        chunks_.push_back(std::make_unique_for_overwrite<std::byte[]>(left_));
        next_ = chunks_.back().get();
    }
    left_ -= bytes;
    return reinterpret_cast<FutureStep*>(std::exchange(next_, next_ + bytes));
}

void StepBlocks::give_back(FutureStep* block, std::uint32_t count) {
    FutureStep*& free = free_[static_cast<unsigned>(std::countr_zero(count))];
    std::memcpy(static_cast<void*>(block), &free, sizeof free);
    free = block;
}

}  // namespace sim
