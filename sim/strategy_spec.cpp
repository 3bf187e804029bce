#include <array>
#include <charconv>

#include "sim/assert.h"
#include "sim/profile.h"
#include "sim/strategies.h"

namespace sim {
namespace {

using Kind = StrategySpec::Kind;

struct Named {
    std::string_view name;
    Kind kind;
};
constexpr std::array plain{Named{"first", Kind::First},
                           Named{"random", Kind::Random},
                           Named{"walk", Kind::Walk},
                           Named{"pct", Kind::Pct},
                           Named{"pos", Kind::Pos},
                           Named{"timed", Kind::Timed},
                           Named{"portfolio", Kind::Portfolio}};

/// Each finds what another misses. Virtual time is not among them: it keeps to the likely orders.
constexpr std::array portfolio{StrategySpec{Kind::Random}, StrategySpec{Kind::Walk},
                               StrategySpec{Kind::Pos}, StrategySpec{Kind::Pct, 3}};

}  // namespace

std::optional<StrategySpec> StrategySpec::parse(std::string_view text) {
    for (const Named& named : plain)
        if (text == named.name) return StrategySpec{named.kind};
    if (!text.starts_with("pct:")) return std::nullopt;
    StrategySpec spec{Kind::Pct};
    const auto [end, error] =
        std::from_chars(text.data() + 4, text.data() + text.size(), spec.depth);
    const bool good = error == std::errc{} && end == text.data() + text.size() && spec.depth >= 1 &&
                      spec.depth <= 20;
    return good ? std::optional(spec) : std::nullopt;
}

std::string StrategySpec::name() const {
    if (kind == Kind::Pct) return "pct:" + std::to_string(depth);
    for (const Named& named : plain)
        if (kind == named.kind) return std::string(named.name);
    return "?";
}

StrategySpec StrategySpec::of_run(std::uint64_t run) const {
    return kind == Kind::Portfolio ? portfolio[run % portfolio.size()] : *this;
}

std::unique_ptr<Strategy> make_strategy(const StrategySpec& spec, std::uint64_t seed,
                                        const std::shared_ptr<const Profile>& profile) {
    switch (spec.kind) {
    case Kind::First:
        return make_default();
    case Kind::Random:
        return make_random(seed);
    case Kind::Walk:
        return make_walk(seed, profile);
    case Kind::Pct:
        return make_pct({seed, spec.depth, profile->tasks, profile->steps});
    case Kind::Pos:
        return make_pos(seed);
    case Kind::Timed:
        return make_timed(seed, spec.noise);
    case Kind::Portfolio:
        break;
    }
    SIM_ASSERT(spec.kind != Kind::Portfolio);
    return make_default();
}

}  // namespace sim
