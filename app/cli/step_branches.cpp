#include "app/cli/step_branches.h"

#include <algorithm>
#include <filesystem>

#include "app/cli/devices.h"
#include "app/cli/output.h"
#include "app/cli/pages.h"

namespace app::cli {

namespace {

using exporter::StepMistake;

StepMistake mistake(const Failure& failure) {
    return {failure.message, failure.nearest};
}

}  // namespace

sim::Result<std::unique_ptr<BranchRunner>, Failure> BranchRunner::start(const Session& session,
                                                                        RecordedRun run) {
    std::unique_ptr<BranchRunner> runner(new BranchRunner(session));
    if (auto failure = runner->add(std::move(run))) return *failure;
    return runner;
}

std::optional<Failure> BranchRunner::add(RecordedRun run) {
    auto described = about(session_, run);
    if (!described.ok()) return described.error();
    auto branch = std::make_unique<Branch>(Branch{std::move(run), {}});
    branch->document = exporter::trace_document(branch->run.recorded, described.value());
    branches_.push_back(std::move(branch));
    return std::nullopt;
}

/// Runs the choices once, for a token that repeats them; of choices that no token holds a file in
/// the folder of artifacts is left, as of every such execution.
sim::Result<Recording, Failure> BranchRunner::run_branch(const RecordedRun& base,
                                                         const sim::Schedule& schedule) const {
    const report::Token& from = base.recording.token;
    const auto options = execution_options(session_.settings, from, false);
    const auto execution = prepare(base.scenario, from.kernel, options,
                                   watch_devices(session_, *base.scenario, from.kernel));
    if (!execution.ok()) return execution.error();
    const auto choices = sim::make_replay(schedule);
    choices->next_execution();
    const sim::ExecutionResult& result = execution.value()->run(*choices);
    const report::Token token = make_token(*base.scenario, from.kernel, options.grain, result);
    std::string word = report::encode(token);
    if (word.empty()) {
        word = recording_name(session_, base.scenario->id, result.trace_hash);
        std::error_code error;
        std::filesystem::create_directories(session_.settings.artifacts, error);
        if (auto failure = save_recording(session_, word, base.scenario, token)) return *failure;
    }
    return Recording{.token = token, .steps = {}, .word = word, .has_scenario = false};
}

sim::Result<const SortedJson*, StepMistake>
BranchRunner::take(std::size_t branch, std::uint32_t steps, std::size_t candidate) {
    const RecordedRun& base = branches_.at(branch)->run;
    const auto& points = base.recorded.choices;
    const auto point = std::find_if(points.begin(), points.end(),
                                    [&](const auto& entry) { return entry.step == steps; });
    if (point == points.end()) return StepMistake{"there is no choice here", ""};
    const auto schedule = exporter::branch_schedule(base.recorded, *point, candidate);
    auto recording = run_branch(base, schedule);
    if (!recording.ok()) return mistake(recording.error());
    auto run = record(session_, std::move(recording.value()), base.scenario);
    if (!run.ok()) return mistake(run.error());
    if (auto failure = add(std::move(run.value()))) return mistake(*failure);
    return &branches_.back()->document;
}

/// A branch goes into its page beside the execution that was given.
sim::Result<std::string, Failure>
BranchRunner::save_page(const std::string& file, std::size_t branch,
                        const std::vector<exporter::StepNote>& notes) const {
    AtomicFile output;  // opened first: a wrong name is known before the work
    std::string error = output.open(file);
    if (!error.empty()) return usage_failure(error);
    SortedJson list = SortedJson::array();
    for (const exporter::StepNote& note : notes)
        if (note.branch == branch || note.branch == 0)
            list.push_back({{"trace", note.branch == branch ? 0 : 1},
                            {"step", note.step},
                            {"text", note.text}});
    const auto page = page_of(session_, branches_.at(branch)->run,
                              branch == 0 ? nullptr : &branches_.front()->run, list);
    if (!page.ok()) return page.error();
    error = output.commit(page.value().content);
    if (!error.empty()) return usage_failure(error);
    std::string said = "wrote " + file + " with " + counted(list.size(), "note");
    if (!page.value().cut.empty()) said += "; " + page.value().cut;
    if (list.size() < notes.size())
        said += "; " + counted(notes.size() - list.size(), "note") + " of other branches left out";
    return said;
}

sim::Result<std::string, StepMistake>
BranchRunner::save(const std::string& file, std::size_t branch,
                   const std::vector<exporter::StepNote>& notes) {
    if (file.ends_with(".html")) {
        const auto said = save_page(file, branch, notes);
        if (!said.ok()) return mistake(said.error());
        return said.value();
    }
    if (!file.ends_with(".ilf"))
        return StepMistake{"save \"" + file + "\": expected a name that ends in .html or .ilf", ""};
    const RecordedRun& run = branches_.at(branch)->run;
    if (const auto failure = save_recording(session_, file, run.scenario, run.recording.token))
        return mistake(*failure);
    return "wrote " + file + "; interleaf replay " + file;
}

}  // namespace app::cli
