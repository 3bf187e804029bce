#include "app/cli/matrix_page.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <vector>

#include "app/cli/diagnostics.h"
#include "app/cli/progress.h"
#include "app/report/escape.h"

namespace app::cli {

namespace {

namespace fs = std::filesystem;

constexpr const char* legend =
    "\n**Never**: every execution within the bound was run, or an equivalent one, and none fails; "
    "**Sometimes**: one fails, and the search ended with it: whether others pass it did not ask; "
    "**Always**: all that were run do. Below it the number of executions, at which bound (so many "
    "departures from the default order; that of a failure is the least at which "
    "something fails), and the time that the search took when it was recorded. \\~: with a larger "
    "bound more would run. Checks over several objects saw the states of these executions only. "
    "*as 5.4*: a search on 5.4 asked its kernel nothing that this one "
    "answers otherwise, so the search is the same, step by step. \\-: the scenario is not for this "
    "kernel. ?: not decided, for the search was cut when so much of it was done. **!**: not what "
    "the scenario expects. The verdict links to its certificate, *again* to what replays a "
    "failure.";

constexpr const char* earlier_search = "\u00B0";
constexpr const char* earlier_legend = " \u00B0: recorded by an earlier revision of the search, "
                                       "which lost a few executions; `script/matrix "
                                       "--renew` searches these cells again.\n";

constexpr const char* other_kernels =
    "\nKernels with single changes more or less, proposals among them, and releases of one "
    "scenario:\n\n"
    "| | on kernel | | executions | time | |\n| --- | --- | --- | ---: | ---: | --- |\n";

constexpr const char* failures_head =
    "\nThe failures:\n\n| | on kernel | fails by | again |\n| --- | --- | --- | --- |\n";

/// Words, and where they lead if anywhere.
std::string link(const std::string& words, const std::string& target) {
    return target.empty() ? words : "[" + words + "](" + report::in_uri(target) + ")";
}

/// "45 at 1": so many executions, at that bound.
std::string counts(const Json& cell) {
    std::string text = grouped(cell.at("executions").get<std::uint64_t>());
    if (cell.contains("completed_bound"))
        text += " at " + std::to_string(cell["completed_bound"].get<std::uint32_t>());
    return text;
}

std::string time(const Json& cell) {
    if (!cell.contains("time_ms")) return "";
    return format_time(std::chrono::milliseconds(cell["time_ms"].get<std::uint64_t>()));
}

/// Of a cell's failure, the same whatever else is in the table: "send-001-5.0".
std::string anchor(const Json& cell) {
    std::string name = string_at(cell, "scenario") + "-" + string_at(cell, "kernel");
    std::ranges::replace_if(
        name, [](char c) { return c == '/' || c == ' '; }, '-');
    return name;
}

std::string again(const Json& cell) {
    return string_at(cell, "token").empty() ? "" : "[again](#" + anchor(cell) + ")";
}

class Page {
  public:
    Page(const Json& document, const report::Suite& suite, const fs::path& folder)
        : cells_(document.at("cells")), suite_(suite), folder_(folder.empty() ? "." : folder) {
        choose_columns();
    }

    std::string text() const {
        std::string text = "| |", rule = "| --- |";
        for (const std::string& kernel : columns_) {
            text += " " + report::in_markdown(kernel) + " |";
            rule += " --- |";
        }
        text += "\n" + rule + "\n";
        for (std::size_t i = 0; i < cells_.size();)
            text += row(i);
        return text + legend + (any_earlier() ? earlier_legend : "\n") + others() + failures();
    }

  private:
    /// Releases that every scenario has a cell of; the other cells are a list.
    void choose_columns() {
        std::set<std::string> scenarios;
        std::vector<std::string> kernels;
        std::multiset<std::string> known;
        for (const Json& cell : cells_) {
            const std::string kernel = string_at(cell, "kernel");
            scenarios.insert(string_at(cell, "scenario"));
            if (!known.contains(kernel)) kernels.push_back(kernel);
            known.insert(kernel);
        }
        for (const std::string& kernel : kernels)
            if (kernel.find(' ') == std::string::npos && known.count(kernel) == scenarios.size())
                columns_.push_back(kernel);
    }

    bool any_earlier() const {
        return std::ranges::any_of(
            cells_, [](const Json& cell) { return cell.contains("earlier_search"); });
    }

