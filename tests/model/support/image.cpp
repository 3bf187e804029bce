#include "tests/model/support/image.h"

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace test {
namespace fs = std::filesystem;
using namespace model;

TemporaryFolder::TemporaryFolder() {
    std::string name = (fs::temp_directory_path() / "interleaf-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
}
TemporaryFolder::~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
}

namespace {

void dump_device(const Device& device, const fs::path& file, Content content) {
    std::ofstream image(file, std::ios::binary);
    const auto write = [&](u64 physical, const Sector& sector) {
        std::array<unsigned char, sectorsize> bytes;
        expand_sector(sector, bytes.data());
        image.seekp(static_cast<std::streamoff>(physical));
        image.write(reinterpret_cast<const char*>(bytes.data()), sectorsize);
    };
    for (const auto& [physical, sector] : device.disk.durable)
        write(physical, sector);
    if (content == Content::Visible)
        for (const auto& [physical, sector] : device.disk.cached)
            write(physical, sector);
    image.close();
    fs::resize_file(file, device.disk_total_bytes);
}

struct CommandResult {
    int status = -1;
    std::string output;
};

CommandResult run(const std::string& command) {
    CommandResult result;
    FILE* const pipe = popen((command + " 2>&1").c_str(), "r");
    if (pipe == nullptr) return result;
    std::array<char, 4096> buffer;
    for (std::size_t n = 0; (n = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
        result.output.append(buffer.data(), n);
    const int status = pclose(pipe);
    result.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return result;
}

/// Lines that the tool prints when it finds nothing.
bool is_progress(const std::string& line) {
    constexpr std::string_view starts[] = {
        "[",      "Opening filesystem", "Checking filesystem on", "UUID:",
        "total ", "btree space waste",  "file data blocks",       " referenced"};
    for (const std::string_view start : starts)
        if (line.starts_with(start)) return true;
    const bool found_bytes =
        line.starts_with("found ") && line.ends_with("bytes used, no error found");
    return line.empty() || found_bytes;
}

bool says_only_progress(const std::string& output) {
    std::istringstream lines(output);
    for (std::string line; std::getline(lines, line);)
        if (!is_progress(line)) return false;
    return true;
}

/// libblkid finds the filesystem's other devices through this file; it rewrites it, so each run has
/// its own.
fs::path write_blkid_cache(const fs::path& folder) {
    const fs::path file = folder / "blkid.tab";
    std::ofstream cache(file);
    unsigned number = 1;
    for (const auto& entry : fs::directory_iterator(folder))
        if (entry.path().extension() == ".img")
            cache << "<device DEVNO=\"0x" << std::hex << number++
                  << "\" TIME=\"1000.0\" TYPE=\"btrfs\">" << entry.path().string() << "</device>\n";
    return file;
}

}  // namespace

void dump_devices(const FsInfo& filesystem, const fs::path& folder, Content content) {
    const auto& opened = filesystem.fs_devices.devices;
    for (const Device* const device : opened.empty() ? filesystem.fs_devices.all_devices : opened)
        dump_device(*device, folder / (std::string(device->name) + ".img"), content);
}

CheckReport btrfs_check(const fs::path& folder, const std::string& name, const std::string& mode) {
    CheckReport report;
    report.available = run("btrfs --version").status == 0;
    if (!report.available) return report;
    const fs::path cache = write_blkid_cache(folder);
    // The cache file is honoured for uid 0 only; in a user namespace everybody is.
    const std::string as_root = geteuid() == 0 ? "" : "unshare -r ";
    const CommandResult check = run(as_root + "env BLKID_FILE=" + cache.string() +
                                    " btrfs check --readonly --check-data-csum --mode " + mode +
                                    " " + (folder / (name + ".img")).string());
    report.output = check.output;
    report.clean = check.status == 0 && says_only_progress(check.output);
    return report;
}

}  // namespace test
