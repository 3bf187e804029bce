#pragma once
#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "sim/trace.h"

namespace sim {

/// What checks made of the program's state along an execution, for the next one, which mostly
/// begins as that one did: as long as both made the same choices, the state is the same.
class PrefixMemo {
  public:
    struct Entry {
        std::uint32_t step = 0;      // that it was made in
        std::size_t departures = 0;  // how many there were
        std::shared_ptr<const void> value = nullptr;
        std::vector<std::pair<std::uint16_t, std::uint32_t>> probes = {};  // what making it counted
    };

    void clear() {
        entries_.clear();
        next_ = 0;
    }
    /// How much was asked for in this execution.
    std::size_t asked() const { return next_; }
    /// Before each execution: from the same state as the one before.
    void begin_execution() { next_ = 0; }
    /// What was made here; null where the executions have parted. Asked for as often, and in the
    /// same order, as it was made.
    const Entry* recall(std::uint32_t step, const Sequence<Departure>& departures) {
        if (next_ == entries_.size()) return nullptr;
        const Entry& entry = entries_[next_];
        const bool same = entry.step == step && entry.departures == departures.size() &&
                          std::equal(departures.begin(), departures.end(), departures_.begin());
        if (same) ++next_;
        return same ? &entry : nullptr;
    }
    /// Keeps what recall() did not know; what the execution before made from here on is forgotten.
    void keep(Entry entry, const Sequence<Departure>& departures) {
        entries_.resize(next_);
        entry.departures = departures.size();
        entries_.push_back(std::move(entry));
        ++next_;
        departures_ = departures;
    }

  private:
    std::vector<Entry> entries_;
    std::size_t next_ = 0;            // of the entries, for this execution
    Sequence<Departure> departures_;  // that led to the last one
};

}  // namespace sim
