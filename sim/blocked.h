#pragma once
#include <optional>

#include "sim/task.h"
#include "sim/trace.h"

namespace sim {

/// What a task that waits for a lock or a completion would do to it, were it there; nothing for a
/// sleeper, whom a wake-up brings back.
inline std::optional<Access> blocked_attempt(const Task& task) {
    switch (task.pending_op) {
    case OpKind::Acquire:
        return Access{task.pending_object->id(), 0, AccessKind::Acquire};
    case OpKind::AcquireShared:
        return Access{task.pending_object->id(), 0, AccessKind::AcquireShared};
    case OpKind::Wait:
        return Access{task.pending_object->id(), 0, AccessKind::Write};
    default:
        return std::nullopt;
    }
}

}  // namespace sim
