#include "sim/assert.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "sim/scheduler.h"

namespace sim {

void assertion_failed(const char* expression, const char* file, int line) {
    const char* const name = std::strrchr(file, '/');
    std::fprintf(stderr, "interleaf: internal error: %s (%s:%d)\n", expression,
                 name == nullptr ? file : name + 1, line);
    if (const Scheduler* const scheduler = current_or_null()) {
        std::fprintf(stderr,
                     "  at step %u; departures from the default schedule:", scheduler->steps());
        for (const Departure& departure : scheduler->departures())
            std::fprintf(stderr, " %u:%u", departure.ordinal, departure.index);
        std::fprintf(
            stderr, "\n  please send this, the command line and the scenario to the maintainers\n");
    }
    std::_Exit(70);
}

}  // namespace sim
