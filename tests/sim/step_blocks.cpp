#include "sim/step_blocks.h"

#include <catch2/catch.hpp>
#include <vector>

#include "sim/rng.h"

namespace step_blocks_test {
namespace {

/// A block that is in use, and what each of its steps was set to.
struct Block {
    sim::FutureStep* steps;
    std::uint32_t count;
    std::uint64_t number;

    void fill() const {
        for (std::uint32_t i = 0; i < count; ++i)
            steps[i] = {.path = number + i, .accesses = i};
    }
    bool is_untouched() const {
        for (std::uint32_t i = 0; i < count; ++i)
            if (steps[i].path != number + i || steps[i].accesses != i) return false;
        return true;
    }
};

TEST_CASE("blocks of steps that are in use share no memory", "[sim][step_blocks]") {
    sim::StepBlocks memory;
    sim::Rng rng(1);
    std::vector<Block> blocks;
    for (std::uint64_t i = 0; i < 20'000; ++i) {
        if (!blocks.empty() && rng.below(5) < 2) {
            std::swap(blocks[rng.below(blocks.size())], blocks.back());
            REQUIRE(blocks.back().is_untouched());
            memory.give_back(blocks.back().steps, blocks.back().count);
            blocks.pop_back();
        } else {
            const std::uint32_t count = 2U << rng.below(8);
            blocks.push_back({memory.take(count), count, i << 32});
            blocks.back().fill();
        }
    }
    for (const Block& block : blocks)
        REQUIRE(block.is_untouched());
}

TEST_CASE("a block that was given back is the next of its size", "[sim][step_blocks]") {
    sim::StepBlocks memory;
    sim::FutureStep* const one = memory.take(4);
    sim::FutureStep* const other = memory.take(4);
    CHECK(one != other);
    memory.give_back(one, 4);
    memory.give_back(other, 4);
    CHECK(memory.take(8) != one);
    CHECK(memory.take(4) == other);
    CHECK(memory.take(4) == one);
}

TEST_CASE("a block may be larger than what is asked for at once", "[sim][step_blocks]") {
    sim::StepBlocks memory;
    memory.take(2);
    const Block block{memory.take(1U << 17), 1U << 17, 7};
    block.fill();
    const Block small{memory.take(2), 2, 9};
    small.fill();
    CHECK(block.is_untouched());
}

}  // namespace
}  // namespace step_blocks_test
