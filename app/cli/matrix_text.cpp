#include <algorithm>

#include "app/cli/matrix_cell.h"

namespace app::cli {

namespace {

/// All schedules where a bound was expected to cut is more than was asked for. A hunt that finds
/// nothing contradicts no pass.
bool agrees(Verdict verdict, Verdict expected) {
    if (verdict == expected) return true;
    if (verdict == Verdict::Pass) return expected == Verdict::PassBounded;
    return verdict == Verdict::Clean &&
           (expected == Verdict::PassBounded || expected == Verdict::Pass);
}

/// ". Never~", "F Sometimes!", "-": herd7's words.
std::string cell_text(const Cell& cell, const std::string& what) {
    if (!cell.exists) return "-";
    std::string text;
    if (what == "counts")
        text = cell.failing > 0 ? grouped(cell.failing) + "/" + grouped(cell.executions)
                                : grouped(cell.executions);
    else if (what == "time")
        text = format_time(cell.time);
    else if (cell.frequency.empty())
        return (cell.share_done ? "? " + cell.done_text() : "?") + (cell.as_expected() ? "" : "!");
    else
        text = cell.frequency == "never"       ? ". Never"
               : cell.frequency == "sometimes" ? "F Sometimes"
                                               : "F Always";
    if (cell.verdict == Verdict::PassBounded) text += "~";
    return text + (cell.as_expected() ? "" : "!");
}

std::string padded(std::string text, std::size_t width) {
    text.resize(std::max(width, text.size() + 1), ' ');
    return text;
}

}  // namespace

bool Cell::as_expected() const {
    if (!exists || expected == nullptr) return true;
    return agrees(verdict, expected->verdict) &&
           (expected->signature.empty() || expected->signature == signature);
}

std::string Cell::done_text() const {
    if (!share_done) return "";
    const int percent = std::min(99, static_cast<int>(100 * *share_done));
    return std::to_string(percent) + "%" +
           (reached && reached != bound.number() ? " at " + std::to_string(*reached) : "");
}

Json cell_json(const Cell& cell) {
    Json json = {
        {"scenario", cell.scenario->id},
        {"kernel", cell.kernel.name()},
        {"verdict", cell.exists ? to_string(cell.verdict) : "N/A"},
        {"frequency", cell.frequency.empty() ? Json() : Json(cell.frequency)},
        {"executions", cell.executions},
        {"bound", cell.bound.json()},
        {"expected", cell.expected == nullptr ? Json() : Json(to_string(cell.expected->verdict))},
        {"as_expected", cell.as_expected()}};
    if (cell.share_done)
        json["done"] = cell.done_text();
    else if (cell.reached)
        json["completed_bound"] = *cell.reached;
    if (!cell.signature.empty()) json["signature"] = cell.signature;
    if (!cell.token.empty()) json["token"] = cell.token;
    if (cell.certificate.empty()) return json;
    json["certificate"] = cell.certificate;
    if (!cell.same_as.empty()) json["same_as"] = cell.same_as;
    if (cell.earlier_search) json["earlier_search"] = true;
    // The certificate keeps what it took once: no other run changes it.
    json["time_ms"] = std::chrono::duration_cast<std::chrono::milliseconds>(cell.time).count();
    return json;
}

std::string table_text(const std::vector<Cell>& cells, const std::string& what) {
    constexpr std::size_t id_width = 16, cell_width = 14, widest = 100;
    std::vector<model::KernelVersion> kernels;
    bool plain_names = true;
    for (const Cell& cell : cells) {
        if (std::find(kernels.begin(), kernels.end(), cell.kernel) == kernels.end())
            kernels.push_back(cell.kernel);
        plain_names = plain_names && cell.kernel.name().size() < cell_width;
    }
    std::string text;
    if (!plain_names || id_width + kernels.size() * cell_width > widest) {
        std::size_t kernel_width = 0;
        for (const model::KernelVersion& kernel : kernels)
            kernel_width = std::max(kernel_width, kernel.name().size() + 2);
        for (const Cell& cell : cells)
            text += padded(cell.scenario->id, id_width) + padded(cell.kernel.name(), kernel_width) +
                    cell_text(cell, what) + "\n";
        return text;
    }
    text = std::string(id_width, ' ');
    for (const model::KernelVersion& kernel : kernels)
        text += padded(kernel.name(), cell_width);
    text += "\n";
    for (std::size_t i = 0; i < cells.size();) {
        const ScenarioPtr& scenario = cells[i].scenario;
        std::string line = padded(scenario->id, id_width);
        for (; i < cells.size() && cells[i].scenario == scenario; ++i) {
            const auto at = static_cast<std::size_t>(
                std::find(kernels.begin(), kernels.end(), cells[i].kernel) - kernels.begin());
            line.resize(std::max(line.size(), id_width + at * cell_width), ' ');
            line += padded(cell_text(cells[i], what), cell_width);
        }
        text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
    }
    return text;
}

std::string differences_text(const std::vector<Cell>& cells) {
    std::string text;
    std::size_t unexpected = 0;
    for (const Cell& cell : cells) {
        if (cell.as_expected()) continue;
        ++unexpected;
        text += "      " + cell.name() + " expected " + to_string(cell.expected->verdict) +
                (cell.expected->signature.empty() ? "" : " " + cell.expected->signature) +
                ", got " + to_string(cell.verdict) +
                (cell.signature.empty() ? "" : " " + cell.signature) + " in " +
                grouped(cell.executions) + " executions" +
                (cell.share_done ? ", " + cell.done_text() + " done" : "") +
                (cell.token.empty() ? "" : "  " + cell.token) + "\n";
    }
    return std::to_string(unexpected) + " unexpected" +
           (unexpected == 0 ? " of " + std::to_string(cells.size()) + " cells\n" : ":\n" + text);
}

}  // namespace app::cli
