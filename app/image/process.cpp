#include "app/image/process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <sstream>

namespace app::image {

namespace {

/// The environment with some variables set anew.
std::vector<std::string>
environment_with(const std::vector<std::pair<std::string, std::string>>& extra) {
    std::vector<std::string> variables;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string variable = *entry;
        const std::string name = variable.substr(0, variable.find('='));
        bool replaced = false;
        for (const auto& each : extra)
            replaced |= each.first == name;
        if (!replaced) variables.push_back(variable);
    }
    for (const auto& [name, value] : extra)
        variables.push_back(name + "=" + value);
    return variables;
}

std::vector<char*> pointers(std::vector<std::string>& words) {
    std::vector<char*> list;
    for (std::string& word : words)
        list.push_back(word.data());
    list.push_back(nullptr);
    return list;
}

}  // namespace

MemoryFile::MemoryFile(const char* name) : descriptor_(::memfd_create(name, MFD_CLOEXEC)) {}

MemoryFile::~MemoryFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

std::string passed_path(std::size_t index) {
    return "/proc/self/fd/" + std::to_string(static_cast<std::size_t>(first_passed) + index);
}

Process::Process(const std::vector<std::string>& words,
                 const std::vector<std::pair<std::string, std::string>>& extra,
                 const std::vector<int>& passed) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
    // In two rounds: a descriptor to pass on may itself have one of the numbers wanted.
    const auto count = static_cast<int>(passed.size());
    const int parked = first_passed + 100;
    for (int i = 0; i < count; ++i)
        posix_spawn_file_actions_adddup2(&actions, passed[static_cast<std::size_t>(i)], parked + i);
    for (int i = 0; i < count; ++i) {
        posix_spawn_file_actions_adddup2(&actions, parked + i, first_passed + i);
        posix_spawn_file_actions_addclose(&actions, parked + i);
    }
    std::vector<std::string> arguments = words;
    std::vector<std::string> variables = environment_with(extra);
    // In a group of its own: what interrupts this program must not look like the other's verdict.
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    pid_t pid = -1;
    const int error = ::posix_spawnp(&pid, words[0].c_str(), &actions, &attributes,
                                     pointers(arguments).data(), pointers(variables).data());
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    ::close(ends[1]);
    if (error != 0) {
        ::close(ends[0]);
        return;
    }
    pid_ = pid;
    output_ = ends[0];
}

Process::~Process() {
    if (pid_ > 0) wait(std::chrono::milliseconds(0));
}

ProcessResult Process::wait(std::chrono::milliseconds limit) {
    using Clock = std::chrono::steady_clock;
    ProcessResult result;
    if (pid_ < 0) return result;
    result.started = true;
    const auto deadline = Clock::now() + limit;
    for (char buffer[16384];;) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
        pollfd waiting{.fd = output_, .events = POLLIN, .revents = 0};
        const int ready = left > 0 ? ::poll(&waiting, 1, static_cast<int>(left)) : 0;
        if (ready < 0 && errno == EINTR) continue;
        if (ready <= 0) {
            result.timed_out = true;
            ::kill(pid_, SIGKILL);
            break;
        }
        const ssize_t got = ::read(output_, buffer, sizeof buffer);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        result.text.append(buffer, static_cast<std::size_t>(got));
    }
    ::close(std::exchange(output_, -1));
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    if (WIFEXITED(status)) result.status = WEXITSTATUS(status);
    if (WIFSIGNALED(status)) result.signal = WTERMSIG(status);
    return result;
}

ProcessResult run_process(const std::vector<std::string>& words,
                          const std::vector<std::pair<std::string, std::string>>& extra,
                          const std::vector<int>& passed, std::chrono::milliseconds limit) {
    return Process(words, extra, passed).wait(limit);
}

bool is_installed(const std::string& program) {
    const char* const path = std::getenv("PATH");
    std::istringstream folders(path == nullptr ? "/usr/bin:/bin" : path);
    for (std::string folder; std::getline(folders, folder, ':');)
        if (::access((folder + "/" + program).c_str(), X_OK) == 0) return true;
    return false;
}

}  // namespace app::image
