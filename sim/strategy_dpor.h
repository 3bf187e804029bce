#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "sim/happens_before.h"
#include "sim/reduction.h"
#include "sim/reversal.h"
#include "sim/strategy.h"
#include "sim/wakeup_tree.h"

namespace sim {

/// A part of a search without a bound: all below a prefix. Whoever takes it needs to know of nobody
/// else, and nobody of him: above it every task is a branch of its own, so that no race has to ask
/// for one there, and what was run before it sleeps (soundness, 4).
struct DporPart {
    struct Sleeper {
        std::uint64_t path = 0;
        std::vector<Access> accesses;
    };
    std::vector<std::uint64_t> prefix;  // whose steps lead there
    std::vector<Sleeper> sleepers;
};

/// Search over all schedules that runs one execution of each Mazurkiewicz trace (Abdulla, Aronis,
/// Jonsson, Sagonas: "Source sets: a foundation for optimal dynamic partial order reduction", JACM
/// 2017). Unbounded: a bound would make it unsound (soundness, 2).
///
/// What the algorithm leaves open, and what is done here:
/// - a step that might touch something else when it is moved before its rival is not relied on: it
///   covers nothing, and nothing covers it. That can cost executions that are cut, never a trace.
/// - a race is not reversed where its steps were asked for together, and in the other order, too
///   (is_settled()). It would be found covered, after a walk through the wakeup tree.
/// - tasks that could have gone on when the execution ended (timers, daemons; everybody after a
///   violation) are tried instead of its last step.
class DporStrategy final : public Strategy {
  public:
    explicit DporStrategy(Reduction reduction)
        : reduction_(reduction), order_(sets_), reversal_(order_, sets_) {}

    /// Starts over, with a part of the search.
    void begin(const DporPart& part);
    /// Executions are cut before this step, and what is below is a part. With sleep sets only.
    void split_at(std::uint32_t depth) { split_depth_ = depth; }
    /// What is below the execution that has just been cut; nothing when all is asleep there, or it
    /// came to an end of its own.
    std::optional<DporPart> take_part() { return std::exchange(part_, std::nullopt); }

    bool wants_every_step() const override { return true; }
    [[gnu::hot]] bool next_execution() override;
    [[gnu::hot]] Choice choose(Scheduler& scheduler) override;
    [[gnu::hot]] void execution_ended(Outcome outcome, Scheduler& scheduler) override;
    /// The steps of the execution that has just ended, until the next one.
    const HappensBefore& order() const { return order_; }
    /// What is wrong with the execution that has just ended: a step that was moved together with
    /// all that it follows from touched something else than where it was found, so that something
    /// it depends on is not declared (soundness, 8). Empty: nothing.
    const std::string& surprise() const { return surprise_; }

  private:
    /// A sleep set: a part of sleep_. It may share its beginning with that of the step before.
    struct Sleepers {
        std::uint32_t begin = 0, end = 0;
        std::uint64_t objects = 0;  // AccessSets::objects_of() of all of them
    };
    struct Frame {
        FutureStep chosen;
        std::uint16_t slot = 0, index = 0;
        bool resolved = false;      // slot and index are known
        bool asked = false;         // somebody asked for what is chosen: it is no default
        WakeupTrees::Id rest = 0;   // what is still to be run here, without the chosen step
        WakeupTrees::Id below = 0;  // what is to be run after it, until the next frame takes it
        Sleepers sleepers;
        std::uint32_t settled_from = FutureStep::unknown;  // WakeupTrees::Branch, of what is chosen
    };

    void take_next(Frame& frame);
    [[gnu::hot]] void take_asked(Frame& frame);
    [[gnu::noinline]] Choice split_off(const Scheduler& scheduler);
    Choice open_frame(Scheduler& scheduler);
    [[gnu::hot]] bool resolve(Frame& frame, const Scheduler& scheduler);
    unsigned enabled_slot(const FutureStep& step, const Scheduler& scheduler);
    std::span<const FutureStep> sleepers_of(const Sleepers& sleepers) const {
        return {sleep_.data() + sleepers.begin, sleep_.data() + sleepers.end};
    }
    [[gnu::hot]] bool sleeps(std::uint64_t path) const;
    void find_chosen(Frame& frame, const Scheduler& scheduler);
    [[gnu::hot]] void choose_default(Frame& frame, const Scheduler& scheduler);
    Choice pick(const Frame& frame);
    [[gnu::noinline]] void add_all_others(Frame& frame, const Scheduler& scheduler);
    void take_in_last_step(const Scheduler& scheduler);
    [[gnu::noinline]] Sleepers first_sleepers();
    [[gnu::hot]] Sleepers inherited_sleepers();
    void compare_with_foreseen(Outcome outcome, const Scheduler& scheduler);
    bool is_settled(const ReversibleRace& race) const;
    void reverse_races();
    void reverse_blocked(const Scheduler& scheduler);
    void reverse_withdrawn(const Scheduler& scheduler);
    void reverse_end(const Scheduler& scheduler);
    void try_instead(std::uint32_t depth, const Task& task);
    [[gnu::hot]] void insert_at(std::uint32_t depth);

    Reduction reduction_;
    AccessSets sets_;
    HappensBefore order_;
    Reversal reversal_;
    WakeupTrees trees_;
    Sequence<Frame> frames_;
    Sequence<FutureStep> sleep_;
    std::uint32_t fixed_ = 0;           // frames above the part that is searched
    Sequence<FutureStep> first_sleep_;  // what sleeps where it begins
    std::uint32_t split_depth_ = ~0U;
    std::optional<DporPart> part_;
    std::uint32_t first_new_ = 0;  // the first step that differs from the execution before
    bool began_ = false, cut_ = false;
    bool all_ended_ = true;  // no execution stopped while somebody could go on
    std::string surprise_;
    std::vector<std::uint16_t> candidates_;
    static constexpr std::uint32_t most_numbers = 4096;
    Sequence<unsigned> last_slots_;  // by a task's number
};

}  // namespace sim
