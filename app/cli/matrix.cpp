#include <algorithm>
#include <chrono>

#include "app/cli/interrupt.h"
#include "app/cli/search.h"
#include "app/scenario/kernel_spec.h"
#include "app/scenario/words.h"

namespace app::cli {

namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

/// All schedules where a bound was expected to cut is more than was asked for. A hunt that finds
/// nothing contradicts no pass.
bool agrees(Verdict verdict, Verdict expected) {
    if (verdict == expected) return true;
    if (verdict == Verdict::Pass) return expected == Verdict::PassBounded;
    return verdict == Verdict::Clean &&
           (expected == Verdict::PassBounded || expected == Verdict::Pass);
}

/// One scenario on one kernel.
struct Cell {
    ScenarioPtr scenario;
    model::KernelVersion kernel;
    bool exists = true;  // the scenario can be run there
    Verdict verdict = Verdict::Inconclusive;
    const char* frequency = nullptr;  // never, sometimes, always
    std::uint64_t executions = 0, failing = 0;
    Bound bound;
    std::string signature, token;
    std::chrono::nanoseconds time{};
    const scenario::Expectation* expected = nullptr;

    bool as_expected() const {
        if (!exists || expected == nullptr) return true;
        return agrees(verdict, expected->verdict) &&
               (expected->signature.empty() || expected->signature == signature);
    }
};

sim::Result<std::vector<model::KernelVersion>, Failure> kernels_of_list(const std::string& list) {
    std::vector<model::KernelVersion> kernels;
    for (const std::string& word : scenario::split(list, ',')) {
        const auto spec = scenario::parse_kernel_spec(word);
        if (!spec)
            return invalid("\"" + word + "\" is no kernel; write 5.5, or \"5.5 with X without Y\"");
        const auto kernel = spec->resolve();
        if (!kernel.ok()) return invalid(kernel.error().message, kernel.error().hint);
        if (std::find(kernels.begin(), kernels.end(), kernel.value()) == kernels.end())
            kernels.push_back(kernel.value());
    }
    return kernels;
}

/// Every pair to run. Without --kernels each scenario is run on the kernels that it expects
/// something of.
sim::Result<std::vector<Cell>, Failure> cells_of(const Session& session,
                                                 const std::vector<ScenarioPtr>& scenarios) {
    std::vector<Cell> cells;
    const auto add = [&](const ScenarioPtr& scenario, const model::KernelVersion& kernel) {
        cells.push_back({.scenario = scenario,
                         .kernel = kernel,
                         .exists = scenario->exists_on(kernel.release()),
                         .bound = bound_of(*scenario, session.settings),
                         .signature = {},
                         .token = {},
                         .expected = scenario->expected_on(kernel)});
    };
    if (session.has("kernels")) {
        const auto kernels = kernels_of_list(session.parsed.last("kernels"));
        if (!kernels.ok()) return kernels.error();
        for (const ScenarioPtr& scenario : scenarios)
            for (const model::KernelVersion& kernel : kernels.value())
                add(scenario, kernel);
    } else {
        for (const ScenarioPtr& scenario : scenarios) {
            if (session.settings.kernel_given)
                add(scenario, session.settings.kernel);
            else
                for (const scenario::Expectation& entry : scenario->expect)
                    add(scenario, entry.kernel);
        }
    }
    return cells;
}

/// Fills cells by searching.
class Matrix {
  public:
    Matrix(const Session& session, bool hunting) : session_(session), hunting_(hunting) {}

    bool interrupted() const { return interrupted_; }
    int exit_code() const { return interrupt_.exit_code(); }

    std::optional<Failure> fill(Cell& cell) {
        if (!cell.exists || interrupted_) return std::nullopt;
        if (auto prepared =
                prepare(cell.scenario, cell.kernel, execution_options(session_.settings, false));
            !prepared.ok())
            return prepared.error();
        const Clock::time_point began = Clock::now();
        const sim::SearchReport search =
            hunting_ ? hunt_scenario(session_, cell.scenario, cell.kernel,
                                     {.keep_going = true, .known = {}}, interrupt_.flag())
                     : explore_cell(cell);
        cell.time = Clock::now() - began;
        interrupted_ = search.end == sim::SearchEnd::Interrupted;
        return judge(cell, search);
    }

