#pragma once
#include <string>
#include <vector>

#include "model/medium.h"

namespace model {

/// A write that is not on the medium for good: a crash may leave it, lose it, or tear it.
struct LooseWrite {
    u16 device = 0;
    u64 physical = 0;
    std::vector<Held> sectors;
    bool in_flight = false;  // handed to the device, not completed
};

/// The machine stops here. What the devices may hold afterwards: what is durable, and of the writes
/// that are not, those that a bounded choice of subsets has: all, none, each single one missing,
/// each alone, one device's alone, one device's missing, and one tree block torn after any number
/// of its 512-byte sectors.
///
/// Points into the simulation: valid while that stands still.
class CrashPoint {
  public:
    explicit CrashPoint(const FsInfo& fs);

    /// How many media the crash can leave, in the order of their numbers.
    std::size_t outcomes() const { return outcomes_.size(); }
    Medium medium(std::size_t outcome) const;
    /// For people: "without the write at 1048576 of /dev/a".
    std::string text(std::size_t outcome) const;

  private:
    enum class Kind : u8 { None, All, Missing, Alone, DeviceAlone, DeviceMissing, Torn };
    struct Outcome {
        Kind kind;
        std::size_t which = 0;  // write, or device
        u32 kept = 0;           // 512-byte sectors of a torn block
    };
    static bool keeps(const Outcome& outcome, std::size_t write, u16 device);
    std::vector<Outcome> choose() const;
    std::string place_text(const LooseWrite& write) const;

    const FsInfo& fs_;
    Medium durable_;
    std::vector<LooseWrite> loose_;
    std::vector<Outcome> outcomes_;
};

/// CrashPoint(fs).outcomes(), without making it.
std::size_t count_outcomes(const FsInfo& fs);
/// Two points with equal digests leave the same media, perhaps in another order.
u64 crash_digest(const FsInfo& fs);

}  // namespace model
