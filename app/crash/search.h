#pragma once
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "app/scenario/program.h"
#include "model/crash.h"
#include "model/kernel_version.h"
#include "model/mkfs.h"
#include "model/recovery.h"

/// What a search does besides running executions: it stops the machine in them, and has the devices
/// judged by btrfs check.
namespace app::crash {

/// Where executions are stopped.
struct CrashSet {
    enum class Kind { None, EveryFlush, EveryWrite, Flush };
    Kind kind = Kind::None;
    std::uint64_t number = 0;  // of Flush, from 1

    /// "none", "every-flush", "every-write" or "flush:N".
    static std::optional<CrashSet> parse(const std::string& text);
    std::string text() const;
};

/// Whose images btrfs check judges.
enum class CheckImages { None, Commit, Crash, End };
const char* to_string(CheckImages when);

struct CrashCounts {
    std::uint64_t points = 0, media = 0;            // met
    std::uint64_t distinct_points = 0;              // mounted
    std::uint64_t images = 0, distinct_images = 0;  // met, judged
};

/// What the workers of one search share: each state is judged once, whoever meets it.
class CrashSearch {
  public:
    /// @param degraded  a mount may need `degraded`: no finding
    CrashSearch(const CrashSet& where, CheckImages images, bool degraded = false)
        : where_(where), images_(images), degraded_(degraded) {}

    const CrashSet& where() const { return where_; }
    CheckImages images() const { return images_; }
    bool degraded() const { return degraded_; }

    /// What was found wrong with one crash point: the number of its medium, and why.
    struct Finding {
        std::size_t outcome = 0;
        sim::Violation violation;
    };
    using Judgement = std::optional<Finding>;
    /// The judgement of a state that somebody met before; nothing if nobody did.
    std::optional<Judgement> known(std::uint64_t point) const;
    void remember(std::uint64_t point, const Judgement& judgement);
    void count_point(std::size_t media);

    /// Has an image judged, if nobody has: by btrfs check, and dump-tree must list what the model
    /// has.
    /// @param same  a filesystem whose committed trees are those of the medium; null: none
    /// @return complaints; empty: clean
    std::string judge(const model::FsInfo& fs, const model::Medium& medium,
                      const model::FsInfo* same);
    CrashCounts counts() const;

  private:
    CrashSet where_;
    CheckImages images_;
    bool degraded_;
    mutable std::mutex mutex_;
    std::map<std::uint64_t, Judgement> points_;
    std::map<std::uint64_t, std::string> judged_;  // complaints by content
    std::atomic<std::uint64_t> met_points_{0}, met_media_{0}, met_images_{0};
};

/// The options with a search's eyes on the devices, if it wants any.
scenario::ProgramOptions program_options(const std::shared_ptr<CrashSearch>& search,
                                         const model::KernelVersion& kernel,
                                         const model::Geometry& geometry);

}  // namespace app::crash
