#include "model/probes.h"

#include "model/invariants.h"
#include "sim/assert.h"

namespace model {

namespace {
constexpr unsigned first_invariant = most_fixes;
static_assert(first_invariant < sim::max_probes);
}  // namespace

unsigned probe_of(const Fix& fix) {
    return static_cast<unsigned>(index_of(fix));
}

unsigned probe_of(std::string_view invariant) {
    unsigned probe = first_invariant;
    for (const Invariant& known : invariants()) {
        if (known.name == invariant) return probe;
        ++probe;
    }
    SIM_ASSERT(probe == first_invariant);  // no invariant has this name
    return probe;
}

}  // namespace model
