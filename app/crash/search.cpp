#include "app/crash/search.h"

#include "app/crash/watch.h"
#include "app/image/btrfs_check.h"
#include "app/image/listing.h"
#include "app/scenario/words.h"
#include "model/fs_info.h"

namespace app::crash {

std::optional<CrashSet> CrashSet::parse(const std::string& text) {
    if (text == "none") return CrashSet{};
    if (text == "every-flush") return CrashSet{Kind::EveryFlush, 0};
    if (text == "every-write") return CrashSet{Kind::EveryWrite, 0};
    constexpr std::string_view flush = "flush:";
    if (!text.starts_with(flush)) return std::nullopt;
    const auto number = scenario::parse_number(text.substr(flush.size()));
    if (!number || *number == 0) return std::nullopt;
    return CrashSet{Kind::Flush, *number};
}

std::string CrashSet::text() const {
    switch (kind) {
    case Kind::None:
        return "none";
    case Kind::EveryFlush:
        return "every-flush";
    case Kind::EveryWrite:
        return "every-write";
    case Kind::Flush:
        return "flush:" + std::to_string(number);
    }
    return "";
}

const char* to_string(CheckImages when) {
    switch (when) {
    case CheckImages::None:
        return "none";
    case CheckImages::Commit:
        return "commit";
    case CheckImages::Crash:
        return "crash";
    case CheckImages::End:
        return "end";
    }
    return "";
}

std::optional<CrashSearch::Judgement> CrashSearch::known(std::uint64_t point) const {
    const std::lock_guard guard(mutex_);
    const auto found = points_.find(point);
    if (found == points_.end()) return std::nullopt;
    return found->second;
}

void CrashSearch::remember(std::uint64_t point, const Judgement& judgement) {
    const std::lock_guard guard(mutex_);
    points_.emplace(point, judgement);
}

void CrashSearch::count_point(std::size_t media) {
    met_points_.fetch_add(1, std::memory_order_relaxed);
    met_media_.fetch_add(media, std::memory_order_relaxed);
}

std::string CrashSearch::judge(const model::FsInfo& fs, const model::Medium& medium,
                               const model::FsInfo* same) {
    met_images_.fetch_add(1, std::memory_order_relaxed);
    {
        const std::lock_guard guard(mutex_);
        const auto found = judged_.find(medium.hash());
        if (found != judged_.end()) return found->second;
    }
    const image::Image image = image::take_image(fs, medium);
    std::string found = image::complaints(image::check_image(image));
    if (found.empty() && same != nullptr &&
        same->tree_root->commit_root->generation().get() == image.generation)
        found = image::difference(image::listing_of(*same), image::dump_tree(image));
    const std::lock_guard guard(mutex_);
    judged_.emplace(medium.hash(), found);
    return found;
}

CrashCounts CrashSearch::counts() const {
    const std::lock_guard guard(mutex_);
    return {.points = met_points_,
            .media = met_media_,
            .distinct_points = points_.size(),
            .images = met_images_,
            .distinct_images = judged_.size()};
}

scenario::ProgramOptions program_options(const std::shared_ptr<CrashSearch>& search,
                                         const model::KernelVersion& kernel,
                                         const model::Geometry& geometry) {
    scenario::ProgramOptions options;
    if (search == nullptr) return options;
    options.observer = [search, kernel, geometry] {
        return std::make_unique<CrashWatch>(*search, kernel, geometry);
    };
    return options;
}

}  // namespace app::crash
