#include "sim/trace.h"

#include <algorithm>

#include "sim/scheduler.h"

namespace sim {

std::uint32_t Trace::switches() const {
    std::uint32_t count = 0;
    for (std::size_t i = 1; i < steps_.size(); ++i)
        count += steps_[i].task != steps_[i - 1].task ? 1 : 0;
    return count;
}

std::string Trace::task_name(std::uint32_t index) const {
    const TaskName& name = names_[index];
    const auto is_sibling = [&](const TaskName& other) {
        return other.parent == name.parent && std::string_view(other.label) == name.label;
    };
    const auto ordinal = std::count_if(names_.begin(), names_.begin() + index + 1, is_sibling);
    if (name.parent == no_parent && ordinal == 1) return name.label;
    const std::string own = name.label + ("#" + std::to_string(ordinal));
    return name.parent == no_parent ? own : task_name(name.parent) + "/" + own;
}

Scope::Scope(const char* function) : open_(false) {
    Scheduler* const scheduler = current_or_null();
    if (scheduler == nullptr || !scheduler->in_task()) return;
    scheduler->entered(function);
    if (!scheduler->trace().narrating()) return;
    open_ = true;
    scheduler->trace().narrate(Narration::Kind::Enter, scheduler->running().name, function);
}

Scope::~Scope() {
    if (!open_) return;
    Scheduler& scheduler = current();
    if (!scheduler.stopping())
        scheduler.trace().narrate(Narration::Kind::Leave, scheduler.running().name, {});
}

void Trace::narrate(Narration::Kind kind, std::uint32_t task, std::string text) {
    narration_.push_back({kind, last_step(), task, std::move(text)});
}

void Trace::add_tracepoint(const char* name, std::uint32_t task, std::string fields) {
    tracepoints_.push_back({narration_.size(), last_step(), task, name, std::move(fields)});
}

}  // namespace sim
