#include "app/cli/pages.h"

#include <algorithm>
#include <functional>

#include "app/cli/output.h"
#include "app/export/page.h"

namespace app::cli {

namespace {

using exporter::About;
using exporter::Window;

struct ToldRun {
    const RecordedRun* run;
    About about;
};

/// The first passing execution that a reversed pair of steps led to.
std::string partner_of(const About& about) {
    const auto flips = about.why.find("flips");
    if (flips == about.why.end() || !flips->is_object()) return "";
    for (const SortedJson& flip : flips->at("found"))
        if (flip.at("passing").is_string()) return flip.at("passing").get<std::string>();
    return "";
}

/// Where a window lies, and what is there.
struct Middle {
    std::uint32_t step;
    std::string what;  // "the critical step, 548"
};

std::optional<Middle> decisive_step(const ToldRun& told) {
    const auto critical = told.about.why.find("critical");
    if (critical != told.about.why.end() && critical->is_object()) {
        const auto step = critical->at("step").get<std::uint32_t>();
        return Middle{step, "the critical step, " + grouped(step)};
    }
    const sim::ExecutionResult& result = told.run->recorded.result;
    if (!result.violation) return std::nullopt;
    const std::uint32_t step = std::min(result.violation->step, result.steps);
    return Middle{step, "the violation, after step " + grouped(step)};
}

/// One for all executions of a page, so that what is compared stands side by side: the first that
/// fails has it, else the middle of the first one.
Middle middle_of(const std::vector<ToldRun>& list) {
    for (const ToldRun& told : list)
        if (auto middle = decisive_step(told)) return *middle;
    const std::uint32_t step = list.front().run->recorded.result.steps / 2;
    return {step, "step " + grouped(step) + " in its middle, since nothing failed"};
}

Window window_around(std::uint32_t middle, std::uint32_t count, std::uint32_t steps) {
    count = std::min(count, steps);
    const std::uint32_t half = count / 2;
    const std::uint32_t first = std::min(middle > half ? middle - half : 0, steps - count);
    return {first, count};
}

std::string page_text(std::vector<ToldRun>& list, bool compare, const SortedJson& notes) {
    SortedJson book = {{"format", "interleaf-book"},
                       {"version", 1},
                       {"compare", compare},
                       {"traces", SortedJson::array()}};
    if (!notes.empty()) book["notes"] = notes;
    for (const ToldRun& told : list)
        book["traces"].push_back(exporter::trace_document(told.run->recorded, told.about));
    return exporter::page_with(exporter::document_text(book));
}

/// Smaller and smaller windows until the page is small enough.
std::optional<Failure> cut_to_fit(Page& page, std::vector<ToldRun>& list, std::uint64_t most_bytes,
                                  const std::function<std::string()>& text) {
    constexpr std::uint32_t least_window = 64;
    const std::uint32_t all = page.steps;
    const Middle middle = middle_of(list);
    while (page.content.size() > most_bytes && page.steps > least_window) {
        // In proportion, and a little less: the size is nearly that of the steps.
        const double share =
            static_cast<double>(most_bytes) / static_cast<double>(page.content.size());
        page.steps = std::max(least_window, static_cast<std::uint32_t>(page.steps * share * 0.95));
        for (ToldRun& told : list)
            told.about.window =
                window_around(middle.step, page.steps, told.run->recorded.result.steps);
        page.content = text();
    }
    if (page.content.size() > most_bytes)
        return usage_failure("--max-bytes " + std::to_string(most_bytes) + ": a page of " +
                             counted(page.steps, "step") + " needs " +
                             grouped(page.content.size()) + " bytes");
    if (page.steps == all) return std::nullopt;
    const Window window = *list.front().about.window;
    page.steps = window.count;
    page.cut = "only steps " + grouped(window.first) + " to " +
               grouped(window.first + window.count - 1) + " around " + middle.what +
               ", for a page of at most " + grouped(most_bytes) + " bytes (--max-bytes)";
    return std::nullopt;
}

}  // namespace

sim::Result<Page, Failure> page_of(const Session& session, const RecordedRun& run,
                                   const RecordedRun* other, const SortedJson& notes) {
    std::vector<ToldRun> list;
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
              .with_partner = partner.has_value(),
              .cut = {}};
    if (auto failure = cut_to_fit(page, list, session.settings.max_bytes,
                                  [&] { return page_text(list, other != nullptr, notes); }))
        return *failure;
    return page;
}

}  // namespace app::cli
