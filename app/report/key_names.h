#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "model/types.h"

/// The names that dump-tree prints for what keys are made of.
namespace app::report {

using KeyNames = std::map<std::string, std::uint64_t, std::less<>>;

/// Object ids and tree ids: "FS_TREE" is 5.
const KeyNames& object_names();
/// Item types: "EXTENT_DATA" is 108.
const KeyNames& item_type_names();

/// "EXTENT_DATA"; the number where it has no name.
std::string item_type_name(std::uint8_t type);
/// "FS_TREE", "257".
std::string tree_name(std::uint64_t id);
/// "257 EXTENT_DATA 4096", with the special object ids by name, as dump-tree prints keys.
std::string key_text(const model::Key& key);

}  // namespace app::report
