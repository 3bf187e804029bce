#include "model/device.h"

#include "model/fs_info.h"

namespace model {

Device::Device(FsInfo& owner, std::string_view device_name, u16 device_index, u64 bytes)
    : fs(owner), name(device_name), index(device_index), total_bytes(bytes),
      disk_total_bytes(bytes), commit_total_bytes(bytes), obj(objects::device, device_index, this),
      sizes_obj(objects::device, device_index, this),
      commit_sizes_obj(objects::device, device_index, this), dev_state(0, device_index),
      queue_obj(objects::dev_queue, device_index, this),
      medium_obj(objects::medium, device_index, this),
      cache_obj(objects::device_cache, device_index, this) {}

Device* find_device(FsInfo& fs, Devid devid) {
    for (Device* const device : fs.fs_devices.devices)
        if (device->devid == devid) return device;
    return nullptr;
}

Device* find_device_by_name(FsInfo& fs, std::string_view name) {
    constexpr std::string_view folder = "/dev/";
    if (name.starts_with(folder)) name.remove_prefix(folder.size());
    for (Device* const device : fs.fs_devices.all_devices)
        if (std::string_view(device->name) == name) return device;
    return nullptr;
}

void copy_sizes(const Device& from, Device& to) {
    to.total_bytes = from.total_bytes;
    to.disk_total_bytes = from.disk_total_bytes;
    to.commit_total_bytes = from.commit_total_bytes;
    to.bytes_used = from.bytes_used;
    to.commit_bytes_used = from.commit_bytes_used;
}

std::string device_path(const Device& device) {
    return "/dev/" + std::string(device.name.data(), device.name.size());
}

}  // namespace model
