#include <algorithm>
#include <chrono>

#include "app/cli/interrupt.h"
#include "app/cli/matrix_store.h"
#include "app/scenario/kernel_spec.h"
#include "app/scenario/words.h"

namespace app::cli {

namespace {

using Clock = std::chrono::steady_clock;

/// What --kernels chooses.
struct Kernels {
    std::vector<model::KernelVersion> of_all;  // scenarios
    bool expected_too = false;                 // and those that a scenario expects something of
};

sim::Result<Kernels, Failure> kernels_of_list(const std::string& list) {
    Kernels chosen;
    auto& kernels = chosen.of_all;
    for (const std::string& word : scenario::split(list, ',')) {
        if (word == "expected") {
            chosen.expected_too = true;
            continue;
        }
        const auto spec = scenario::parse_kernel_spec(word);
        if (!spec || word.find_first_of("0123456789") != 0)
            return invalid("\"" + word +
                           "\" is no kernel; write 5.5, \"5.5 with X without Y\" or expected");
        const auto kernel = spec->resolve();
        if (!kernel.ok()) return invalid(kernel.error().message, kernel.error().hint);
        if (std::find(kernels.begin(), kernels.end(), kernel.value()) == kernels.end())
            kernels.push_back(kernel.value());
    }
    return chosen;
}

/// Without --kernels and --kernel those that scenarios expect something of.
sim::Result<Kernels, Failure> chosen_kernels(const Session& session) {
    if (session.has("kernels")) return kernels_of_list(session.parsed.last("kernels"));
    if (!session.settings.kernel_given) return Kernels{.of_all = {}, .expected_too = true};
    return Kernels{.of_all = {session.settings.kernel}};
}

/// Every pair to run.
sim::Result<std::vector<Cell>, Failure> cells_of(const Session& session,
                                                 const std::vector<ScenarioPtr>& scenarios) {
    std::vector<Cell> cells;
    const auto add = [&](const ScenarioPtr& scenario, const model::KernelVersion& kernel) {
        cells.push_back({.scenario = scenario,
                         .kernel = kernel,
                         .exists = scenario->exists_on(kernel.release()),
                         .frequency = {},
                         .bound = bound_of(*scenario, session.settings),
                         .reached = {},
                         .share_done = {},
                         .signature = {},
                         .token = {},
                         .expected = scenario->expected_on(kernel),
                         .certificate = {},
                         .same_as = {}});
    };
    const auto chosen = chosen_kernels(session);
    if (!chosen.ok()) return chosen.error();
    const auto& kernels = chosen.value().of_all;
    for (const ScenarioPtr& scenario : scenarios) {
        for (const model::KernelVersion& kernel : kernels)
            add(scenario, kernel);
        if (!chosen.value().expected_too) continue;
        for (const scenario::Expectation& entry : scenario->expect)
            if (std::find(kernels.begin(), kernels.end(), entry.kernel) == kernels.end())
                add(scenario, entry.kernel);
    }
    return cells;
}

/// Fills cells by searching, those that no certificate speaks of.
class Matrix {
  public:
    /// @param store  null: every cell is searched, and none kept
    Matrix(const Session& session, bool hunting, CellStore* store)
        : session_(session), hunting_(hunting), store_(store) {}

    bool interrupted() const { return interrupted_; }
    int exit_code() const { return interrupt_.exit_code(); }

    std::optional<Failure> fill(Cell& cell) {
        if (!cell.exists || interrupted_) return std::nullopt;
        if (store_ != nullptr) {
            const auto known = store_->fill(cell);
            if (!known.ok()) return known.error();
            if (known.value()) return std::nullopt;
        }
        if (auto prepared =
                prepare(cell.scenario, cell.kernel, execution_options(session_.settings, false));
            !prepared.ok())
            return prepared.error();
        const auto asked = std::make_shared<model::QuestionLog>();
        const Clock::time_point began = Clock::now();
        const sim::SearchReport search =
            hunting_ ? hunt_scenario(session_, cell.scenario, cell.kernel,
                                     {.keep_going = true, .known = {}}, interrupt_.flag())
                     : explore_cell(cell, asked);
        cell.time = Clock::now() - began;
        interrupted_ = search.end == sim::SearchEnd::Interrupted;
        if (auto failure = judge(cell, search)) return failure;
        return store_ == nullptr ? std::nullopt : store_->save(cell, search, asked->asked());
    }

