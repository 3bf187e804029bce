#include "app/cli/devices.h"

#include "app/image/btrfs_check.h"

namespace app::cli {

std::shared_ptr<crash::CrashSearch> crash_search(const Session& session) {
    const Settings& settings = session.settings;
    crash::CheckImages images = settings.check_images;
    if (images != crash::CheckImages::None && !image::can_check()) {
        session.diagnostics.warning("no image is checked: there is no btrfs-progs on this system");
        images = crash::CheckImages::None;
    }
    if (settings.crash_at.kind == crash::CrashSet::Kind::None && images == crash::CheckImages::None)
        return nullptr;
    return std::make_shared<crash::CrashSearch>(settings.crash_at, images, session.has("degraded"));
}

scenario::ProgramOptions watch_devices(const Session& session, const scenario::Scenario& scenario,
                                       const model::KernelVersion& kernel) {
    return crash::program_options(crash_search(session), kernel, scenario.geometry);
}

std::string devices_options(const Session& session) {
    std::string text;
    for (const char* key : {"crash-at", "check-images"})
        if (session.has(key)) text += std::string(" --") + key + " " + session.parsed.last(key);
    if (session.has("degraded")) text += " --degraded";
    return text;
}

void describe_devices(Report& report, const std::shared_ptr<crash::CrashSearch>& search) {
    if (search == nullptr) return;
    const crash::CrashCounts counts = search->counts();
    if (search->where().kind != crash::CrashSet::Kind::None) {
        report.text += "      crashes at " + search->where().text() + ": " +
                       grouped(counts.points) + " points, " + grouped(counts.distinct_points) +
                       " distinct, each with all its media mounted\n";
        report.document["crashes"] = {{"at", search->where().text()},
                                      {"points", counts.points},
                                      {"distinct", counts.distinct_points},
                                      {"media", counts.media}};
    }
    if (search->images() != crash::CheckImages::None) {
        report.text += "      btrfs check at each " + std::string(to_string(search->images())) +
                       ": " + grouped(counts.images) + " images, " +
                       grouped(counts.distinct_images) + " distinct, clean in both modes\n";
        report.document["check_images"] = {{"at", to_string(search->images())},
                                           {"images", counts.images},
                                           {"distinct", counts.distinct_images}};
    }
}

}  // namespace app::cli
