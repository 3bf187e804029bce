#include "app/export/names.h"

namespace app::exporter {

std::string object_name(const Recorded& recorded, std::uint64_t id, const char* touched) {
    if (const auto known = recorded.names.find(id); known != recorded.names.end())
        return known->second;
    const sim::ObjectLabel label = recorded.result.trace.object_label(id);
    std::string name = touched != nullptr ? touched : label.object_class;
    if (label.key != 0) name += " " + std::to_string(label.key);
    return name;
}

std::string step_name(const Recorded& recorded, std::uint32_t step) {
    const sim::Step& done = recorded.result.trace.step_list()[step];
    std::string text = sim::to_string(done.op);
    if (done.object == 0) return text;
    const std::string object = object_name(recorded, done.object);
    if (!object.empty() && object != text) text += " " + object;
    return text;
}

unsigned cpu_of(const sim::Trace& trace, const scenario::Scenario& scenario, std::uint32_t task) {
    while (trace.names()[task].parent != sim::Trace::no_parent)
        task = trace.names()[task].parent;
    for (const scenario::TaskSpec& spec : scenario.tasks)
        if (spec.name == trace.names()[task].label) return spec.cpu;
    return trace.names()[task].cpu;
}

}  // namespace app::exporter
