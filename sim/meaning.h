#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sim/strategy.h"
#include "sim/trace.h"

namespace sim {

/// What a step was, in words that survive small changes of the program: which task, which operation
/// on what, for the how manieth time in that task.
struct Meaning {
    std::string task;
    OpKind op = OpKind::Start;
    std::string object_class;
    std::uint64_t key = 0;
    std::uint32_t occurrence = 1;
    friend bool operator==(const Meaning&, const Meaning&) = default;
};
/// "writer: lock mutex 12 (2nd)"
std::string to_string(const Meaning& meaning);
/// The meanings of all steps of a narrated execution.
std::vector<Meaning> meanings(const Trace& trace);

enum class OnDivergence : std::uint8_t {
    Stop,      ///< the execution ends
    Continue,  ///< the default rule decides there
    Nearest,   ///< the next recorded step that is possible is taken
};

/// Where a recorded step was not possible.
struct Divergence {
    std::uint32_t step = 0;
    std::string recorded;
    std::string taken;
};

/// Follows recorded meanings, on this program or a changed one (another kernel).
class MeaningReplay final : public Strategy {
  public:
    MeaningReplay(std::vector<Meaning> recorded, OnDivergence mode);
    bool next_execution() override;
    Choice choose(Scheduler& scheduler) override;
    bool wants_every_step() const override { return true; }
    const std::vector<Divergence>& divergences() const { return divergences_; }

  private:
    Meaning pending(const Scheduler& scheduler, unsigned slot);
    /// Index of the first recorded step from `from` on that a candidate can take, and that
    /// candidate's position.
    bool find_possible(const Scheduler& scheduler, std::size_t from, std::size_t limit,
                       std::size_t& step, std::size_t& candidate);

    std::vector<Meaning> recorded_;
    OnDivergence mode_;
    std::size_t next_ = 0;
    bool ran_ = false;
    std::vector<std::uint16_t> candidates_;
    std::vector<Divergence> divergences_;
};

}  // namespace sim
