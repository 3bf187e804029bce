#include "sim/strategy_dfs.h"

#include <algorithm>

namespace sim {

void DfsStrategy::begin(const Prefix& prefix) {
    prefix_ = prefix;
    frames_.clear();
    pool_.clear();
    started_ = false;
    finished_share_ = 0;
    cache_.clear();  // only what comes earlier in the search's order may cut: the first failure
                     // stays the same for any workers
}

bool DfsStrategy::next_execution() {
    depth_ = 0;
    if (!started_) {
        started_ = true;
        return true;
    }
    while (frames_.size() > prefix_.choices.size()) {
        Frame& frame = frames_.back();
        if (frame.at + 1 < frame.end) {
            ++frame.at;
            return !past_last_path();
        }
        pool_.resize(frame.first);
        frames_.pop_back();
    }
    return false;
}

Choice DfsStrategy::choose(Scheduler& scheduler) {
    if (depth_ == frames_.size()) {
        if (seen_before(scheduler)) return Choice::cut();
        if (!open_frame(scheduler)) return {scheduler.default_choice(), 0};
    }
    const Frame& frame = frames_[depth_];
    if (frame.ordinal != scheduler.choice_points())
        return {scheduler.default_choice(), 0};  // nothing to choose within the bound
    if (!(frame.enabled == scheduler.enabled())) return Choice::diverged();
    ++depth_;
    return pool_[frame.first + frame.at];
}

bool DfsStrategy::seen_before(Scheduler& scheduler) {
    if (!cache_.enabled() || frames_.size() < prefix_.choices.size()) return false;
    if (max_deviations_ == unbounded) return cache_.visited(scheduler.happens_before_prefix(), 0);
    return cache_.visited(scheduler.situation(), scheduler.deviations());
}

bool DfsStrategy::open_frame(Scheduler& scheduler) {
    const bool spent = scheduler.deviations() >= max_deviations_;
    if (spent && scheduler.default_goes_on()) {
        left_out_ = true;
        return false;
    }
    scheduler.candidates(candidates_);

    Frame frame;
    frame.enabled = scheduler.enabled();
    frame.ordinal = scheduler.choice_points();
    frame.first = static_cast<std::uint32_t>(pool_.size());
    for (std::size_t i = 0; i < candidates_.size(); ++i) {
        if (spent && scheduler.is_deviation(candidates_[i])) {
            left_out_ = true;
        } else {
            pool_.push_back({candidates_[i], static_cast<std::uint16_t>(i)});
        }
    }
    frame.count = frame.end = static_cast<std::uint16_t>(pool_.size() - frame.first);
    if (frame.count == 1) {
        pool_.pop_back();
        return false;
    }
    if (!frames_.empty()) frame.weight = frames_.back().weight / frames_.back().count;
    if (frames_.size() < prefix_.choices.size()) frame.at = prefix_.choices[frames_.size()];
    frames_.push_back(frame);
    return true;
}

void DfsStrategy::execution_ended(Outcome /*outcome*/, Scheduler& scheduler) {
    if (depth_ < frames_.size()) {  // it ended before the stack did
        scheduler.set_diverged();
        return;
    }
    finished_share_ += frames_.empty() ? 1.0 : frames_.back().weight / frames_.back().count;
}

std::vector<Prefix> DfsStrategy::split() {
    std::vector<Prefix> given;
    Prefix prefix;
    for (std::size_t depth = 0; depth < frames_.size(); ++depth) {
        Frame& frame = frames_[depth];
        if (depth >= prefix_.choices.size() && frame.at + 1 < frame.end) {
            for (unsigned other = frame.at + 1U; other < frame.end; ++other) {
                given.push_back(prefix);
                given.back().choices.push_back(static_cast<std::uint16_t>(other));
            }
            frame.end = static_cast<std::uint16_t>(frame.at + 1);
            return given;
        }
        prefix.choices.push_back(frame.at);
    }
    return given;
}

std::vector<std::uint16_t> DfsStrategy::path() const {
    std::vector<std::uint16_t> indices;
    indices.reserve(frames_.size());
    for (const Frame& frame : frames_)
        indices.push_back(frame.at);
    return indices;
}

bool DfsStrategy::past_last_path() const {
    if (last_path_.empty()) return false;
    const std::vector<std::uint16_t> here = path();
    return std::lexicographical_compare(last_path_.begin(), last_path_.end(), here.begin(),
                                        here.end());
}

}  // namespace sim
