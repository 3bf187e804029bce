#pragma once
#include <nlohmann/json.hpp>
#include <string>

namespace app {

/// What is written for people and programs: the members of an object stay in the order they were
/// given in.
using Json = nlohmann::ordered_json;
/// What is compared and patched: they are in the order of their names.
using SortedJson = nlohmann::json;

/// The member, if it is a string; else nothing.
inline std::string string_at(const Json& json, const char* key) {
    const auto it = json.find(key);
    return it == json.end() || !it->is_string() ? "" : it->get<std::string>();
}

}  // namespace app
