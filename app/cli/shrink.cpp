#include <algorithm>
#include <filesystem>

#include "app/cli/devices.h"
#include "app/cli/recording.h"
#include "app/scenario/kernel_spec.h"
#include "app/scenario/words.h"
#include "app/shrink/shrinker.h"

namespace app::cli {

namespace {

constexpr std::uint64_t usual_budget = 50'000;

std::string padded_left(std::string text, std::size_t width) {
    if (text.size() < width) text.insert(0, width - text.size(), ' ');
    return text;
}

std::string row(const std::string& name, const std::vector<std::string>& cells) {
    std::string line = " " + name;
    line.resize(std::max<std::size_t>(line.size() + 1, 19), ' ');
    static constexpr std::size_t widths[] = {5, 5, 10, 9, 8, 6};
    for (std::size_t i = 0; i < cells.size(); ++i)
        line += padded_left(cells[i], widths[i]);
    return line + "\n";
}

std::string table_of_passes(const std::vector<shrink::PassCount>& passes) {
    std::string text = row("pass", {"tasks", "ops", "switches", "steps", "tried", "kept"});
    for (const shrink::PassCount& pass : passes) {
        const bool start = pass.name == "start";
        text +=
            row(pass.name, {std::to_string(pass.tasks), std::to_string(pass.operations),
                            grouped(pass.switches), grouped(pass.steps),
                            start ? "-" : grouped(pass.tried), start ? "-" : grouped(pass.kept)});
    }
    return text;
}

Json passes_json(const std::vector<shrink::PassCount>& passes) {
    Json list = Json::array();
    for (const shrink::PassCount& pass : passes)
        list.push_back({{"pass", pass.name},
                        {"tasks", pass.tasks},
                        {"operations", pass.operations},
                        {"switches", pass.switches},
                        {"steps", pass.steps},
                        {"tried", pass.tried},
                        {"kept", pass.kept}});
    return list;
}

/// "big.min.ilf" beside "big.ilf"; of a token, among the artifacts.
std::string output_name(const Session& session, const Recording& recording,
                        const sim::ExecutionResult& result) {
    if (!session.settings.result_file.empty()) return session.settings.result_file;
    std::filesystem::path name = recording.word;
    if (report::looks_like_token(recording.word))
        name = recording_name(session, recording.token.scenario, result.trace_hash);
    return name.replace_extension(".min.ilf").string();
}

using VerifiedScenario = sim::Result<ScenarioPtr, Failure>;

/// The file as a user repeats it, as often as --verify says.
sim::Result<std::uint64_t, Failure> verify(const Session& session, const std::string& file,
                                           const ScenarioPtr& original) {
    const auto recording = load_recording(file);
    if (!recording.ok()) return recording.error();
    const auto scenario =
        recording.value().has_scenario ? load_scenario(file) : VerifiedScenario(original);
    if (!scenario.ok()) return scenario.error();
    for (std::uint64_t i = 0; i < session.settings.verify; ++i)
        if (const auto again = replay_exactly(session, recording.value(), scenario.value(), false);
            !again.ok())
            return again.error();
    return session.settings.verify;
}

class Shrinking {
  public:
    Shrinking(Session& session, Recording recording, ScenarioPtr scenario)
        : session_(session), recording_(std::move(recording)), scenario_(std::move(scenario)) {}

    VerbResult run() {
        const auto start = replay_exactly(session_, recording_, scenario_, true);
        if (!start.ok()) return start.error();
        if (!start.value().failed())
            return invalid("nothing to shrink: this execution shows no violation");
        file_ = output_name(session_, recording_, start.value());
        const auto shrunk = shrink::shrink({.scenario = scenario_, .result = start.value()},
                                           maker(), options(start.value()));
        if (auto failure = save(shrunk)) return *failure;
        return report_of(shrunk);
    }

  private:
    shrink::MakeExecution maker() const {
        return [this](const ScenarioPtr& scenario, const sim::ExecutionOptions& options) {
            auto execution = prepare(scenario, recording_.token.kernel, options,
                                     watch_devices(session_, *scenario, recording_.token.kernel));
            return execution.ok() ? std::move(execution.value()) : nullptr;
        };
    }
    shrink::ShrinkOptions options(const sim::ExecutionResult& start) const {
        shrink::ShrinkOptions options;
        options.execution = execution_options(session_.settings, recording_.token, false);
        if (session_.has("max-executions"))
            options.budget = session_.settings.max_executions;
        else
            options.budget = usual_budget;
        options.deviations = std::clamp(start.deviations, 1U, 2U);
        options.file = file_;
        return options;
    }
    sim::Grain grain() const {
        return recording_.token.fine ? sim::Grain::Fine : sim::Grain::Coarse;
    }
    report::Token token_of(const scenario::Scenario& scenario,
                           const sim::ExecutionResult& result) const {
        return make_token(scenario, recording_.token.kernel, grain(), result);
    }

