#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "app/report/token.h"
#include "sim/meaning.h"

namespace app::report {

/// One execution as a file (.ilf): everything a token holds, of any length, and the meaning of each
/// step.
struct FailureFile {
    Token token;
    std::string verdict, signature, text;
    std::uint64_t trace_hash = 0;
    std::vector<sim::Meaning> steps;
    std::string definition;  // the scenario itself, where the library does not have it; else empty
};

/// JSON with a checksum.
std::string to_text(const FailureFile& file);
sim::Result<FailureFile, TokenError> parse_failure_file(std::string_view text);

}  // namespace app::report
