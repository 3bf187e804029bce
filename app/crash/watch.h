#pragma once
#include <map>
#include <string>

#include "app/crash/search.h"

namespace app::crash {

/// Looks on at one worker's executions, and stops the machine in them: each crash branches off the
/// execution, which then goes on.
class CrashWatch final : public model::MediumObserver {
  public:
    CrashWatch(CrashSearch& search, const model::KernelVersion& kernel,
               const model::Geometry& geometry);

    void begun(model::FsInfo& fs) override;
    void before_device_event(model::FsInfo& fs, const model::DevRequest& request) override;
    void after_device_event(model::FsInfo& fs, const model::DevRequest& request) override;
    void before_promise(model::FsInfo& fs) override;
    void after_promise(model::FsInfo& fs) override;
    void committed(model::FsInfo& fs) override;
    void ended(model::FsInfo& fs) override;

  private:
    bool stops_at(const model::DevRequest& request) const;
    bool stops_at_promises() const;
    void crash(const model::FsInfo& fs, bool stops_here);
    CrashSearch::Judgement judge(const model::FsInfo& fs, const model::Promises& promises);
    void judge_image(const model::FsInfo& fs, const char* when);
    std::string cut_text(const model::FsInfo& fs) const;

    CrashSearch& search_;
    model::Recovery recovery_;
    // Of this execution so far.
    std::uint64_t flushes_ = 0;                       // and FUA writes
    std::map<std::uint16_t, std::uint64_t> durable_;  // those that have taken effect, by device
    std::uint64_t promises_ = 0;
    std::uint64_t media_ = 0;  // numbers of crash media so far, whether looked at or not
};

}  // namespace app::crash
