#pragma once
#include <cstdint>
#include <string>

#include "app/json.h"

namespace app::report {

/// A 64-bit number in a document: sixteen digits of base 16, since JSON numbers lose the last bits.
std::string hex(std::uint64_t value);
/// @throws Json::exception  where there is none
std::uint64_t from_hex(const Json& json);

}  // namespace app::report
