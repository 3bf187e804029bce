#include "app/image/image.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "model/fs_info.h"

namespace app::image {

namespace {

const model::SuperBlock* super_of(const model::Medium& medium, std::size_t device) {
    const model::Held* const held = medium.find(device, model::super_info_offset);
    if (held == nullptr || held->bytes == nullptr) return nullptr;
    return reinterpret_cast<const model::SuperBlock*>(held->bytes);
}

void append(std::vector<DeviceImage::Run>& runs, std::uint64_t offset, const model::Held& held) {
    if (runs.empty() || runs.back().offset + runs.back().bytes.size() != offset)
        runs.push_back({.offset = offset, .bytes = {}});
    std::vector<unsigned char>& bytes = runs.back().bytes;
    bytes.resize(bytes.size() + model::sectorsize);
    model::expand_held(held, bytes.data() + bytes.size() - model::sectorsize);
}

DeviceImage take_device(const model::Device& device, const model::Medium& medium) {
    const model::SuperBlock* const super = super_of(medium, device.index);
    DeviceImage image{.name = std::string(std::string_view(device.name)),
                      .devid = super->dev_item.devid,
                      .bytes = device.disk_total_bytes,
                      .runs = {}};
    for (const auto& [physical, held] : medium.places(device.index))
        append(image.runs, physical, held);
    return image;
}

std::string system_error() {
    return std::strerror(errno);
}

}  // namespace

Image take_image(const model::FsInfo& fs, const model::Medium& medium) {
    Image image;
    for (const model::Device* const device : fs.fs_devices.all_devices) {
        if (!model::holds_super(medium, device->index)) continue;
        image.devices.push_back(take_device(*device, medium));
        const std::uint64_t generation = super_of(medium, device->index)->generation;
        image.generation = std::max(image.generation, generation);
    }
    return image;
}

std::string write_image(int descriptor, const DeviceImage& device) {
    if (::ftruncate(descriptor, static_cast<off_t>(device.bytes)) != 0) return system_error();
    for (const DeviceImage::Run& run : device.runs) {
        for (std::size_t done = 0; done < run.bytes.size();) {
            const ssize_t written =
                ::pwrite(descriptor, run.bytes.data() + done, run.bytes.size() - done,
                         static_cast<off_t>(run.offset + done));
            if (written < 0 && errno == EINTR) continue;
            if (written < 0) return system_error();
            done += static_cast<std::size_t>(written);
        }
    }
    return "";
}

}  // namespace app::image
