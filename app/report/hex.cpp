#include "app/report/hex.h"

#include "app/scenario/words.h"

namespace app::report {

std::string hex(std::uint64_t value) {
    return scenario::hex_digits(value, 16);
}

std::uint64_t from_hex(const Json& json) {
    const auto value = scenario::parse_number("0x" + json.get<std::string>());
    if (!value) throw Json::other_error::create(501, "no hexadecimal number", nullptr);
    return *value;
}

}  // namespace app::report
