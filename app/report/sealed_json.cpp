#include "app/report/sealed_json.h"

#include "app/scenario/words.h"
#include "sim/hash.h"

namespace app::report {

namespace {

std::string checksum(nlohmann::ordered_json json) {
    json.erase("checksum");
    return scenario::hex_digits(sim::hash_text(json.dump()), 16);
}

}  // namespace

void seal(nlohmann::ordered_json& json) {
    json["checksum"] = checksum(json);
}

bool is_sealed(const nlohmann::ordered_json& json) {
    return json.value("checksum", nlohmann::ordered_json()) == checksum(json);
}

}  // namespace app::report
