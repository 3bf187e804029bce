#pragma once
#include "sim/object.h"

/// The object classes of the engine's own primitives.
namespace sim::primitive {

inline constexpr ObjectClass yield{"yield", 0, Discipline::Lockless};
inline constexpr ObjectClass mutex{"mutex", 1, Discipline::Lockless};
inline constexpr ObjectClass spinlock{"spinlock", 2, Discipline::Lockless};
inline constexpr ObjectClass rwsem{"rwsem", 3, Discipline::Lockless};
inline constexpr ObjectClass waitqueue{"waitqueue", 4, Discipline::Lockless};
inline constexpr ObjectClass atomic{"atomic", 5, Discipline::Lockless};
inline constexpr ObjectClass timer{"timer", 6, Discipline::Lockless};
inline constexpr ObjectClass workqueue{"workqueue", 7, Discipline::Lockless};
inline constexpr ObjectClass completion{"completion", 8, Discipline::Lockless};
inline constexpr ObjectClass wait_bit{"bit", 9, Discipline::Lockless};
inline constexpr ObjectClass countdown{"countdown", 10, Discipline::Lockless};

constexpr bool is_lock(const ObjectClass& cls) {
    return cls.index >= mutex.index && cls.index <= rwsem.index;
}

}  // namespace sim::primitive
