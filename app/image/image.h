#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "model/medium.h"

/// What simulated devices hold, as files that btrfs-progs and kernels read.
namespace app::image {

/// One device, copied out of its simulation.
struct DeviceImage {
    /// Neighbouring sectors.
    struct Run {
        std::uint64_t offset = 0;
        std::vector<unsigned char> bytes;
    };
    std::string name;
    std::uint64_t devid = 0;  // 0: the target of a running replace
    std::uint64_t bytes = 0;  // of the whole device
    std::vector<Run> runs;    // by offset; everything else is zero

    std::string file_name() const { return name + ".img"; }
};

/// The devices that hold a filesystem, in the scenario's order.
struct Image {
    std::vector<DeviceImage> devices;
    std::uint64_t generation = 0;  // of the newest super block
};

/// @param medium  of `fs`: spares that hold no super block are left out
Image take_image(const model::FsInfo& fs, const model::Medium& medium);

/// Writes the device into an empty file, sparse. @return what went wrong; empty: nothing
std::string write_image(int descriptor, const DeviceImage& device);

}  // namespace app::image
