#pragma once
#include <cstdint>
#include <vector>

#include "sim/prefix_cache.h"
#include "sim/strategy.h"

namespace sim {

/// A part of the tree of schedules: everything below these choices, one candidate's position for
/// each branching decision.
struct Prefix {
    std::vector<std::uint16_t> choices;
};

/// Depth-first search over schedules, bounded by deviations from the default order (Musuvathi and
/// Qadeer, PLDI 2007) or not.
///
/// Candidates are tried default first, so executions come in lexicographic order of their candidate
/// indices. Re-execution follows the stack; an enabled set that differs from the one seen before
/// means that the program is not deterministic.
class DfsStrategy final : public Strategy {
  public:
    static constexpr std::uint32_t unbounded = ~0U;
    /// @param cache_entries  size of the cache of happens-before prefixes; 0: plain search
    explicit DfsStrategy(std::uint32_t max_deviations, std::size_t cache_entries = 0)
        : max_deviations_(max_deviations), cache_(cache_entries) {}
    bool wants_fingerprint() const override { return cache_.enabled(); }

    /// Starts over, below `prefix`.
    void begin(const Prefix& prefix);

    bool next_execution() override;
    Choice choose(Scheduler& scheduler) override;
    void execution_ended(Outcome outcome, Scheduler& scheduler) override;

    /// Gives away all untried candidates of the shallowest decision that has some.
    std::vector<Prefix> split();
    /// Candidate indices of the execution that ran last: its place in the search's order.
    std::vector<std::uint16_t> path() const;
    /// Executions after `path` in the search's order are of no interest any more.
    void stop_after(std::vector<std::uint16_t> path) { last_path_ = std::move(path); }
    /// Share of the whole tree that the finished executions make up, were all candidates of a
    /// decision equally heavy.
    double finished_share() const { return finished_share_; }
    /// Whether the bound left any schedule out, so far.
    bool left_out_schedules() const { return left_out_; }

  private:
    struct Frame {
        TaskSet enabled;
        std::uint32_t ordinal = 0;                 // of the choice point
        std::uint32_t first = 0;                   // into pool_
        std::uint16_t at = 0, end = 0, count = 0;  // candidate tried now, those to try here, all
        double weight = 1.0;                       // of this decision's subtree
    };
    bool open_frame(Scheduler& scheduler);
    bool past_last_path() const;
    bool seen_before(Scheduler& scheduler);

    std::uint32_t max_deviations_;
    PrefixCache cache_;
    Prefix prefix_;
    std::vector<Frame> frames_;
    std::vector<Choice> pool_;  // candidates of all frames
    std::vector<std::uint16_t> candidates_;
    std::vector<std::uint16_t> last_path_;
    std::size_t depth_ = 0;  // frames passed by the running execution
    bool started_ = false;
    bool left_out_ = false;
    double finished_share_ = 0;
};

}  // namespace sim
