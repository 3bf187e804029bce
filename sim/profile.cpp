#include "sim/profile.h"

#include <vector>

#include "sim/strategies.h"

namespace sim {

Profile profile_of(Execution& execution) {
    const auto usual = make_default();
    usual->next_execution();
    execution.run(*usual);
    const Trace& trace = execution.scheduler().trace();
    const auto& names = trace.names();

    std::vector<std::uint32_t> below(names.size());
    for (const Step& step : trace.step_list())
        ++below[step.task];
    Profile profile{.tasks = static_cast<std::uint32_t>(names.size()),
                    .steps = trace.steps(),
                    .steps_below = {}};
    for (std::size_t i = names.size(); i-- > 0;) {  // a creator's name is before its creations'
        profile.steps_below[names[i].path] = below[i];
        if (names[i].parent != Trace::no_parent) below[names[i].parent] += below[i];
    }
    return profile;
}

}  // namespace sim
