#include "app/crash/watch.h"

#include "model/fs_info.h"
#include "model/probes.h"
#include "sim/hash.h"

namespace app::crash {

namespace {

constexpr const char* tool_signature = "btrfs-check";

const model::Evaluation mounts{"mounts-after-crash"}, resumable{"replace-resumable"},
    newest_wins{"last-super-block-wins"}, promises_kept{"promises-kept"},
    checked_by_tool{tool_signature};

}  // namespace

CrashWatch::CrashWatch(CrashSearch& search, const model::KernelVersion& kernel,
                       const model::Geometry& geometry)
    : search_(search), recovery_(kernel, geometry) {}

void CrashWatch::begun(model::FsInfo& /*fs*/) {
    flushes_ = promises_ = media_ = 0;
    durable_.clear();
}

bool CrashWatch::stops_at(const model::DevRequest& request) const {
    const bool durable = model::makes_durable(request);
    switch (search_.where().kind) {
    case CrashSet::Kind::None:
        return false;
    case CrashSet::Kind::EveryWrite:
        return true;
    case CrashSet::Kind::EveryFlush:
        return durable;
    case CrashSet::Kind::Flush:
        return durable && flushes_ == search_.where().number;
    }
    return false;
}

/// And at the end, where no device event is.
bool CrashWatch::stops_at_promises() const {
    const CrashSet::Kind kind = search_.where().kind;
    return kind == CrashSet::Kind::EveryFlush || kind == CrashSet::Kind::EveryWrite;
}

void CrashWatch::before_device_event(model::FsInfo& fs, const model::DevRequest& request) {
    if (model::makes_durable(request)) ++flushes_;
    crash(fs, stops_at(request));
}

void CrashWatch::after_device_event(model::FsInfo& fs, const model::DevRequest& request) {
    if (!model::makes_durable(request)) return;
    ++durable_[request.device->index];
    crash(fs, stops_at(request));
}

void CrashWatch::before_promise(model::FsInfo& fs) {
    crash(fs, stops_at_promises());
}

void CrashWatch::after_promise(model::FsInfo& fs) {
    ++promises_;
    crash(fs, stops_at_promises());
}

void CrashWatch::committed(model::FsInfo& fs) {
    if (search_.images() == CheckImages::Commit) judge_image(fs, "after a commit");
}

void CrashWatch::ended(model::FsInfo& fs) {
    crash(fs, stops_at_promises());
    if (search_.images() == CheckImages::End) judge_image(fs, "at the end");
}

void CrashWatch::crash(const model::FsInfo& fs, bool stops_here) {
    if (search_.where().kind == CrashSet::Kind::None) return;
    const std::uint64_t first = media_ + 1;
    const std::size_t outcomes = model::count_outcomes(fs);
    media_ += outcomes;
    if (!stops_here) return;
    search_.count_point(outcomes);
    for (const model::Evaluation& evaluation : {mounts, resumable, newest_wins, promises_kept})
        evaluation.count(static_cast<model::u32>(outcomes));
    if (search_.images() == CheckImages::Crash)
        checked_by_tool.count(static_cast<model::u32>(outcomes));
    const model::Promises promises = model::promises_of(fs);
    const std::uint64_t point = sim::hash_mix(model::crash_digest(fs), promises.hash());
    std::optional<CrashSearch::Judgement> judgement = search_.known(point);
    // A finding is looked up again, since the media of this point may have other numbers.
    if (!judgement || *judgement) {
        judgement = judge(fs, promises);
        search_.remember(point, *judgement);
    }
    if (!*judgement) return;
    const CrashSearch::Finding& finding = **judgement;
    sim::violation(finding.violation.signature, "crash:" + std::to_string(first + finding.outcome) +
                                                    ", " + finding.violation.text + "\n" +
                                                    cut_text(fs));
}

/// The cut: what had become durable and what had been promised; the rest of the execution's order
/// does not matter.
std::string CrashWatch::cut_text(const model::FsInfo& fs) const {
    std::string text = "the machine stopped after";
    for (const auto& [device, count] : durable_)
        text += " flush or FUA write " + std::to_string(count) + " of " +
                model::device_path(*fs.fs_devices.all_devices[device]) + ",";
    return text + " promise " + std::to_string(promises_);
}

CrashSearch::Judgement CrashWatch::judge(const model::FsInfo& fs, const model::Promises& promises) {
    const model::CrashPoint point(fs);
    CrashSearch::Judgement needs_degraded;
    for (std::size_t outcome = 0; outcome < point.outcomes(); ++outcome) {
        const model::Medium medium = point.medium(outcome);
        const auto finding = [&](const std::string& signature, const std::string& text) {
            return CrashSearch::Finding{outcome,
                                        {.signature = signature + "/after-crash",
                                         .text = point.text(outcome) + ": " + text}};
        };
        auto violation = recovery_.mount(medium, promises);
        if (violation && violation->signature == model::Recovery::needs_degraded) {
            // The administrator mounts with -o degraded then; everything else must hold.
            if (!needs_degraded && !search_.degraded())
                needs_degraded = finding(violation->signature, violation->text);
            violation = recovery_.mount(medium, promises, true);
        }
        if (violation) return finding(violation->signature, violation->text);
        if (search_.images() != CheckImages::Crash) continue;
        const model::Medium* const resumed = recovery_.after_resumed();
        const model::FsInfo& mounted = recovery_.mounted();
        std::string found = search_.judge(fs, medium, resumed == nullptr ? &mounted : nullptr);
        if (found.empty() && resumed != nullptr) {
            found = search_.judge(fs, *resumed, &mounted);
            if (!found.empty()) found = model::Recovery::once_resumed + found;
        }
        if (!found.empty()) return finding(tool_signature, found);
    }
    return needs_degraded;
}

void CrashWatch::judge_image(const model::FsInfo& fs, const char* when) {
    checked_by_tool.count();
    const std::string found = search_.judge(
        fs, model::visible_medium(fs), search_.images() == CheckImages::Commit ? &fs : nullptr);
    if (!found.empty()) sim::violation(tool_signature, std::string(when) + ": " + found);
}

}  // namespace app::crash
