#pragma once
#include <memory>
#include <string>
#include <vector>

#include "app/image/image.h"
#include "app/image/process.h"

namespace app::image {

/// An image as files in memory, for programs that find a filesystem's devices by themselves. The
/// target of a running replace is left out: it belongs to no chunk and no count, but the programs
/// would add its size to the filesystem's.
class MemoryImages {
  public:
    explicit MemoryImages(const Image& image);
    /// Why there are no files; empty: there are.
    const std::string& error() const { return error_; }
    /// The devices' names.
    const std::vector<std::string>& devices() const { return devices_; }
    /// Starts a program on one of them. @param words  program and arguments before the device
    std::unique_ptr<Process> start(std::vector<std::string> words, std::size_t device) const;

  private:
    std::vector<std::string> devices_;
    std::vector<MemoryFile> files_;
    std::string error_;
};

}  // namespace app::image
