#pragma once
#include <cstdint>
#include <vector>

#include "sim/happens_before.h"
#include "sim/search_tree.h"
#include "sim/strategy.h"

namespace sim {

/// Search over the schedules within a bound of deviations that tries another task only where a race
/// asks for it: bounded partial-order reduction (Coons, Musuvathi, McKinley, OOPSLA 2013), without
/// sleep sets, which a bound would make unsound (soundness, 2). Each trace that has a schedule
/// within the bound is run by one within the bound.
///
/// A race asks for its second step before its first. There it may cost a deviation more than the
/// bound allows, while the same trace has a schedule that costs none. So that step's task is also
/// tried earlier, where it costs nothing more:
/// - where the first step's task came to run, where it began, and where its creator came to run:
/// there that can be passed as a whole; an event that creates it, or lets it come to run, can also
/// be left before it does;
/// - where everybody waited for events, the last time before: there an event and who it wakes go
/// first for nothing;
/// - at each deviation before, instead of it, and where the task that it interrupted came to run.
/// And the way there may lead by a race that the bound forbids to reverse. So every step that does
/// not commute with a later one is its rival, not only the last (HappensBefore::Within).
/// And a step that could have been blocked is also tried before what made it possible, unless it
/// follows that anyway: a task that blocks is left for nothing; and what a step takes beside the
/// race must have been released. What decides whose turn it is counts as a dependence: the order in
/// which events are created; and with an event out of its turn, all others are tried too, since
/// what it costs depends on whom it passes.
///
/// What is searched is the least set of executions that contains the default one and, with each of
/// them, those that its races ask for. So it does not depend on the order of the search, on the
/// number of workers, or on interruptions.
class BporStrategy final : public Strategy {
  public:
    BporStrategy(std::uint32_t max_deviations, SearchTree& tree)
        : max_deviations_(max_deviations), tree_(tree), order_(HappensBefore::Within::Bound) {}

    /// Starts over, with a branch of the tree.
    void begin(const OpenBranch& branch);

    bool wants_every_step() const override { return true; }
    bool next_execution() override;
    Choice choose(Scheduler& scheduler) override;
    void execution_ended(Outcome outcome, Scheduler& scheduler) override;

    /// Gives away what is left at the shallowest choice point that has something left.
    void share();
    /// Gives away all that is left.
    void share_all();
    /// How many branches the bound did not allow, so far: a bound that is one higher runs them all.
    std::uint64_t refused() const { return refused_; }
    /// How many of the branches begun so far have spent the last deviation that the bound allows.
    std::uint64_t spent() const { return spent_; }

  private:
    static constexpr std::uint32_t never = ~0U;
    struct Frame {
        Branching at;
        TaskSet done;                           // those asked for that were run or given away
        std::shared_ptr<SharedBranching> node;  // null: nobody else knows it
        std::uint32_t block = 0;                // the step at which the chosen task came to run
        std::uint32_t idle = never;             // the last step so far where only events could
        std::uint16_t slot = 0, index = 0;      // the chosen one
        bool resolved = false;                  // index is known
        bool is_event = false;                  // the chosen one is
    };

    void take_in_steps(const Scheduler& scheduler);
    void open_frame(const Scheduler& scheduler);
    void note_spent(const Frame& frame);
    void choose_at(std::uint32_t depth, unsigned slot);
    void share_down_to(std::size_t depth);
    std::vector<OpenBranch> give_at(std::size_t depth);

    bool is_settled(std::uint32_t depth) const;
    bool find_places(std::uint32_t first);
    void reverse(std::uint32_t first, std::uint16_t late, bool may_block = false);
    TaskSet initials(std::uint32_t from, std::uint16_t late);
    void ask(std::uint32_t depth, TaskSet tasks);
    void refuse(std::uint32_t depth, TaskSet tasks);
    void ask_before(std::uint32_t step, std::uint16_t late);
    void need_releases(std::uint32_t first, std::uint32_t second);
    void reverse_races();
    void reverse_blocked(const Scheduler& scheduler);
    void reverse_end(const Scheduler& scheduler);

    std::uint32_t max_deviations_;
    SearchTree& tree_;
    HappensBefore order_;
    std::vector<Frame> frames_;
    std::size_t shared_ = 0;       // frames that others know: the first ones
    std::size_t fixed_ = 0;        // frames whose choices are not this worker's to change
    std::uint32_t first_new_ = 0;  // the first step that differs from the execution before
    OpenBranch branch_;
    bool began_ = false;
    std::uint64_t refused_ = 0, spent_ = 0;
    std::vector<std::uint32_t> places_;      // where a race asks, besides its first step
    std::vector<std::uint32_t> needs_;       // a clock: what a late step needs
    std::vector<std::uint32_t> candidates_;  // steps that a late one needs
    std::vector<std::uint32_t> deviated_;    // steps that were deviations
};

}  // namespace sim
