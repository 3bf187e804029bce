#include "app/cli/image_files.h"

#include <filesystem>
#include <vector>

#include "app/cli/output.h"

namespace app::cli {

std::string save_images(const image::Image& image, const std::string& folder) {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) return "cannot make the folder " + folder + ": " + error.message();
    std::vector<AtomicFile> files(image.devices.size());
    for (std::size_t i = 0; i < files.size(); ++i) {
        const std::string name = folder + "/" + image.devices[i].file_name();
        if (std::string failed = files[i].open(name); !failed.empty()) return failed;
        if (const std::string failed = image::write_image(files[i].descriptor(), image.devices[i]);
            !failed.empty())
            return "cannot write " + name + ": " + failed;
        if (std::string failed = files[i].sync(); !failed.empty()) return failed;
    }
    for (AtomicFile& file : files)
        if (std::string failed = file.publish(); !failed.empty()) return failed;
    return "";
}

}  // namespace app::cli
