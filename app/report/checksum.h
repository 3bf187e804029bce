#pragma once
#include "app/json.h"
#include "app/report/token.h"

/// Artefacts that notice when they were touched.
namespace app::report {

/// Sets the member "checksum" to a digest of all others.
void add_checksum(Json& json);
/// The document of an artefact that is whole. @param format  what its member "format" says
/// @param version  the one that can be read  @param what  its name in messages: "the certificate"
sim::Result<Json, TokenError> open_artefact(std::string_view text, std::string_view format,
                                            int version, const std::string& what);

}  // namespace app::report
