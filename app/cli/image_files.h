#pragma once
#include <string>

#include "app/image/image.h"

namespace app::cli {

/// Writes NAME.img for each device into a folder, made if it is not there: all of them or none.
/// @return what went wrong; empty: nothing
std::string save_images(const image::Image& image, const std::string& folder);

}  // namespace app::cli
