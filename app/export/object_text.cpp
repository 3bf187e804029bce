#include "app/export/object_text.h"

#include "sim/lock.h"
#include "sim/primitive_classes.h"
#include "sim/waitqueue.h"

namespace app::exporter {

namespace {

std::string kind_text(const sim::Object& object) {
    if (sim::primitive::is_lock(object.cls()))
        return static_cast<const sim::Lock&>(object).lock_class().name;
    if (object.cls().index == sim::primitive::waitqueue.index)
        return static_cast<const sim::WaitQueue&>(object).name();
    return object.cls().name;
}

}  // namespace

std::string object_text(const sim::Object& object) {
    std::string text = kind_text(object);
    if (object.key() != 0) text += " " + std::to_string(object.key());
    return text;
}

std::string operation_text(const sim::TaskState& task) {
    std::string text = sim::to_string(task.pending_op);
    if (task.pending_object != nullptr &&
        task.pending_object->cls().index != sim::primitive::yield.index)
        text += " " + object_text(*task.pending_object);
    return text;
}

}  // namespace app::exporter
