#include "sim/object.h"

#include "sim/scheduler.h"

namespace sim {

Object::Object(const ObjectClass& cls, std::uint64_t key, void* owner)
    : cls_(&cls), id_(0), key_(key), owner_(owner) {
    if (Scheduler* const scheduler = current_or_null()) id_ = scheduler->new_object_id(cls);
}

Object::~Object() {
    Scheduler* const scheduler = current_or_null();
    if (scheduler == nullptr || scheduler->silent_noexcept() || dirty_step_ == 0) return;
    std::erase(scheduler->dirty_, this);
}

void Object::read(std::uint64_t value) const {
    if (Scheduler* const scheduler = current_or_null())
        scheduler->access(*this, AccessKind::Read, 0, value);
}
void Object::write(std::uint64_t value) {
    if (Scheduler* const scheduler = current_or_null())
        scheduler->access(*this, AccessKind::Write, 0, value);
}
void Object::add(std::uint64_t amount) {
    if (Scheduler* const scheduler = current_or_null())
        scheduler->access(*this, AccessKind::Add, 0, amount);
}
void Object::insert(std::uint64_t key) {
    if (Scheduler* const scheduler = current_or_null())
        scheduler->access(*this, AccessKind::Insert, key, 0);
}
void Object::lookup(std::uint64_t key) const {
    if (Scheduler* const scheduler = current_or_null())
        scheduler->access(*this, AccessKind::Lookup, key, 0);
}

void Object::rebirth(std::uint64_t key) {
    write();
    key_ = key;
    if (Scheduler* const scheduler = current_or_null()) id_ = scheduler->new_object_id(*cls_);
}

}  // namespace sim
