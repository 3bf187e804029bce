#pragma once
#include <memory>
#include <string>
#include <vector>

#include "app/image/image.h"
#include "app/image/process.h"

namespace app::image {

/// An image as files in memory, for programs that find a filesystem's devices by themselves.
class MemoryImages {
  public:
    explicit MemoryImages(const Image& image);
    /// Why there are no files; empty: there are.
    const std::string& error() const { return error_; }
    /// Starts a program on a device. @param words  program and arguments before the device
    std::unique_ptr<Process> start(std::vector<std::string> words, std::size_t device) const;

  private:
    std::vector<MemoryFile> files_;
    std::string error_;
};

}  // namespace app::image
