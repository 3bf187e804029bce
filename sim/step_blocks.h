#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "sim/future_step.h"

namespace sim {

/// Memory for steps that lie side by side, by powers of two. What is given back is handed out
/// again. It is asked for in large chunks: malloc has the heap of a thread grow page by page, each
/// by a call of the system, and a search takes tens of megabytes for a few steps at a time.
class StepBlocks {
  public:
    /// Room for `count` steps, a power of two. They are not set.
    FutureStep* take(std::uint32_t count);
    void give_back(FutureStep* block, std::uint32_t count);

  private:
    std::vector<std::unique_ptr<std::byte[]>> chunks_;
    std::byte* next_ = nullptr;           // in the last one
    std::size_t left_ = 0;                // bytes there
    std::array<FutureStep*, 32> free_{};  // by the power; each begins with where the next one is
};

}  // namespace sim
