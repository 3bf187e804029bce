#include "app/image/camera.h"

#include "app/scenario/words.h"
#include "model/crash.h"
#include "model/fs_info.h"

namespace app::image {

std::optional<Moment> Moment::parse(const std::string& text) {
    if (text == "end") return Moment{};
    static constexpr std::pair<std::string_view, Kind> kinds[] = {
        {"commit:", Kind::Commit}, {"step:", Kind::Step}, {"crash:", Kind::Crash}};
    for (const auto& [word, kind] : kinds) {
        if (!text.starts_with(word)) continue;
        const auto number = scenario::parse_number(text.substr(word.size()));
        const std::uint64_t least = kind == Kind::Commit ? 0 : 1;
        if (!number || *number < least) return std::nullopt;
        return Moment{kind, *number};
    }
    return std::nullopt;
}

std::string Moment::text() const {
    switch (kind) {
    case Kind::End:
        return "end";
    case Kind::Commit:
        return "commit:" + std::to_string(number);
    case Kind::Step:
        return "step:" + std::to_string(number);
    case Kind::Crash:
        return "crash:" + std::to_string(number);
    }
    return "";
}

void Camera::begun(model::FsInfo& fs) {
    count_ = 0;
    taken_.reset();
    if (moment_.kind == Moment::Kind::Commit && moment_.number == 0)
        taken_ = take_image(fs, model::visible_medium(fs));
}

void Camera::before_device_event(model::FsInfo& fs, const model::DevRequest& /*request*/) {
    crash(fs);
}

void Camera::after_device_event(model::FsInfo& fs, const model::DevRequest& request) {
    if (model::makes_durable(request)) crash(fs);
}

void Camera::before_promise(model::FsInfo& fs) {
    crash(fs);
}

void Camera::after_promise(model::FsInfo& fs) {
    crash(fs);
}

void Camera::committed(model::FsInfo& fs) {
    if (moment_.kind != Moment::Kind::Commit || ++count_ != moment_.number) return;
    taken_ = take_image(fs, model::visible_medium(fs));
}

void Camera::ended(model::FsInfo& fs) {
    crash(fs);
}

void Camera::crash(const model::FsInfo& fs) {
    if (moment_.kind != Moment::Kind::Crash) return;
    const std::uint64_t before = count_;
    count_ += model::count_outcomes(fs);
    if (moment_.number <= before || moment_.number > count_) return;
    const model::CrashPoint point(fs);
    const auto outcome = static_cast<std::size_t>(moment_.number - before - 1);
    taken_ = take_image(fs, point.medium(outcome));
    what_ = point.text(outcome);
}

}  // namespace app::image
