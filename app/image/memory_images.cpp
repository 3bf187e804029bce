#include "app/image/memory_images.h"

#include <unistd.h>

namespace app::image {

namespace {

/// libblkid finds the filesystem's other devices through a cache file, which it rewrites: each run
/// has its own.
MemoryFile blkid_cache(std::size_t images) {
    MemoryFile cache("blkid.tab");
    std::string text;
    for (std::size_t i = 0; i < images; ++i)
        text += "<device DEVNO=\"0x" + std::to_string(1001 + i) +
                "\" TIME=\"1000.0\" TYPE=\"btrfs\">" + passed_path(i) + "</device>\n";
    // Without it the program misses the other devices, and says so.
    static_cast<void>(!::write(cache.descriptor(), text.data(), text.size()));
    return cache;
}

}  // namespace

MemoryImages::MemoryImages(const Image& image) {
    for (const DeviceImage& device : image.devices) {
        if (device.devid == 0) continue;
        devices_.push_back(device.name);
        files_.emplace_back("image");
        const std::string failed = write_image(files_.back().descriptor(), device);
        if (error_.empty()) error_ = failed;
    }
}

std::unique_ptr<Process> MemoryImages::start(std::vector<std::string> words,
                                             std::size_t device) const {
    std::vector<int> passed;
    for (const MemoryFile& file : files_)
        passed.push_back(file.descriptor());
    std::vector<std::pair<std::string, std::string>> variables{{"LC_ALL", "C"}};
    words.push_back(passed_path(device));
    if (files_.size() == 1) return std::make_unique<Process>(words, variables, passed);
    const MemoryFile cache = blkid_cache(files_.size());
    passed.push_back(cache.descriptor());
    variables.emplace_back("BLKID_FILE", passed_path(files_.size()));
    // The variable is honoured for uid 0 only; in a user namespace everybody is.
    if (::geteuid() != 0) words.insert(words.begin(), {"unshare", "-r"});
    return std::make_unique<Process>(words, variables, passed);
}

}  // namespace app::image