  private:
    static bool is_cut(const sim::SearchReport& search) {
        return search.end != sim::SearchEnd::Complete && search.end != sim::SearchEnd::Found;
    }

    /// Whether a failure was found, and it is not the one that the scenario names.
    static bool found_another(const Cell& cell, const sim::SearchReport& search) {
        return cell.expected != nullptr && !cell.expected->signature.empty() &&
               !search.failures.empty() &&
               search.failures.front().signature != cell.expected->signature;
    }

    /// Up to the first failure; and on, when it came with the very first execution, to tell
    /// "sometimes" from "always", or when the scenario names another one.
    sim::SearchReport explore_cell(const Cell& cell,
                                   const std::shared_ptr<model::QuestionLog>& asked) {
        scenario::ProgramOptions program;
        program.asked = asked;
        sim::SearchReport search = explore_scenario(session_, cell.scenario, cell.kernel,
                                                    cell.bound, false, interrupt_.flag(), program);
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
                                interrupt_.flag(), program);
    }

    std::optional<Failure> judge(Cell& cell, const sim::SearchReport& search) {
        cell.verdict = verdict_of(search, cell.bound.accepted);
        if (hunting_ && search.failures.empty() && search.end == sim::SearchEnd::Complete)
            cell.verdict = Verdict::Clean;
        cell.executions = search.executions;
        if (!hunting_ && is_cut(search)) cell.share_done = search.share_done;
        if (!hunting_ && cell.bound.number()) cell.reached = search.bound;
        if (cell.verdict == Verdict::Nondeterministic)
            return differs(cell.name() + ": " + search.error);
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
    CellStore* store_;
    const InterruptGuard interrupt_;
    bool interrupted_ = false;
};

std::string reproduce_matrix(const Session& session) {
    std::string line = "reproduce: interleaf matrix";
    for (const std::string& word : session.parsed.arguments)
        line += " " + (scenario::is_glob(word) ? "'" + word + "'" : word);
    for (const auto& [key, value] : session.parsed.in_order) {
        static const std::vector<std::string> shown{"group",   "kernels",     "kernel", "with",
                                                    "without", "preemptions", "engine", "seed",
                                                    "count",   "certificates"};
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

    Settings settings = session.settings;
    const bool kept = session.has("certificates");
    if (kept && engine == "hunt")
        return usage_failure("--certificates is for searches, not for --engine hunt");
    if (!kept && session.has("renew"))
        return usage_failure("--renew says which certificates to make again: it needs "
                             "--certificates DIR");
    if (kept) settings.artifacts = session.parsed.last("certificates");  // for long witnesses, too
    const Session as_kept = session.with(settings);
    std::optional<CellStore> store;
    if (kept) store.emplace(as_kept, settings.artifacts);
    Matrix matrix(as_kept, engine == "hunt", store ? &*store : nullptr);
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
    report.text =
        "interleaf matrix  " + std::to_string(scenarios.value().size()) + " scenarios  seed " +
        (engine == "hunt" ? std::to_string(session.settings.seed) : "none") + "\n" +
        reproduce_matrix(session) + "\n" + table_text(cells.value(), what) +
        "  \"Never\" = no execution fails, \"Sometimes\" = at least one, \"Always\" = each; "
        "counts with --cell counts\n"
        "  ~ bounded   ? inconclusive   - not in this kernel   ! differs from the "
        "recorded expectation\n" +
        differences_text(cells.value());
    if (matrix.interrupted()) {
        report.document["interrupted"] = true;
        report.text += "interrupted: the cells so far\n";
        report.forced_exit = matrix.exit_code();
    }
    return report;
}

}  // namespace app::cli
