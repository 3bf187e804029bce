#include "sim/fingerprint.h"

namespace sim {
namespace {
constexpr std::size_t first_size = 4096;
}

void PrefixFingerprint::begin_execution() {
    if (table_.empty()) table_.resize(first_size);
    ++execution_;
    used_ = 0;
    sum_ = step_ = {};
    for (Digest& digest : last_of_task_)
        digest = {};
    touched_.clear();
    created_.clear();
}

PrefixFingerprint::Record& PrefixFingerprint::record(std::uint64_t object) {
    if (used_ * 2 > table_.size()) grow();
    const std::size_t mask = table_.size() - 1;
    for (std::size_t at = hash_mix(0, object) & mask;; at = (at + 1) & mask) {
        Record& found = table_[at];
        if (found.execution == execution_ && found.object == object) return found;
        if (found.execution == execution_) continue;
        found = {object, execution_, {}, {}, {}};
        ++used_;
        return found;
    }
}

void PrefixFingerprint::grow() {
    std::vector<Record> former(table_.size() * 2);
    former.swap(table_);
    used_ = 0;
    for (const Record& old : former)
        if (old.execution == execution_) record(old.object) = old;
}

void PrefixFingerprint::begin_step(unsigned slot, std::uint64_t path, std::uint8_t op,
                                   std::uint64_t object) {
    slot_ = slot;
    step_ = last_of_task_[slot];
    step_.mix(path ^ op);
    // What made the step possible (a wake-up, a release) wrote the object of its operation.
    if (object != 0) depend(object, Effect::Reads);
}

PrefixFingerprint::Effect PrefixFingerprint::effect_of(AccessKind kind) {
    switch (kind) {
    case AccessKind::Read:
    case AccessKind::Lookup:
    case AccessKind::AcquireShared:
        return Effect::Reads;
    case AccessKind::Add:
        return Effect::Adds;
    default:  // a shared release too: what it lets in shows in the order of the queue
        return Effect::Writes;
    }
}

void PrefixFingerprint::touch(std::uint64_t object, AccessKind kind, std::uint64_t key) {
    const bool keyed = kind == AccessKind::Insert || kind == AccessKind::Lookup;
    if (keyed) depend(object, Effect::Reads);
    depend(keyed ? hash_mix(object, key) : object, effect_of(kind));
}

void PrefixFingerprint::depend(std::uint64_t object, Effect effect) {
    const Record& now = record(object);
    step_.mix(object + static_cast<std::uint64_t>(effect));
    step_.mix(now.last_write);
    if (effect != Effect::Reads) step_.mix(now.reads);
    if (effect != Effect::Adds) step_.mix(now.adds);
    touched_.push_back({object, effect});
}

void PrefixFingerprint::task_created(unsigned slot) {
    created_.push_back(slot);
}

void PrefixFingerprint::end_step() {
    for (const Touched& touched : touched_) {
        Record& now = record(touched.object);
        switch (touched.effect) {
        case Effect::Reads:
            now.reads.add(step_);
            break;
        case Effect::Adds:
            now.adds.add(step_);
            break;
        case Effect::Writes:
            now.last_write = step_;
            now.reads = now.adds = {};
            break;
        }
    }
    last_of_task_[slot_] = step_;
    for (const unsigned slot : created_)
        last_of_task_[slot] = step_;
    sum_.add(step_);
    touched_.clear();
    created_.clear();
}

}  // namespace sim
