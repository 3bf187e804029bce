#include "app/scenario/scenario.h"

#include "app/scenario/words.h"
#include "sim/hash.h"

namespace app::scenario {

std::uint64_t ContentHash::digest() const {
    return sim::hash_mix((std::uint64_t{fs} << 32) | prepare, tasks);
}

std::string Scenario::label() const {
    return id + "@" + hex_digits(content.digest(), 6);
}

const Expectation* Scenario::expected_on(const model::KernelVersion& kernel) const {
    for (const Expectation& entry : expect)
        if (entry.kernel == kernel) return &entry;
    return nullptr;
}

}  // namespace app::scenario
