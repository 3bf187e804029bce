#pragma once
#include <nlohmann/json.hpp>
#include <string>

namespace app::report {

/// Documents that are read again carry a checksum of all else they hold.
void seal(nlohmann::ordered_json& json);
bool is_sealed(const nlohmann::ordered_json& json);

}  // namespace app::report
