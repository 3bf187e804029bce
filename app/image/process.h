#pragma once
#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace app::image {

/// A file in memory, for a program that wants a name: /proc/self/fd/N.
class MemoryFile {
  public:
    explicit MemoryFile(const char* name);
    MemoryFile(MemoryFile&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
    MemoryFile& operator=(MemoryFile&& other) noexcept {
        std::swap(descriptor_, other.descriptor_);
        return *this;
    }
    MemoryFile(const MemoryFile&) = delete;
    MemoryFile& operator=(const MemoryFile&) = delete;
    ~MemoryFile();
    int descriptor() const { return descriptor_; }

  private:
    int descriptor_;
};

/// Files as a started program has them: the i-th one is /proc/self/fd/(first_passed + i).
inline constexpr int first_passed = 10;
std::string passed_path(std::size_t index);

/// What a program said and how it ended.
struct ProcessResult {
    bool started = false;
    bool timed_out = false;
    int status = -1;   // exit status; of a program that died by a signal: -1
    int signal = 0;    // that ended it
    std::string text;  // stdout and stderr, as they came
};

/// A program that runs beside this one, with its output collected.
class Process {
  public:
    /// @param words   program (searched in PATH) and arguments
    /// @param extra   variables on top of the environment
    /// @param passed  descriptors for it
    Process(const std::vector<std::string>& words,
            const std::vector<std::pair<std::string, std::string>>& extra,
            const std::vector<int>& passed);
    ~Process();
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    /// Reads until it ends; ends it after the time limit.
    ProcessResult wait(std::chrono::milliseconds limit);

  private:
    int pid_ = -1;
    int output_ = -1;
};

/// Runs a program to its end.
ProcessResult run_process(const std::vector<std::string>& words,
                          const std::vector<std::pair<std::string, std::string>>& extra = {},
                          const std::vector<int>& passed = {},
                          std::chrono::milliseconds limit = std::chrono::minutes(1));

/// Whether PATH has a program of this name.
bool is_installed(const std::string& program);

}  // namespace app::image