    std::optional<Failure> save(const shrink::Shrunk& shrunk) {
        std::error_code error;
        const std::filesystem::path folder = std::filesystem::path(file_).parent_path();
        if (session_.settings.result_file.empty() && !folder.empty())
            std::filesystem::create_directories(folder, error);
        const shrink::Specimen& smallest = shrunk.smallest;
        if (auto failure = save_recording(session_, file_, smallest.scenario,
                                          token_of(*smallest.scenario, smallest.result)))
            return failure;
        for (const auto& [signature, lead] : shrunk.leads) {
            std::filesystem::create_directories(session_.settings.artifacts, error);
            lead_files_.push_back(recording_name(session_, scenario_->id, lead.result.trace_hash));
            if (auto failure = save_recording(session_, lead_files_.back(), lead.scenario,
                                              token_of(*lead.scenario, lead.result)))
                return failure;
        }
        return std::nullopt;
    }

    VerbResult report_of(const shrink::Shrunk& shrunk) {
        const auto verified = verify(session_, file_, scenario_);
        if (!verified.ok()) return verified.error();
        const shrink::Specimen& smallest = shrunk.smallest;
        const std::string token = report::encode(token_of(*smallest.scenario, smallest.result));
        const bool whole = smallest.scenario == scenario_;

        Report report;
        report.verdict = Verdict::Fail;
        // Making it smaller is the success of this command; only --expect makes it judge.
        if (!session_.settings.exit_rule.expect) report.forced_exit = exit_code::as_expected;
        const std::string& signature = smallest.result.violation->signature;
        report.document = {{"scenario", scenario_->id},
                           {"kernel", recording_.token.kernel.name()},
                           {"signature", signature},
                           {"file", file_},
                           {"token", token.empty() ? Json() : Json(token)},
                           {"tasks", smallest.tasks()},
                           {"operations", smallest.operations()},
                           {"switches", smallest.result.switches},
                           {"steps", smallest.result.steps},
                           {"minimal", shrunk.minimal},
                           {"executions", shrunk.executions},
                           {"verified", verified.value()},
                           {"passes", passes_json(shrunk.passes)},
                           {"leads", leads_json(shrunk)}};
        report.text = heading(*scenario_, recording_.token.kernel, "") +
                      "reproduce: interleaf shrink " + recording_.word +
                      options_of(session_, recording_, *scenario_) +
                      (session_.has("max-executions")
                           ? " --max-executions " + session_.parsed.last("max-executions")
                           : "") +
                      "\n\nsignature " + signature + " (locked)\n" +
                      table_of_passes(shrunk.passes) + claim(shrunk, verified.value());
        report.text += "wrote " + file_ + "\n";
        if (!token.empty() && whole)
            report.text += "      interleaf replay " + token +
                           options_of(session_, recording_, *scenario_) + "\n";
        report.text += leads_text(shrunk) + "next: interleaf explain " + file_ +
                       devices_options(session_) + "\n";
        return report;
    }

    std::string claim(const shrink::Shrunk& shrunk, std::uint64_t verified) const {
        const std::string agree =
            std::to_string(verified) + " of " + std::to_string(verified) + " replays agree\n";
        if (shrunk.minimal)
            return "minimal: no single task, operation or context switch can be removed "
                   "(1-minimal); " +
                   agree;
        return "not minimal: " + grouped(shrunk.executions) +
               " executions were used up (--max-executions); " + agree;
    }

    Json leads_json(const shrink::Shrunk& shrunk) const {
        Json list = Json::array();
        std::size_t i = 0;
        for (const auto& entry : shrunk.leads)
            list.push_back({{"signature", entry.first}, {"file", lead_files_[i++]}});
        return list;
    }
    std::string leads_text(const shrink::Shrunk& shrunk) const {
        std::string text;
        if (!shrunk.leads.empty())
            text = "rejected candidates failed with " +
                   counted(shrunk.leads.size(), "other signature") + ", kept as leads:\n";
        std::size_t i = 0;
        for (const auto& entry : shrunk.leads)
            text += "      " + entry.first + "  " + lead_files_[i++] + "\n";
        return text;
    }

    Session& session_;
    Recording recording_;
    ScenarioPtr scenario_;
    std::string file_;
    std::vector<std::string> lead_files_;
};

}  // namespace

VerbResult shrink(Session& session) {
    auto recording = load_recording(session.argument(0));
    if (!recording.ok()) return recording.error();
    auto scenario = scenario_of(session, recording.value());
    if (!scenario.ok()) return scenario.error();
    if (auto failure = other_kernel(session, recording.value())) return *failure;
    return Shrinking(session, std::move(recording.value()), std::move(scenario.value())).run();
}

}  // namespace app::cli
