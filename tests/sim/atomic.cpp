#include "sim/atomic.h"

#include "sim/refcount.h"
#include "tests/sim/support.h"

namespace atomic_test {

namespace {

using tests::explore_all;
using tests::final_values;
using tests::Values;

struct Words {
    sim::Atomic<std::uint64_t> word;
    sim::AtomicBits bits;
    sim::RefCount references{1};
    sim::RefCount two_references{2};
    std::uint64_t freed = 0, taken = 0;
};

std::uint64_t word_of(const Words& words) {
    return words.word.peek();
}

TEST_CASE("atomic operations are never lost", "[sim][atomic]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto count = [](Words& words) {
        words.word.inc();
        words.word.add_return(10);
    };
    CHECK(final_values(explore_all(tests::program<Words>(word_of, {count, count, count}), grain)) ==
          Values{33});
}

TEST_CASE("between a load and a store others may come", "[sim][atomic]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto increment = [](Words& words) { words.word.store(words.word.load() + 1); };
    CHECK(
        final_values(explore_all(tests::program<Words>(word_of, {increment, increment, increment}),
                                 grain)) == Values{1, 2, 3});
}

TEST_CASE("a compare-and-swap succeeds for one of those that expect the same", "[sim][atomic]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto claim = [](std::uint64_t name) {
        return [name](Words& words) {
            std::uint64_t expected = 0;
            if (words.word.compare_exchange(expected, name))
                ++words.taken;
            else if (expected == 0)
                sim::violation("wrong-answer", "it failed although the value was as expected");
        };
    };
    const auto digest = [](const Words& words) { return words.word.peek() * 10 + words.taken; };
    const auto report =
        explore_all(tests::program<Words>(digest, {claim(1), claim(2), claim(3)}), grain);
    CHECK(final_values(report) == Values{11, 21, 31});
    CHECK(report.failures.empty());
}

TEST_CASE("test_and_set tells one task that it was the first", "[sim][atomic]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto claim = [](Words& words) {
        if (!words.bits.test_and_set(3)) ++words.taken;
        words.bits.set_bit(5);
    };
    const auto digest = [](const Words& words) { return words.bits.peek() * 10 + words.taken; };
    CHECK(final_values(explore_all(tests::program<Words>(digest, {claim, claim}), grain)) ==
          Values{(8 + 32) * 10 + 1});
}

TEST_CASE("bits of one word do not depend on each other", "[sim][atomic][dpor]") {
    const auto [bit, classes] = GENERATE(table<unsigned, std::size_t>({{5, 1}, {3, 3}}));
    const auto setter = [](Words& words) { words.bits.set_bit(3); };
    const auto tester = [bit = bit](Words& words) {
        words.taken = words.bits.test(bit);
        words.taken += words.bits.test(bit);
    };
    const auto program =
        tests::program<Words>([](const Words& words) { return words.taken; }, {setter, tester});
    CHECK(tests::count_classes(program).complete == classes);
}

TEST_CASE("of a dirty flag no setting is lost when it is cleared by exchange", "[sim][atomic]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto setter = [](Words& words) { words.word.store(1); };
    const auto clearer = [](Words& words) { words.taken = words.word.exchange(0); };
    const auto digest = [](const Words& words) { return words.word.peek() + words.taken; };
    CHECK(final_values(explore_all(tests::program<Words>(digest, {setter, clearer}), grain)) ==
          Values{1});
}

TEST_CASE("exactly one task drops the last reference", "[sim][refcount]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto drop = [](Words& words) {
        if (words.two_references.dec_and_test()) ++words.freed;
    };
    const auto report = explore_all(
        tests::program<Words>([](const Words& words) { return words.freed; }, {drop, drop}), grain);
    CHECK(final_values(report) == Values{1});
    CHECK(report.failures.empty());
}

TEST_CASE("a reference that is taken only if the count is not zero never meets a freed object",
          "[sim][refcount]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto drop = [](Words& words) {
        if (words.references.dec_and_test()) ++words.freed;
    };
    const auto take = [](Words& words) {
        if (!words.references.inc_not_zero()) return;
        if (words.freed != 0)
            sim::violation("use-after-free", "the object was freed while it was taken");
        ++words.taken;
        if (words.references.dec_and_test()) ++words.freed;
    };
    const auto digest = [](const Words& words) { return words.freed * 10 + words.taken; };
    const auto report = explore_all(tests::program<Words>(digest, {drop, take, take}), grain);
    CHECK(report.failures.empty());
    CHECK(final_values(report) == Values{10, 11, 12});
}

TEST_CASE("taking a reference on what may be gone is a finding in just those executions",
          "[sim][refcount]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto drop = [](Words& words) { words.references.dec_and_test(); };
    const auto take = [](Words& words) {
        words.references.inc();
        words.references.dec_and_test();
    };
    const auto report =
        explore_all(tests::program<Words>([](const Words&) { return 0; }, {take, drop}), grain);
    REQUIRE(tests::signatures(report) == std::vector<std::string>{"refcount/increment-from-zero"});
    CHECK(report.failures[0].count < report.executions);
}

TEST_CASE("dropping a reference that nobody holds is a finding", "[sim][refcount]") {
    const auto grain = GENERATE(tests::both_grains());
    const auto drop = [](Words& words) { words.references.dec_and_test(); };
    const auto report =
        explore_all(tests::program<Words>([](const Words&) { return 0; }, {drop, drop}), grain);
    CHECK(tests::signatures(report) == std::vector<std::string>{"refcount/underflow"});
    CHECK(report.failures[0].count == report.executions);
}

}  // namespace

}  // namespace atomic_test
