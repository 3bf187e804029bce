#include "sim/strategies.h"

namespace sim {
namespace {

/// Runs once.
class Single : public Strategy {
  public:
    bool next_execution() override {
        const bool first = !ran_;
        ran_ = true;
        return first;
    }

  private:
    bool ran_ = false;
};

class Default final : public Single {
  public:
    Choice choose(Scheduler& scheduler) override { return {scheduler.default_choice(), 0}; }
};

class Replay final : public Single {
  public:
    explicit Replay(const Schedule& schedule) : schedule_(schedule) {}

    Choice choose(Scheduler& scheduler) override {
        const bool departs = at_ < schedule_.departures.size() &&
                             schedule_.departures[at_].ordinal == scheduler.choice_points();
        if (!departs) return {scheduler.default_choice(), 0};
        scheduler.candidates(candidates_);
        const std::uint16_t index = schedule_.departures[at_++].index;
        return index < candidates_.size() ? Choice{candidates_[index], index} : Choice::diverged();
    }
    void execution_ended(Outcome /*outcome*/, Scheduler& scheduler) override {
        if (at_ < schedule_.departures.size()) scheduler.set_diverged();
    }

  private:
    Schedule schedule_;
    std::size_t at_ = 0;
    std::vector<std::uint16_t> candidates_;
};

}  // namespace

std::unique_ptr<Strategy> make_default() {
    return std::make_unique<Default>();
}
std::unique_ptr<Strategy> make_replay(const Schedule& schedule) {
    return std::make_unique<Replay>(schedule);
}

}  // namespace sim
