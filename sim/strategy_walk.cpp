#include <memory>
#include <utility>
#include <vector>

#include "sim/profile.h"
#include "sim/rng.h"
#include "sim/strategies.h"

namespace sim {
namespace {

/// Each task is as likely as it has steps before it, those of tasks that it has yet to create
/// included: then every order of a program whose tasks never wait is equally likely.
class Walk final : public Strategy {
  public:
    Walk(std::uint64_t seed, std::shared_ptr<const Profile> profile)
        : rng_(seed), profile_(std::move(profile)) {}

    bool next_execution() override { return !std::exchange(ran_, true); }

    Choice choose(Scheduler& scheduler) override {
        follow(scheduler.trace());
        scheduler.candidates(candidates_);
        std::uint64_t all = 0;
        for (const unsigned slot : candidates_)
            all += weight(scheduler.task(slot));
        std::uint64_t drawn = rng_.below(all);
        std::size_t index = 0;
        for (; drawn >= weight(scheduler.task(candidates_[index])); ++index)
            drawn -= weight(scheduler.task(candidates_[index]));
        return {candidates_[index], static_cast<std::uint16_t>(index)};
    }

  private:
    /// A task that is enabled has a step before it, whatever the default run had.
    std::uint64_t weight(const Task& task) const {
        return left_[task.name] > 1 ? left_[task.name] : 1;
    }

    /// Takes off what has been done, and what has become a new task's own, since the last choice.
    void follow(const Trace& trace) {
        const auto& names = trace.names();
        for (auto name = static_cast<std::uint32_t>(left_.size()); name < names.size(); ++name) {
            const auto known = profile_->steps_below.find(names[name].path);
            left_.push_back(known == profile_->steps_below.end() ? 0 : known->second);
            if (names[name].parent != Trace::no_parent) left_[names[name].parent] -= left_[name];
        }
        for (; steps_seen_ < trace.steps(); ++steps_seen_)
            --left_[trace.step_list()[steps_seen_].task];
    }

    Rng rng_;
    std::shared_ptr<const Profile> profile_;
    bool ran_ = false;
    std::uint32_t steps_seen_ = 0;
    std::vector<std::int64_t> left_;  // by the task's name; below zero when the estimate was
    std::vector<std::uint16_t> candidates_;
};

}  // namespace

std::unique_ptr<Strategy> make_walk(std::uint64_t seed, std::shared_ptr<const Profile> profile) {
    return std::make_unique<Walk>(seed, std::move(profile));
}

}  // namespace sim
