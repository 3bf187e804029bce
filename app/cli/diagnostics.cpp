#include "app/cli/diagnostics.h"

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>

namespace app::cli {

namespace {

std::shared_ptr<spdlog::logger> make_logger(const char* name, const char* end_of_line) {
    auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    auto logger = std::make_shared<spdlog::logger>(name, std::move(sink));
    logger->set_formatter(std::make_unique<spdlog::pattern_formatter>(
        "%v", spdlog::pattern_time_type::local, end_of_line));
    logger->set_level(spdlog::level::trace);
    logger->flush_on(spdlog::level::trace);
    return logger;
}

}  // namespace

Diagnostics::Diagnostics()
    : lines_(make_logger("interleaf", "\n")), raw_(make_logger("interleaf-live", "")) {}

void Diagnostics::error(const std::string& text) {
    lines_->log(spdlog::level::err, "interleaf: {}", text);
}

void Diagnostics::warning(const std::string& text) {
    lines_->log(spdlog::level::warn, "interleaf: warning: {}", text);
}

void Diagnostics::info(const std::string& text) {
    if (!quiet_) lines_->log(spdlog::level::info, "{}", text);
}

void Diagnostics::tip(const std::string& text) {
    if (!tips_ || quiet_ || told_.find(text + "\n") != std::string::npos) return;
    told_ += text + "\n";
    lines_->log(spdlog::level::info, "tip: {}", text);
}

void Diagnostics::raw(const std::string& text) {
    if (!quiet_) raw_->log(spdlog::level::info, "{}", text);
}

}  // namespace app::cli
