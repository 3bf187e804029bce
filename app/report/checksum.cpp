#include "app/report/checksum.h"

#include "app/scenario/words.h"
#include "sim/hash.h"

namespace app::report {

namespace {

std::string checksum(Json json) {
    json.erase("checksum");
    return scenario::hex_digits(sim::hash_text(json.dump()), 16);
}

}  // namespace

void add_checksum(Json& json) {
    json["checksum"] = checksum(json);
}

sim::Result<Json, TokenError> open_artefact(std::string_view text, std::string_view format,
                                            int version, const std::string& what) {
    Json json = Json::parse(text, nullptr, false);
    if (json.is_discarded() || !json.is_object() || json.value("format", Json()) != format)
        return TokenError{"this is not " + what + ", or it is damaged"};
    if (json.value("version", Json()) != version)
        return TokenError{what + " is of version " + json.value("version", Json()).dump() +
                          ", and this version reads " + std::to_string(version)};
    if (json.value("checksum", Json()) != checksum(json))
        return TokenError{what + " is damaged: its checksum is wrong"};
    return json;
}

}  // namespace app::report
