#pragma once
#include <optional>
#include <string>

namespace app::cli {

/// A file that appears whole or not at all: written under a temporary name beside it, synced,
/// renamed.
class AtomicFile {
  public:
    AtomicFile() = default;
    AtomicFile(AtomicFile&& other) noexcept;
    AtomicFile& operator=(AtomicFile&& other) noexcept;
    AtomicFile(const AtomicFile&) = delete;
    AtomicFile& operator=(const AtomicFile&) = delete;
    ~AtomicFile();

    /// Opens the temporary file, so that a wrong name is known before the work is done.
    /// @return what went wrong; empty: nothing
    std::string open(const std::string& file);
    /// Writes and renames. @return what went wrong; empty: nothing
    std::string commit(const std::string& content);
    /// The same in steps, for who writes by himself: to the temporary file, synced, renamed.
    int descriptor() const { return descriptor_; }
    std::string sync();
    std::string publish();
    bool is_open() const { return descriptor_ >= 0; }

  private:
    void discard() noexcept;
    bool renames() const { return temporary_ != file_; }
    /// Gives up. @return the message
    std::string failed(const std::string& error);

    std::string file_, temporary_;
    int descriptor_ = -1;
};

/// Whether a file could be written now, so that a wrong name is known before the work is done. Of a
/// device or pipe nothing is said: whoever reads would take the closing for the end.
/// @return what would go wrong; empty: nothing
std::string mistake_in_name(const std::string& file);

/// Writes everything to a file descriptor. @return what went wrong; empty: nothing
std::string write_all(int descriptor, const std::string& content);

}  // namespace app::cli
