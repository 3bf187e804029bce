#include "sim/access_chains.h"

#include <algorithm>

#include "sim/rng.h"
#include "tests/sim/support.h"

namespace access_chains_test {

namespace {

using sim::Access;
using sim::AccessKind;

/// Steps of four tasks with up to three accesses each, of three objects; two keys.
struct Steps {
    std::vector<std::vector<Access>> of;

    explicit Steps(std::uint64_t seed) {
        sim::Rng rng(seed);
        const std::uint64_t count = 10 + rng.below(30);
        for (std::uint64_t step = 0; step < count; ++step) {
            auto& accesses = of.emplace_back();
            for (std::uint64_t i = 0; i <= rng.below(3); ++i)
                accesses.push_back(random_access(rng));
        }
    }
    static Access random_access(sim::Rng& rng) {
        const auto kind = static_cast<AccessKind>(rng.below(10));
        const std::uint64_t object = sim::hash_mix(0, 1 + rng.below(3));
        return {object, sim::is_keyed(kind) ? rng.below(2) : 0, kind};
    }
    static std::uint32_t task_of(std::uint32_t step) { return step % 4; }
};

void put(sim::AccessChains& chains, const Steps& steps, std::uint32_t step) {
    for (const Access& access : steps.of[step])
        chains.put(chains.place_of(access.object), access, step, Steps::task_of(step));
}

/// By looking at all: a step once for each of its accesses that are no repetition.
std::vector<std::uint32_t> expected(const Steps& steps, std::uint32_t count, const Access& access) {
    std::vector<std::uint32_t> rivals;
    for (std::uint32_t step = count; step-- > 0;) {
        const auto& accesses = steps.of[step];
        for (std::size_t i = accesses.size(); i-- > 0;) {
            const auto repeats = [&](const Access& other) {
                return other.object == accesses[i].object && other.kind == accesses[i].kind &&
                       other.key == accesses[i].key;
            };
            const auto earlier = std::span(accesses).first(i);
            if (std::ranges::none_of(earlier, repeats) && sim::conflict(access, accesses[i]))
                rivals.push_back(step);
        }
    }
    return rivals;
}

std::vector<std::uint32_t> found(const sim::AccessChains& chains, const Access& access) {
    std::vector<std::uint32_t> rivals;
    chains.for_each_rival(access, [&](const sim::AccessChains::Node& node) {
        CHECK(node.task == Steps::task_of(node.event));
        rivals.push_back(node.event);
        return true;
    });
    return rivals;
}

TEST_CASE("an access finds those that it does not commute with, the latest first",
          "[sim][access_chains]") {
    for (std::uint64_t seed = 1; seed <= tests::sampled(200); ++seed) {
        INFO("seed " << seed);
        const Steps steps(seed);
        sim::AccessChains chains;
        std::vector<std::uint32_t> sizes;
        sim::Rng rng(seed ^ 0x1234);
        const auto count = static_cast<std::uint32_t>(steps.of.size());
        const auto look = [&](std::uint32_t end) {
            const Access access = Steps::random_access(rng);
            CHECK(found(chains, access) == expected(steps, end, access));
        };
        const auto go_on = [&](std::uint32_t from) {
            for (std::uint32_t step = from; step < count; ++step) {
                sizes.push_back(chains.size());
                put(chains, steps, step);
                look(step + 1);
            }
        };
        go_on(0);
        for (int i = 0; i < 5; ++i) {  // some are taken back, and come again
            const auto left = static_cast<std::uint32_t>(rng.below(count));
            chains.truncate(sizes[left]);
            sizes.resize(left);
            look(left);
            go_on(left);
        }
    }
}

TEST_CASE("accesses of many objects and keys keep their places", "[sim][access_chains]") {
    sim::AccessChains chains;
    constexpr std::uint32_t many = 5000;
    const auto access_of = [](std::uint32_t step) {
        const AccessKind kind = step % 2 == 0 ? AccessKind::Write : AccessKind::Insert;
        return Access{sim::hash_mix(0, 1 + step), step % 7, kind};
    };
    for (std::uint32_t step = 0; step < many; ++step) {
        const Access access = access_of(step);
        const std::uint32_t place = chains.place_of(access.object);
        REQUIRE(chains.put(place, access, step, Steps::task_of(step)));
        REQUIRE_FALSE(chains.put(place, access, step, Steps::task_of(step)));
        REQUIRE(chains.latest_at(place) == chains.size());
    }
    for (std::uint32_t step = 0; step < many; ++step)
        REQUIRE(found(chains, access_of(step)) == std::vector<std::uint32_t>{step});
    chains.truncate(many / 2);
    CHECK(found(chains, access_of(many - 1)).empty());
    CHECK(found(chains, access_of(many / 2 - 1)).size() == 1);
}

}  // namespace

}  // namespace access_chains_test
