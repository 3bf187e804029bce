#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/report/answers.h"
#include "app/report/token.h"

namespace app::report {

/// What a search's executions are spent on: reversible races, most of one kind of object first. A
/// race may be over several kinds.
struct Costs {
    struct Kind {
        std::string object;
        std::uint64_t races = 0;
    };
    std::uint64_t executions = 0, races = 0;
    std::vector<Kind> kinds;
    double share(const Kind& kind) const {
        return races == 0 ? 0 : static_cast<double>(kind.races) / static_cast<double>(races);
    }
};
/// "41.0% over ref_head, 22.5% over trans_lock, 3 other kinds of objects"
std::string shares_in_words(const Costs& costs);

/// Raised whenever a search may run other executions of the same program within the same bounds.
inline constexpr std::uint32_t search_revision = 7;

/// What a search that came to its end may claim, of what, and what the claim rests on
/// (.cert.json).
struct Certificate {
    std::string program_version;
    std::uint32_t model_revision = app::report::model_revision;
    std::uint32_t search_revision = app::report::search_revision;
    std::string scenario;              // id
    std::uint64_t content = 0;         // digest of what executions depend on
    std::uint64_t prepared_state = 0;  // digest
    std::string kernel;
    std::uint64_t kernel_hash = 0;

    std::string verdict;
    std::vector<std::string> signatures;  // of the failures that were found
    bool whole_space = false;             // no schedule was left out

    std::string grain;
    std::vector<std::string> merged_locks;  // lock classes whose sections are part of one step
    std::vector<std::string> split;  // kinds of objects whose accesses are steps of their own,
                                     // though declared Locked: they had no order
    std::optional<std::uint32_t> deviations;  // the bound; nothing: none
    std::uint32_t max_steps = 0;              // of an execution; none reached it
    std::string reduction;
    std::uint64_t cache_entries = 0;  // happens-before prefixes, by 128-bit hashes; 0: none
    std::string crash_at, check_images;
    std::vector<std::string> sampled_checks;  // saw only the states of the executions that ran

    std::uint64_t executions = 0, blocked = 0, steps = 0;
    std::uint32_t depth = 0;
    unsigned jobs = 1;
    // When asked for:
    std::optional<Costs> costs;
    std::optional<double> self_check;  // the share of executions that were checked
    std::uint64_t pairs_swapped = 0;   // adjacent independent steps, all without a difference

    /// All that the search asked of its kernel; nothing where not all of it is known. The search is
    /// the same on other kernels, too: same_search_on().
    std::optional<Asked> asked;

    /// Of a cell of the matrix. Its search ends with the least bound at which something fails.
    struct Cell {
        std::optional<std::uint32_t> wanted;  // the bound that was asked for; nothing: none
        std::string frequency;                // never, sometimes, always
        std::uint64_t failing = 0;            // executions that were seen to fail
        std::string witness;                  // token, or failure file, of one; empty: none fails
        std::string same_as;        // the kernel whose search this is; empty: searched itself
        std::uint64_t time_ms = 0;  // that the search took when it was recorded
    };
    std::optional<Cell> cell;

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
