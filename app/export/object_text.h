#pragma once
#include <string>

#include "sim/task.h"

namespace sim {
class Object;
}

namespace app::exporter {

/// What people call an object: a lock by its class, a wait queue by its name, with the key that
/// tells it from others of its kind: "tree_log_mutex", "btrfs-fs-00 5271552", "ref_head 5271552".
std::string object_text(const sim::Object& object);
/// "lock tree_log_mutex": what a task does next. Without an object: the operation alone.
std::string operation_text(const sim::TaskState& task);

}  // namespace app::exporter
