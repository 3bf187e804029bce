#include "app/cli/output.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace app::cli {

namespace {

std::string system_error(const std::string& what) {
    return what + ": " + std::strerror(errno);
}

}  // namespace

AtomicFile::AtomicFile(AtomicFile&& other) noexcept {
    *this = std::move(other);
}

AtomicFile& AtomicFile::operator=(AtomicFile&& other) noexcept {
    if (this == &other) return *this;
    discard();
    file_ = std::move(other.file_);
    temporary_ = std::move(other.temporary_);
    descriptor_ = std::exchange(other.descriptor_, -1);
    return *this;
}

AtomicFile::~AtomicFile() {
    discard();
}

void AtomicFile::discard() noexcept {
    if (descriptor_ < 0) return;
    ::close(std::exchange(descriptor_, -1));
    if (temporary_ != file_) ::unlink(temporary_.c_str());
}

std::string AtomicFile::open(const std::string& file) {
    discard();
    file_ = file;
    struct stat status {};
    if (::stat(file.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
        // A device or pipe (/dev/null, /dev/full, a process substitution) is written to as it is.
        temporary_ = file;
        descriptor_ = ::open(file.c_str(), O_WRONLY | O_CLOEXEC);
    } else {
        temporary_ = file + "." + std::to_string(::getpid()) + ".tmp";
        descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    }
    return descriptor_ < 0 ? system_error("cannot write " + file) : "";
}

std::string mistake_in_name(const std::string& file) {
    struct stat status {};
    if (::stat(file.c_str(), &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode))
        return "";
    return AtomicFile().open(file);
}

std::string AtomicFile::failed(const std::string& error) {
    discard();
    return "cannot write " + file_ + ": " + error;
}

std::string AtomicFile::commit(const std::string& content) {
    if (const std::string error = write_all(descriptor_, content); !error.empty())
        return failed(error);
    std::string error = sync();
    return error.empty() ? publish() : error;
}

std::string AtomicFile::sync() {
    return renames() && ::fsync(descriptor_) != 0 ? failed(system_error("sync")) : "";
}

std::string AtomicFile::publish() {
    if (renames() && ::rename(temporary_.c_str(), file_.c_str()) != 0)
        return failed(system_error("rename"));
    ::close(std::exchange(descriptor_, -1));
    return "";
}

std::string write_all(int descriptor, const std::string& content) {
    std::size_t at = 0;
    while (at < content.size()) {
        const ssize_t written = ::write(descriptor, content.data() + at, content.size() - at);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return std::strerror(errno);
        at += static_cast<std::size_t>(written);
    }
    return "";
}

}  // namespace app::cli
