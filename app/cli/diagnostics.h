#pragma once
#include <memory>
#include <string>

namespace spdlog {
class logger;
}

namespace app::cli {

/// What the program says to its user, on stderr: never part of a result.
class Diagnostics {
  public:
    Diagnostics();

    void set_quiet(bool quiet) { quiet_ = quiet; }
    void set_tips(bool tips) { tips_ = tips; }

    void error(const std::string& text);
    void warning(const std::string& text);
    void info(const std::string& text);
    /// "tip: ...", each text once.
    void tip(const std::string& text);
    /// Text as it is, without a line's end: what rewrites the line it is on.
    void raw(const std::string& text);

  private:
    std::shared_ptr<spdlog::logger> lines_, raw_;
    std::string told_;
    bool quiet_ = false;
    bool tips_ = true;
};

}  // namespace app::cli