  private:
    /// Whether a failure was found, and it is not the one that the scenario names.
    static bool found_another(const Cell& cell, const sim::SearchReport& search) {
        return cell.expected != nullptr && !cell.expected->signature.empty() &&
               !search.failures.empty() &&
               search.failures.front().signature != cell.expected->signature;
    }

    /// Up to the first failure; and on, when it came with the very first execution, to tell
    /// "sometimes" from "always", or when the scenario names another one.
    sim::SearchReport explore_cell(const Cell& cell) {
        sim::SearchReport search = explore_scenario(session_, cell.scenario, cell.kernel,
                                                    cell.bound, false, interrupt_.flag());
        const bool first_one_fails =
            search.end == sim::SearchEnd::Found && search.bound == 0 && search.executions == 1;
        if (!first_one_fails &&
            !found_another(cell,
                           search)) {  // which others were met by the way depends on the workers
            if (search.failures.size() > 1)
                search.failures.erase(search.failures.begin() + 1, search.failures.end());
            if (!search.failures.empty()) search.failures[0].count = 1;
            return search;
        }
        return explore_scenario(session_, cell.scenario, cell.kernel, cell.bound, true,
                                interrupt_.flag());
    }

    std::optional<Failure> judge(Cell& cell, const sim::SearchReport& search) {
        cell.verdict = verdict_of(search, cell.bound.accepted);
        if (hunting_ && search.failures.empty() && search.end == sim::SearchEnd::Complete)
            cell.verdict = Verdict::Clean;
        cell.executions = search.executions;
        if (cell.verdict == Verdict::Nondeterministic)
            return differs(cell.scenario->id + " on " + cell.kernel.name() + ": " + search.error);
        if (search.failures.empty()) {
            if (cell.verdict != Verdict::Inconclusive) cell.frequency = "never";
            return std::nullopt;
        }
        for (const sim::Failure& failure : search.failures)
            cell.failing += failure.count;
        cell.failing = std::min(cell.failing, cell.executions);
        cell.frequency = cell.failing == cell.executions ? "always" : "sometimes";
        const sim::Failure& first = wanted_failure(cell, search);
        cell.signature = first.signature;
        std::optional<report::StrategyRun> made_by;
        if (hunting_) {
            auto prepared =
                prepare(cell.scenario, cell.kernel, execution_options(session_.settings, false));
            made_by = strategy_run(*prepared.value(), session_.settings.strategy,
                                   sim::seed_of_run(session_.settings.seed, first.first_run));
        }
        const auto token =
            recording_of(session_, cell.scenario, cell.kernel, first.result, made_by);
        if (!token.ok()) return token.error();
        cell.token = token.value();
        return std::nullopt;
    }

    /// The one that is expected, where several were found; else the first.
    static const sim::Failure& wanted_failure(const Cell& cell, const sim::SearchReport& search) {
        if (cell.expected != nullptr)
            for (const sim::Failure& failure : search.failures)
                if (failure.signature == cell.expected->signature) return failure;
        return search.failures.front();
    }

