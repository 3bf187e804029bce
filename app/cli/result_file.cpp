#include "app/cli/result_file.h"

#include "app/cli/output.h"

namespace app::cli {

std::optional<Failure> deliver(const std::string& file, const std::string& content,
                               Report& report) {
    if (file == "-") {
        report.text = content;
        return std::nullopt;
    }
    AtomicFile output;
    std::string error = output.open(file);
    if (error.empty()) error = output.commit(content);
    if (!error.empty())
        return Failure{
            .exit = exit_code::usage, .message = std::move(error), .nearest = {}, .where = {}};
    return std::nullopt;
}

std::string bytes_text(std::size_t bytes) {
    constexpr std::size_t kib = 1024;
    return bytes < 10 * kib ? grouped(bytes) + " bytes" : grouped(bytes / kib) + " KiB";
}

}  // namespace app::cli
