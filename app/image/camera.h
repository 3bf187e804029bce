#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "app/image/image.h"

namespace app::image {

/// When an image is taken.
struct Moment {
    enum class Kind { End, Commit, Step, Crash };
    Kind kind = Kind::End;
    std::uint64_t number = 0;

    /// "end", "commit:N", "step:N" or "crash:N".
    static std::optional<Moment> parse(const std::string& text);
    std::string text() const;
};

/// Takes an image at a commit, or of what a crash leaves. Counts on when it is past: then it is
/// known how many there were.
class Camera final : public model::MediumObserver {
  public:
    explicit Camera(const Moment& moment, std::optional<Image>& taken, std::string& what,
                    std::uint64_t& count)
        : moment_(moment), taken_(taken), what_(what), count_(count) {}

    void begun(model::FsInfo& fs) override;
    void before_device_event(model::FsInfo& fs, const model::DevRequest& request) override;
    void after_device_event(model::FsInfo& fs, const model::DevRequest& request) override;
    void before_promise(model::FsInfo& fs) override;
    void after_promise(model::FsInfo& fs) override;
    void committed(model::FsInfo& fs) override;
    void ended(model::FsInfo& fs) override;

  private:
    void crash(const model::FsInfo& fs);

    Moment moment_;
    std::optional<Image>& taken_;
    std::string& what_;
    std::uint64_t& count_;
};

}  // namespace app::image
