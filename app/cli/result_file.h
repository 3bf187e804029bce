#pragma once
#include "app/cli/session.h"

namespace app::cli {

/// Writes what a verb made to the file of its -o, whole or not at all; "-" is stdout, and nothing
/// else stands there then. @return what went wrong
std::optional<Failure> deliver(const std::string& file, const std::string& content, Report& report);

/// "8,192 bytes", "37 KiB"
std::string bytes_text(std::size_t bytes);

}  // namespace app::cli
