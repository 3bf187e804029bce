#include "sim/sequence.h"

#include <algorithm>
#include <utility>

#include "tests/sim/support.h"

namespace sequence_test {
namespace {

using Numbers = sim::Sequence<std::uint64_t>;

Numbers up_to(std::uint64_t count) {
    Numbers numbers;
    for (std::uint64_t i = 0; i < count; ++i)
        numbers.append(i);
    return numbers;
}

bool counts_up_to(const Numbers& numbers, std::uint64_t count) {
    std::uint64_t next = 0;
    for (const std::uint64_t number : numbers)
        if (number != next++) return false;
    return next == count && numbers.size() == count;
}

TEST_CASE("a sequence keeps its records while it grows", "[sim][sequence]") {
    Numbers numbers;
    CHECK(numbers.empty());
    for (std::uint64_t i = 0; i < 1000; ++i) {
        numbers.append() = i;
        REQUIRE(counts_up_to(numbers, i + 1));
        REQUIRE(numbers.back() == i);
    }
}

TEST_CASE("a sequence appends a record of its own", "[sim][sequence]") {
    Numbers numbers{7};
    while (numbers.size() < 100)
        numbers.append(numbers[0]);  // it moves when there is no more room
    CHECK(std::count(numbers.begin(), numbers.end(), 7) == 100);
}

TEST_CASE("a new record has its type's first values, whatever was there before",
          "[sim][sequence]") {
    struct Pair {
        std::uint32_t one = 1;
        std::uint64_t two = 2;
    };
    sim::Sequence<Pair> pairs;
    pairs.append({5, 6});
    pairs.pop_back();
    CHECK(pairs.append().one == 1);
    CHECK(pairs.back().two == 2);
}

TEST_CASE("the last records of a sequence are taken back", "[sim][sequence]") {
    Numbers numbers = up_to(20);
    numbers.truncate(10);
    CHECK(counts_up_to(numbers, 10));
    numbers.pop_back();
    CHECK(counts_up_to(numbers, 9));
    numbers.append(9);
    CHECK(counts_up_to(numbers, 10));
    numbers.clear();
    CHECK(counts_up_to(numbers, 0));
}

TEST_CASE("a copy of a sequence is another one", "[sim][sequence]") {
    Numbers numbers = up_to(20);
    Numbers copy = numbers;
    copy.append(20);
    CHECK(counts_up_to(copy, 21));
    CHECK(counts_up_to(numbers, 20));
    copy = numbers;
    CHECK(counts_up_to(copy, 20));
    const Numbers& same = copy;
    copy = same;
    CHECK(counts_up_to(copy, 20));
    copy = Numbers{};
    CHECK(copy.empty());
    copy = std::move(numbers);
    CHECK(counts_up_to(copy, 20));
}

}  // namespace
}  // namespace sequence_test
