#pragma once
#include <nlohmann/json.hpp>

namespace app {

/// What is written for people and programs: the members of an object stay in the order they were
/// given in.
using Json = nlohmann::ordered_json;
/// What is compared and patched: they are in the order of their names.
using SortedJson = nlohmann::json;

}  // namespace app
