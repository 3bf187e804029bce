#include "app/cli/pages.h"

#include <algorithm>

#include "app/export/page.h"

namespace app::cli {

namespace {

using exporter::About;
using exporter::Json;
using exporter::Window;

constexpr std::size_t most_bytes = 5'000'000;

struct Told {
    const RecordedRun* run;
    About about;
};

/// The first passing execution that a reversed pair of steps led to.
std::string partner_of(const About& about) {
    const auto flips = about.why.find("flips");
    if (flips == about.why.end() || !flips->is_object()) return "";
    for (const Json& flip : flips->at("found"))
        if (flip.at("passing").is_string()) return flip.at("passing").get<std::string>();
    return "";
}

/// Where the window lies: around the critical step, else around the end of what is told.
std::uint32_t middle_of(const Told& told) {
    const auto critical = told.about.why.find("critical");
    if (critical != told.about.why.end() && critical->is_object())
        return critical->at("step").get<std::uint32_t>();
    const sim::ExecutionResult& result = told.run->recorded.result;
    return result.violation ? std::min(result.violation->step, result.steps) : result.steps / 2;
}

Window window_around(std::uint32_t middle, std::uint32_t count, std::uint32_t steps) {
    count = std::min(count, steps);
    const std::uint32_t half = count / 2;
    const std::uint32_t first = std::min(middle > half ? middle - half : 0, steps - count);
    return {first, count};
}

std::string page_text(std::vector<Told>& list, bool compare, const Json& notes) {
    Json book = {{"format", "interleaf-book"},
                 {"version", 1},
                 {"compare", compare},
                 {"traces", Json::array()}};
    if (!notes.empty()) book["notes"] = notes;
    for (const Told& told : list)
        book["traces"].push_back(exporter::trace_document(told.run->recorded, told.about));
    return exporter::page_with(exporter::document_text(book));
}

}  // namespace

sim::Result<Page, Failure> page_of(const Session& session, const RecordedRun& run,
                                   const RecordedRun* other, const Json& notes) {
    std::vector<Told> list;
    auto first = about(session, run);
    if (!first.ok()) return first.error();
    list.push_back({&run, std::move(first.value())});
    std::optional<RecordedRun> partner;
    if (const std::string token = partner_of(list.front().about);
        other == nullptr && !token.empty()) {
        auto found = record(session, token);
        if (!found.ok()) return found.error();
        partner = std::move(found.value());
    }
    const RecordedRun* const second = other != nullptr ? other : partner ? &*partner : nullptr;
    if (second != nullptr) {
        auto described = about(session, *second);
        if (!described.ok()) return described.error();
        list.push_back({second, std::move(described.value())});
    }
    Page page{.content = page_text(list, other != nullptr, notes),
              .steps = run.recorded.result.steps,
              .with_partner = partner.has_value()};
    constexpr std::uint32_t least_window = 64;
    while (page.content.size() > most_bytes && page.steps > least_window) {
        // In proportion, and a little less: the size is nearly that of the steps.
        const double share =
            static_cast<double>(most_bytes) / static_cast<double>(page.content.size());
        page.steps = std::max(least_window, static_cast<std::uint32_t>(page.steps * share * 0.95));
        for (Told& told : list)
            told.about.window =
                window_around(middle_of(told), page.steps, told.run->recorded.result.steps);
        page.content = page_text(list, other != nullptr, notes);
    }
    return page;
}

}  // namespace app::cli
