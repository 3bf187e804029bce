#pragma once
#include <string>

#include "model/format.h"

namespace app::exporter {

/// The key and what matters of an item of a leaf, on one line:
/// "257 EXTENT_DATA 0: disk 13631488, 4096 bytes".
std::string item_text(const model::Key& key, const unsigned char* data, std::size_t size);

/// "data", "metadata dup", "system raid1": type and profile of a block group or chunk.
std::string group_type_text(std::uint64_t flags);

}  // namespace app::exporter
