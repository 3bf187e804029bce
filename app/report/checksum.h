#pragma once
#include <nlohmann/json.hpp>

/// Artefacts that notice when they were touched.
namespace app::report {

/// Sets the member "checksum" to a digest of all others.
void add_checksum(nlohmann::ordered_json& json);
bool has_right_checksum(const nlohmann::ordered_json& json);

}  // namespace app::report
