#pragma once
#include <cstdint>

namespace sim {

/// How a step touched an object. Two accesses of one object by different steps commute unless one
/// writes; two adds commute with each other; accesses of different keys commute; so do the shared
/// holdings of a lock.
enum class AccessKind : std::uint8_t {
    Read,
    Write,
    Add,
    Insert,
    Lookup,
    Acquire,
    AcquireShared,
    Release,
    ReleaseShared,
    Queue,  ///< an attempt that holds back later shared holdings until those before it are over
};

/// Whether a kind is one of these.
template <AccessKind... Kinds> constexpr bool is_one_of(AccessKind kind) {
    constexpr unsigned set = ((1U << static_cast<unsigned>(Kinds)) | ...);
    return ((set >> static_cast<unsigned>(kind)) & 1U) != 0;
}

/// What tasks share an object under: decides where the coarse grain needs a scheduling point.
enum class Discipline : std::uint8_t {
    Locked,    ///< only under locks (or by one task at a time): no point of its own; the claim is
               ///< checked by vector clocks
    Lockless,  ///< read or written without a lock on purpose (READ_ONCE, atomics, test_bit): every
               ///< access may be seen
};

/// A kind of object. One constant per kind, defined by the layer that owns it; `index` is unique
/// and below max_object_classes.
struct ObjectClass {
    const char* name;
    std::uint8_t index;
    Discipline discipline = Discipline::Locked;
};

inline constexpr unsigned max_object_classes = 128;
inline constexpr unsigned first_model_class = 32;  // below: the primitives of sim/

/// Where in the happens-before order something was last done: the task's slot and its clock then. 0
/// means "before everything".
class Epoch {
  public:
    Epoch() = default;
    Epoch(unsigned slot, std::uint32_t clock) : packed_((clock << 8) | slot) {}
    unsigned slot() const { return packed_ & 0xFF; }
    std::uint32_t clock() const { return packed_ >> 8; }
    bool is_start() const { return clock() == 0; }

  private:
    std::uint32_t packed_ = 0;
};

/// Identity and access record of something that two tasks can share. Derive from it, or hold one
/// per shared structure.
///
/// The identity is causal: the task that created the object and how many it had created before, so
/// it does not change when independent steps are swapped. `key` is what people call it (a bytenr,
/// an inode number) and shows in labels and reports.
class Object {
  public:
    /// @param owner  what a per-object check receives; usually the structure that holds this object
    explicit Object(const ObjectClass& cls, std::uint64_t key = 0, void* owner = nullptr);
    ~Object();
    Object(const Object&) = delete;
    Object& operator=(const Object&) = delete;

    /// Reports an access by the running step. In the fine grain, and for a Lockless class, a
    /// scheduling point comes first.
    /// @param value  digest of what was read or written; part of the trace hash
    void read(std::uint64_t value = 0) const;
    void write(std::uint64_t value = 0);
    void add(std::uint64_t amount = 0);
    /// Access to one key of a keyed collection: independent of accesses to its other keys.
    void insert(std::uint64_t key);
    void lookup(std::uint64_t key) const;

    /// The memory becomes another object (a pool's reuse): a write, then a new identity.
    void rebirth(std::uint64_t key);

    const ObjectClass& cls() const { return *cls_; }
    std::uint64_t id() const { return id_; }
    std::uint64_t key() const { return key_; }
    void* owner() const { return owner_; }

  private:
    friend class Scheduler;
    friend class RaceDetector;
    const ObjectClass* cls_;
    std::uint64_t id_;
    std::uint64_t key_;
    void* owner_;
    mutable Epoch last_write_;
    mutable Epoch last_read_;  // the last reader, while reads are ordered
    mutable std::uint32_t readers_ =
        0;  // index + 1 of a vector of reader clocks, once reads are concurrent
    mutable std::uint32_t sync_ =
        0;  // index + 1 of the clock released here (locks, atomics, wait queues)
    mutable std::uint32_t dirty_step_ = 0;  // last step that queued this object for its check
    mutable std::uint32_t born_ = 0;        // execution that race and sync state belong to
};

/// A shared value. Reading and writing it is what other tasks can notice.
template <class T> class Tracked : public Object {
  public:
    explicit Tracked(const ObjectClass& cls, T value = {}, std::uint64_t key = 0,
                     void* owner = nullptr)
        : Object(cls, key, owner), value_(value) {}

    const T& get() const {
        read();
        return value_;
    }
    void set(T value) {
        write();
        value_ = value;
    }
    /// Looks without an access: for checks and reports, never for the model's own decisions.
    const T& peek() const { return value_; }

  private:
    T value_;
};

}  // namespace sim
