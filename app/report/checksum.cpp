#include "app/report/checksum.h"

#include "app/scenario/words.h"
#include "sim/hash.h"

namespace app::report {

namespace {

std::string checksum(nlohmann::ordered_json json) {
    json.erase("checksum");
    return scenario::hex_digits(sim::hash_text(json.dump()), 16);
}

}  // namespace

void add_checksum(nlohmann::ordered_json& json) {
    json["checksum"] = checksum(json);
}

bool has_right_checksum(const nlohmann::ordered_json& json) {
    return json.value("checksum", nlohmann::ordered_json()) == checksum(json);
}

}  // namespace app::report
