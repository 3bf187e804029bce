#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/report/token.h"

namespace app::report {

/// What a search that came to its end may claim, of what, and what the claim rests on
/// (.cert.json).
struct Certificate {
    std::string program_version;
    std::uint32_t model_revision = app::report::model_revision;
    std::string scenario;              // id
    std::uint64_t content = 0;         // digest of what executions depend on
    std::uint64_t prepared_state = 0;  // digest
    std::string kernel;
    std::uint64_t kernel_hash = 0;

    std::string verdict;
    std::vector<std::string> signatures;  // of the failures that were found
    bool whole_space = false;             // no schedule was left out

    std::string grain;
    std::vector<std::string> merged_locks;    // lock classes whose sections are part of one step
    std::optional<std::uint32_t> deviations;  // the bound; nothing: none
    std::uint32_t max_steps = 0;              // of an execution; none reached it
    std::string reduction;
    std::uint64_t cache_entries = 0;  // happens-before prefixes, by 128-bit hashes; 0: none
    std::string crash_at, check_images;
    std::vector<std::string> sampled_checks;  // saw only the states of the executions that ran

    std::uint64_t executions = 0, blocked = 0, steps = 0;
    std::uint32_t depth = 0;
    unsigned jobs = 1;

    /// Whether another number of jobs would count the same executions.
    bool counts_repeat() const { return cache_entries == 0; }
};

/// JSON with a checksum.
std::string to_text(const Certificate& certificate);
sim::Result<Certificate, TokenError> parse_certificate(std::string_view text);
/// For people: lines of "Label        text".
std::vector<std::pair<std::string, std::string>> in_words(const Certificate& certificate);

/// "interleaf-out/commit-001-6.1.cert.json"
std::string certificate_name(const std::string& folder, const std::string& scenario,
                             const std::string& kernel);

}  // namespace app::report
