#pragma once
#include <cstdint>
#include <vector>

#include "sim/hash.h"
#include "sim/object.h"
#include "sim/task_set.h"

namespace sim {

/// 128 bits, so that two different things practically never look the same in a search of any
/// length.
struct Digest {
    std::uint64_t a = 0, b = 0;
    void mix(std::uint64_t value) {
        a = hash_mix(a, value);
        b = hash_mix(b ^ 0x94D049BB133111EBULL, value + 0x2545F4914F6CDD1DULL);
    }
    void mix(const Digest& other) {
        a = hash_mix(a, other.a);
        b = hash_mix(b ^ 0x94D049BB133111EBULL, other.b);
    }
    /// A set of digests: order does not show.
    void add(const Digest& other) {
        a += other.a;
        b += other.b;
    }
    friend bool operator==(const Digest&, const Digest&) = default;
};

/// The happens-before class of the execution so far: equal for two prefixes that differ only in the
/// order of independent steps.
///
/// Each step has a digest of its task, its accesses and the steps that they depend on; the
/// fingerprint is the sum over all steps. Accesses depend on the last write of the object, a write
/// also on the reads and additions since; additions commute with each other. Keyed accesses of
/// different keys are independent of each other, not of a write of the whole object.
class PrefixFingerprint {
  public:
    void begin_execution();
    void begin_step(unsigned slot, std::uint64_t path, std::uint8_t op, std::uint64_t object);
    void touch(std::uint64_t object, AccessKind kind, std::uint64_t key);
    void task_created(unsigned slot);
    void end_step();
    const Digest& value() const { return sum_; }

  private:
    struct Record {
        std::uint64_t object = 0;
        std::uint32_t execution = 0;
        Digest last_write, reads, adds;
    };
    enum class Effect : std::uint8_t { Reads, Writes, Adds };
    struct Touched {
        std::uint64_t object;
        Effect effect;
    };
    static Effect effect_of(AccessKind kind);
    Record& record(std::uint64_t object);
    void depend(std::uint64_t object, Effect effect);
    void grow();

    std::vector<Record> table_;
    std::size_t used_ = 0;
    std::uint32_t execution_ = 0;
    Digest sum_, step_;
    Digest last_of_task_[max_tasks];
    unsigned slot_ = 0;
    std::vector<Touched> touched_;
    std::vector<unsigned> created_;
};

}  // namespace sim
