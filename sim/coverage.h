#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "sim/execution.h"
#include "sim/happens_before.h"

namespace sim {

/// What one of two conflicting steps did: who, what, to which kind of object. Requests, timers and
/// workers of one creator count as one.
struct CoveredStep {
    std::string task;
    AccessKind access = AccessKind::Read;
    std::string object;
    auto operator<=>(const CoveredStep&) const = default;
};

/// What the executions of a search, all workers together, came by. Depends on the set of executions
/// alone, not on their order; those that were cut short do not count.
class Coverage {
  public:
    /// Two steps that conflicted without anything else that ordered them, `first` (the lesser) in
    /// front so often, and behind so often.
    struct Pair {
        std::uint64_t in_order = 0, reversed = 0;
        bool both() const { return in_order != 0 && reversed != 0; }
    };
    using Pairs = std::map<std::pair<CoveredStep, CoveredStep>, Pair>;

    /// For ExecutionOptions::observer. Each observer gives what it has seen to the coverage when it
    /// goes.
    static std::function<std::unique_ptr<Observer>()>
    observer(const std::shared_ptr<Coverage>& coverage);

    std::uint64_t executions() const { return executions_; }
    const Pairs& pairs() const { return pairs_; }
    /// Reversible races, and how many of them were over which kind of object. A race of two steps
    /// that conflict over several kinds is over each.
    std::uint64_t races() const { return races_; }
    const std::map<std::string, std::uint64_t>& races_by_object() const { return races_by_object_; }
    /// How often the probe was passed.
    std::uint64_t probe(unsigned index) const { return probes_.at(index); }

  private:
    friend class CoverageObserver;
    std::mutex mutex_;
    std::uint64_t executions_ = 0;
    std::array<std::uint64_t, max_probes> probes_{};
    Pairs pairs_;
    std::uint64_t races_ = 0;
    std::map<std::string, std::uint64_t> races_by_object_;
};

}  // namespace sim
