#pragma once
#include <filesystem>
#include <string>

#include "model/fs_info.h"

namespace test {

/// A folder of its own, gone with its owner.
class TemporaryFolder {
  public:
    TemporaryFolder();
    ~TemporaryFolder();
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

enum class Content : std::uint8_t {
    Visible,  ///< what a read returns now
    Durable,  ///< what is left when the machine stops and the caches are lost
};

/// Writes what the opened devices of `fs` hold into sparse files NAME.img of the folder.
void dump_devices(const model::FsInfo& fs, const std::filesystem::path& folder, Content content);

/// What btrfs-progs says of an image.
struct CheckReport {
    bool available = false;  // the tool is there
    bool clean = false;      // exit status 0, and nothing said besides progress
    std::string output;
};
/// `btrfs check --readonly --check-data-csum` of NAME.img; the folder's other images stand for the
/// other devices.
/// @param mode  "original" or "lowmem"
CheckReport btrfs_check(const std::filesystem::path& folder, const std::string& name,
                        const std::string& mode);

}  // namespace test
