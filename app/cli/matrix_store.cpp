#include "app/cli/matrix_store.h"

#include <algorithm>
#include <filesystem>

#include "app/cli/certify.h"
#include "app/cli/recording.h"
#include "app/cli/staleness.h"

namespace app::cli {

namespace {

/// By name, so that which of several is taken does not depend on the disk.
std::vector<std::string> certificates_in(const std::string& folder) {
    std::vector<std::string> files;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(folder, ignored))
        if (entry.path().string().ends_with(".cert.json")) files.push_back(entry.path().string());
    std::ranges::sort(files);
    return files;
}

Failure not_alike(const Cell& cell, const report::Certificate& other, const std::string& what) {
    return {.exit = exit_code::internal,
            .message = cell.name() + " answers as " + other.kernel +
                       " all that its search asked, but " + what +
                       ": something of the kernel is used without being asked for",
            .nearest = {},
            .where = {}};
}

}  // namespace

CellStore::CellStore(const Session& session, std::string folder)
    : session_(session), folder_(std::move(folder)) {
    while (folder_.size() > 1 && folder_.ends_with('/'))
        folder_.pop_back();
    for (const std::string& file : certificates_in(folder_)) {
        const auto text = read_file(file);
        const auto certificate = text.ok() ? report::parse_certificate(text.value())
                                           : report::TokenError{text.error().message};
        if (certificate.ok())
            known_.emplace(file, certificate.value());
        else
            session_.diagnostics.warning(file + ": " + certificate.error().message);
    }
}

/// A search goes on where it comes to another failure than is expected first.
bool CellStore::ends_alike(const report::Certificate& certificate, const Cell& cell) {
    return cell.expected == nullptr || cell.expected->signature.empty() ||
           certificate.signatures.empty() ||
           certificate.signatures.front() == cell.expected->signature;
}

bool CellStore::is_current(const report::Certificate& certificate, const Cell& cell) const {
    const Settings& settings = session_.settings;
    const bool cached = settings.reduction == sim::Reduction::None;
    return certificate.cell && certificate.scenario == cell.scenario->id &&
           changed_inputs(certificate, *cell.scenario).empty() &&
           (certificate.search_revision == report::search_revision || !session_.has("renew")) &&
           certificate.cell->wanted == cell.bound.number() &&
           certificate.max_steps == settings.max_steps &&
           certificate.reduction == name_of(settings.reduction) &&
           certificate.cache_entries == (cached ? settings.state_cache : 0) &&
           ends_alike(certificate, cell);
}

const report::Certificate* CellStore::own(const Cell& cell) const {
    for (const auto& [file, certificate] : known_)
        if (certificate.kernel == cell.kernel.name() && is_current(certificate, cell))
            return &certificate;
    return nullptr;
}

/// Of one that was searched itself.
const report::Certificate* CellStore::alike(const Cell& cell) const {
    for (const auto& [file, certificate] : known_)
        if (is_current(certificate, cell) && certificate.cell->same_as.empty() &&
            certificate.asked && same_search_on(*certificate.asked, cell.kernel))
            return &certificate;
    return nullptr;
}

sim::Result<bool, Failure> CellStore::fill(Cell& cell) {
    if (const report::Certificate* certificate = own(cell)) {
        take(cell, *certificate);
        return true;
    }
    const report::Certificate* const other = alike(cell);
    if (other == nullptr) return false;
    const auto certificate = for_kernel(*other, cell);
    if (!certificate.ok()) return certificate.error();
    if (auto failure = keep(cell, certificate.value())) return *failure;
    return true;
}

/// The same claim of another kernel, which the prepared state and a replay of the witness test.
sim::Result<report::Certificate, Failure> CellStore::for_kernel(const report::Certificate& other,
                                                                const Cell& cell) const {
    report::Certificate certificate = other;
    certificate.kernel = cell.kernel.name();
    certificate.kernel_hash = cell.kernel.hash();
    certificate.cell->same_as = other.kernel;
    const auto prepared = prepared_state(session_, cell.scenario, cell.kernel);
    if (prepared != other.prepared_state)
        return not_alike(cell, other, "is prepared to another state");
    if (other.cell->witness.empty()) return certificate;
    auto recording = load_recording(other.cell->witness);
    if (!recording.ok()) return recording.error();
    recording.value().token.kernel = cell.kernel;
    const auto result = replay_exactly(session_, recording.value(), cell.scenario, false);
    if (!result.ok()) return not_alike(cell, other, result.error().message);
    if (signature_of(result.value()) != other.signatures.front())
        return not_alike(cell, other, "its witness does not fail so");
    const auto witness =
        recording_of(session_, cell.scenario, cell.kernel, result.value(), std::nullopt);
    if (!witness.ok()) return witness.error();
    certificate.cell->witness = witness.value();
    return certificate;
}

std::optional<Failure> CellStore::save(Cell& cell, const sim::SearchReport& search,
                                       const model::KernelQuestions& asked) {
    const bool to_its_end =
        search.end == sim::SearchEnd::Complete || search.end == sim::SearchEnd::Found;
    if (!to_its_end || !search.unordered.empty()) return std::nullopt;
    Settings as_searched = session_.settings;
    as_searched.kernel = cell.kernel;
    as_searched.split = search.split;
    report::Certificate certificate = describe_search(session_.with(as_searched), cell.scenario,
                                                      cell.bound, search, cell.verdict);
    certificate.signatures.clear();
    if (!cell.signature.empty()) certificate.signatures.push_back(cell.signature);
    certificate.asked = report::asked_of(asked, cell.kernel);
    certificate.cell = report::Certificate::Cell{
        .wanted = cell.bound.number(),
        .frequency = cell.frequency,
        .failing = cell.failing,
        .witness = cell.token,
        .same_as = {},
        .time_ms = static_cast<std::uint64_t>(
            std::chrono::duration_cast<std::chrono::milliseconds>(cell.time).count())};
    return keep(cell, std::move(certificate));
}

std::optional<Failure> CellStore::keep(Cell& cell, report::Certificate certificate) {
    if (const std::string error = write_certificate(folder_, certificate); !error.empty())
        return usage_failure("--certificates: " + error);
    take(cell, certificate);
    known_.insert_or_assign(cell.certificate, std::move(certificate));
    return std::nullopt;
}

void CellStore::take(Cell& cell, const report::Certificate& certificate) const {
    cell.verdict = parse_verdict(certificate.verdict).value_or(Verdict::Inconclusive);
    cell.frequency = certificate.cell->frequency;
    cell.executions = certificate.executions;
    cell.failing = certificate.cell->failing;
    cell.reached = certificate.deviations;
    cell.signature = certificate.signatures.empty() ? "" : certificate.signatures.front();
    cell.token = certificate.cell->witness;
    cell.time = std::chrono::milliseconds(certificate.cell->time_ms);
    cell.certificate = report::certificate_name(folder_, certificate.scenario, certificate.kernel);
    cell.same_as = certificate.cell->same_as;
    cell.earlier_search = certificate.search_revision != report::search_revision;
}

}  // namespace app::cli
