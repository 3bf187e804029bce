#include "sim/task.h"

namespace sim {

const char* to_string(OpKind op) {
    switch (op) {
    case OpKind::Start:
        return "start";
    case OpKind::Yield:
        return "yield";
    case OpKind::Read:
        return "read";
    case OpKind::Write:
        return "write";
    case OpKind::Add:
        return "add";
    case OpKind::Lookup:
        return "look up";
    case OpKind::Insert:
        return "insert";
    case OpKind::Acquire:
        return "lock";
    case OpKind::AcquireShared:
        return "read-lock";
    case OpKind::TryAcquire:
        return "try-lock";
    case OpKind::Release:
        return "unlock";
    case OpKind::Wait:
        return "wait";
    case OpKind::Wake:
        return "wake";
    case OpKind::Resume:
        return "resume";
    case OpKind::Submit:
        return "submit";
    case OpKind::Complete:
        return "complete";
    case OpKind::Expire:
        return "expire";
    }
    return "?";
}

}  // namespace sim