    bool is_column(const Json& cell) const {
        return std::ranges::find(columns_, string_at(cell, "kernel")) != columns_.end();
    }

    std::string near(const std::string& file) const {
        if (file.empty()) return "";
        std::error_code error;
        const fs::path path = fs::proximate(file, folder_, error);
        return error ? file : path.generic_string();
    }

    std::string scenario(std::size_t at) const {
        const report::Case& of = suite_.cases.at(at);
        return link(report::in_markdown(of.scenario), near(of.file));
    }

    /// @param at  the first cell of a scenario; afterwards that of the next
    std::string row(std::size_t& at) const {
        const std::string id = string_at(cells_[at], "scenario");
        std::vector<std::string> entries(columns_.size());
        std::string text =
            "| " + scenario(at) + "<br>" + report::in_markdown(suite_.cases.at(at).title) + " |";
        for (; at < cells_.size() && string_at(cells_[at], "scenario") == id; ++at) {
            const auto column = std::ranges::find(columns_, string_at(cells_[at], "kernel"));
            if (column == columns_.end()) continue;
            entries[static_cast<std::size_t>(column - columns_.begin())] = entry(cells_[at]);
        }
        for (const std::string& entry : entries)
            text += " " + entry + " |";
        return text + "\n";
    }

    std::string verdict(const Json& cell) const {
        if (string_at(cell, "verdict") == "N/A") return "\\-";
        const std::string frequency = string_at(cell, "frequency"), done = string_at(cell, "done");
        std::string word = frequency == "never"       ? "Never"
                           : frequency == "always"    ? "Always"
                           : frequency == "sometimes" ? "Sometimes"
                           : done.empty()             ? "?"
                                                      : "? " + done;
        if (string_at(cell, "verdict") == "FAIL") word = "**" + word + "**";
        if (string_at(cell, "verdict") == "PASS-BOUNDED") word += "\\~";
        if (cell.contains("earlier_search")) word += earlier_search;
        std::string text = link(word, near(string_at(cell, "certificate")));
        if (!cell.at("as_expected").get<bool>())
            text += "<br>**!** expected " + report::in_markdown(string_at(cell, "expected"));
        if (const std::string same = string_at(cell, "same_as"); !same.empty())
            text += "<br>as " + report::in_markdown(same);
        return text;
    }

    std::string entry(const Json& cell) const {
        std::string text = verdict(cell);
        if (string_at(cell, "verdict") == "N/A") return text;
        const bool shared = cell.contains("same_as");
        for (const std::string& line :
             {shared ? "" : counts(cell), shared ? "" : time(cell), again(cell)})
            if (!line.empty()) text += "<br>" + line;
        return text;
    }

    std::string others() const {
        std::string text;
        for (std::size_t i = 0; i < cells_.size(); ++i) {
            const Json& cell = cells_[i];
            if (is_column(cell)) continue;
            text += "| " + scenario(i) + " | " + report::in_markdown(string_at(cell, "kernel")) +
                    " | " + verdict(cell) + " | " + counts(cell) + " | " + time(cell) + " | " +
                    again(cell) + " |\n";
        }
        return text.empty() ? "" : other_kernels + text;
    }

    std::string failures() const {
        std::string text;
        for (std::size_t i = 0; i < cells_.size(); ++i) {
            const Json& cell = cells_[i];
            if (string_at(cell, "token").empty()) continue;
            text += "| <a id=\"" + anchor(cell) + "\"></a>" + scenario(i) + " | " +
                    report::in_markdown(string_at(cell, "kernel")) + " | " +
                    report::in_markdown(string_at(cell, "signature")) + " | `interleaf replay " +
                    string_at(cell, "token") + "` |\n";
        }
        return text.empty() ? "" : failures_head + text;
    }

    const Json& cells_;
    const report::Suite& suite_;
    fs::path folder_;
    std::vector<std::string> columns_;
};

}  // namespace

std::string matrix_page(const Json& document, const report::Suite& suite, const fs::path& folder) {
    report::Suite unexpected{.verb = suite.verb, .version = suite.version, .cases = {}};
    for (std::size_t i = 0; i < suite.cases.size(); ++i)
        if (!document.at("cells")[i].at("as_expected").get<bool>())
            unexpected.cases.push_back(suite.cases[i]);
    return Page(document, suite, folder).text() + report::markdown_failures(unexpected);
}

}  // namespace app::cli