    const Session& session_;
    bool hunting_;
    const InterruptGuard interrupt_;
    bool interrupted_ = false;
};

Json cell_json(const Cell& cell) {
    Json json = {
        {"scenario", cell.scenario->id},
        {"kernel", cell.kernel.name()},
        {"verdict", cell.exists ? to_string(cell.verdict) : "N/A"},
        {"frequency", cell.frequency == nullptr ? Json() : Json(cell.frequency)},
        {"executions", cell.executions},
        {"bound", cell.bound.json()},
        {"expected", cell.expected == nullptr ? Json() : Json(to_string(cell.expected->verdict))},
        {"as_expected", cell.as_expected()}};
    if (!cell.signature.empty()) json["signature"] = cell.signature;
    if (!cell.token.empty()) json["token"] = cell.token;
    return json;
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
    else if (cell.frequency == nullptr)
        return std::string("?") + (cell.as_expected() ? "" : "!");
    else
        text = *cell.frequency == 'n'   ? ". Never"
               : *cell.frequency == 's' ? "F Sometimes"
                                        : "F Always";
    if (cell.verdict == Verdict::PassBounded) text += "~";
    return text + (cell.as_expected() ? "" : "!");
}

std::string padded(std::string text, std::size_t width) {
    text.resize(std::max(width, text.size() + 1), ' ');
    return text;
}

/// A column for each kernel, or a line for each cell when that would be too wide.
std::string table(const std::vector<Cell>& cells, const std::string& what) {
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

std::string differences(const std::vector<Cell>& cells) {
    std::string text;
    std::size_t unexpected = 0;
    for (const Cell& cell : cells) {
        if (cell.as_expected()) continue;
        ++unexpected;
        text += "      " + cell.scenario->id + " on " + cell.kernel.name() + " expected " +
                to_string(cell.expected->verdict) +
                (cell.expected->signature.empty() ? "" : " " + cell.expected->signature) +
                ", got " + to_string(cell.verdict) +
                (cell.signature.empty() ? "" : " " + cell.signature) + " in " +
                grouped(cell.executions) + " executions" +
                (cell.token.empty() ? "" : "  " + cell.token) + "\n";
    }
    return std::to_string(unexpected) + " unexpected" +
           (unexpected == 0 ? " of " + std::to_string(cells.size()) + " cells\n" : ":\n" + text);
}

std::string reproduce_line(const Session& session) {
    std::string line = "reproduce: interleaf matrix";
    for (const std::string& word : session.parsed.arguments)
        line += " " + (scenario::is_glob(word) ? "'" + word + "'" : word);
    for (const auto& [key, value] : session.parsed.in_order) {
        static const std::vector<std::string> shown{"group",  "kernels", "kernel",
                                                    "with",   "without", "preemptions",
                                                    "engine", "seed",    "count"};
        if (std::find(shown.begin(), shown.end(), key) != shown.end())
            line += " --" + key + " " +
                    (value.find(' ') == std::string::npos ? value : "'" + value + "'");
    }
    return line + "\n";
}

}  // namespace

VerbResult matrix(Session& session) {
    const std::string what = session.has("cell") ? session.parsed.last("cell") : "verdict";
    if (what != "verdict" && what != "counts" && what != "time")
        return usage_failure("--cell \"" + what + "\": expected verdict, counts or time");
    const std::string engine = session.has("engine") ? session.parsed.last("engine") : "explore";
    if (engine != "explore" && engine != "hunt")
        return usage_failure("--engine \"" + engine + "\": expected explore or hunt");
    const auto scenarios = session.selection();
    if (!scenarios.ok()) return scenarios.error();
    auto cells = cells_of(session, scenarios.value());
    if (!cells.ok()) return cells.error();

    Matrix matrix(session, engine == "hunt");
    Report report;
    report.document["cells"] = Json::array();
    for (std::size_t i = 0; i < cells.value().size(); ++i) {
        Cell& cell = cells.value()[i];
        if (auto failure = matrix.fill(cell)) return *failure;
        if (matrix.interrupted()) {  // what is known so far; this cell is not
            cells.value().resize(i);
            break;
        }
        report.document["cells"].push_back(cell_json(cell));
    }
    const bool good = std::all_of(cells.value().begin(), cells.value().end(),
                                  [](const Cell& cell) { return cell.as_expected(); });
    report.verdict = good ? Verdict::Pass : Verdict::Fail;
    report.document["scenario"] =
        session.parsed.arguments.empty() ? "*" : scenario::join(session.parsed.arguments, " ");
    std::vector<std::string> kernels;
    for (const Cell& cell : cells.value())
        if (std::find(kernels.begin(), kernels.end(), cell.kernel.name()) == kernels.end())
            kernels.push_back(cell.kernel.name());
    report.document["kernel"] = kernels.size() == 1 ? Json(kernels[0]) : Json(kernels);
    report.text = "interleaf matrix  " + std::to_string(scenarios.value().size()) +
                  " scenarios  seed " +
                  (engine == "hunt" ? std::to_string(session.settings.seed) : "none") + "\n" +
                  reproduce_line(session) + "\n" + table(cells.value(), what) +
                  "  \"Never\" = no execution fails, \"Sometimes\" = some, \"Always\" = all; "
                  "counts with --cell counts\n"
                  "  ~ bounded   ? inconclusive   - not in this kernel   ! differs from the "
                  "recorded expectation\n" +
                  differences(cells.value());
    if (matrix.interrupted()) {
        report.document["interrupted"] = true;
        report.text += "interrupted: the cells so far\n";
        report.forced_exit = matrix.exit_code();
    }
    return report;
}

}  // namespace app::cli
