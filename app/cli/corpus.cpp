#include "app/cli/corpus.h"

#include <algorithm>
#include <filesystem>

#include "app/cli/devices.h"
#include "app/cli/recording.h"
#include "app/scenario/words.h"
#include "sim/hash.h"

namespace app::cli {

namespace {

const char* name_of(Corpus::Status status) {
    switch (status) {
    case Corpus::Status::Fails:
        return "fails";
    case Corpus::Status::FailsOtherwise:
        return "fails-otherwise";
    case Corpus::Status::NoLonger:
        break;
    }
    return "no-longer";
}

sim::Result<std::vector<std::string>, Failure> files_in(const std::string& folder) {
    std::vector<std::string> files;
    std::error_code error;
    if (!std::filesystem::exists(folder, error)) return files;
    for (const auto& entry : std::filesystem::directory_iterator(folder, error))
        if (entry.path().extension() == ".ilf") files.push_back(entry.path().string());
    if (error) return usage_failure("--corpus " + folder + ": " + error.message());
    std::sort(files.begin(), files.end());
    return files;
}

/// Whether it can be the very same execution: nothing that decides it has changed, as far as tokens
/// tell.
bool is_unchanged(const report::Token& token, const Session& session,
                  const scenario::Scenario& scenario) {
    return token.kernel == session.settings.kernel && token.revision == report::model_revision &&
           report::changed_parts(token, scenario.content).empty();
}

/// The recorded execution on the kernel that is hunted on; by the meaning of its steps where the
/// schedule alone does not make it again.
sim::Result<sim::ExecutionResult, Failure> run_again(const Session& session,
                                                     const report::FailureFile& recording,
                                                     const ScenarioPtr& scenario, bool& exactly) {
    const sim::ExecutionOptions options =
        execution_options(session.settings, recording.token, false);
    const model::KernelVersion& kernel = session.settings.kernel;
    const auto execution =
        prepare(scenario, kernel, options, watch_devices(session, *scenario, kernel));
    if (!execution.ok()) return execution.error();
    if (is_unchanged(recording.token, session, *scenario)) {
        const auto strategy = make_strategy(recording.token, *execution.value());
        strategy->next_execution();
        const sim::ExecutionResult& result = execution.value()->run(*strategy);
        exactly = result.trace_hash == recording.trace_hash;
        if (exactly) return result;
    }
    sim::MeaningReplay strategy(recording.steps, sim::OnDivergence::Nearest);
    strategy.next_execution();
    return execution.value()->run(strategy);
}

std::string file_name(const scenario::Scenario& scenario, const model::KernelVersion& kernel,
                      const std::string& signature) {
    std::string id = scenario.id;
    std::replace(id.begin(), id.end(), '/', '-');
    const std::uint64_t digest = sim::hash_mix(kernel.hash(), sim::hash_text(signature));
    return id + "-" + scenario::hex_digits(digest, 8) + ".ilf";
}

}  // namespace

sim::Result<Corpus, Failure> Corpus::replay(const Session& session, const std::string& folder,
                                            const std::vector<ScenarioPtr>& scenarios) {
    Corpus corpus;
    corpus.folder_ = folder;
    const auto files = files_in(folder);
    if (!files.ok()) return files.error();
    for (const std::string& file : files.value()) {
        const auto text = read_file(file);
        if (!text.ok()) return text.error();
        const auto recording = report::parse_failure_file(text.value());
        if (!recording.ok()) return damaged(file + ": " + recording.error().message);
        const report::Token& token = recording.value().token;
        const auto scenario = std::find_if(scenarios.begin(), scenarios.end(), [&](const auto& s) {
            return s->id == token.scenario && s->exists_on(session.settings.kernel.release());
        });
        if (scenario == scenarios.end()) {
            ++corpus.skipped_;
            continue;
        }
        Entry entry{.file = file,
                    .scenario = token.scenario,
                    .kernel = token.kernel.name(),
                    .signature = recording.value().signature,
                    .now = {}};
        const auto result = run_again(session, recording.value(), *scenario, entry.exactly);
        if (!result.ok()) return result.error();
        entry.now = signature_of(result.value());
        if (result.value().failed())
            entry.status = entry.now == entry.signature ? Status::Fails : Status::FailsOtherwise;
        corpus.entries_.push_back(std::move(entry));
    }
    return corpus;
}

std::set<std::string> Corpus::known(const std::string& scenario) const {
    std::set<std::string> signatures;
    for (const Entry& entry : entries_)
        if (entry.scenario == scenario && entry.status != Status::NoLonger)
            signatures.insert(entry.now);
    return signatures;
}

bool Corpus::fails() const {
    return std::any_of(entries_.begin(), entries_.end(),
                       [](const Entry& entry) { return entry.status != Status::NoLonger; });
}

std::optional<Failure> Corpus::add(const Session& session, const ScenarioPtr& scenario,
                                   const sim::Failure& failure) {
    std::error_code error;
    std::filesystem::create_directories(folder_, error);
    const model::KernelVersion& kernel = session.settings.kernel;
    const std::string file = folder_ + "/" + file_name(*scenario, kernel, failure.signature);
    if (auto wrong =
            save_recording(session, file, scenario,
                           make_token(*scenario, kernel, session.settings.grain, failure.result)))
        return wrong;
    added_.push_back(file);
    return std::nullopt;
}

Json Corpus::json() const {
    Json list = Json::array();
    for (const Entry& entry : entries_) {
        list.push_back({{"file", entry.file},
                        {"scenario", entry.scenario},
                        {"kernel", entry.kernel},
                        {"signature", entry.signature},
                        {"status", name_of(entry.status)},
                        {"exactly", entry.exactly}});
        if (entry.status == Status::FailsOtherwise) list.back()["now"] = entry.now;
    }
    return {{"folder", folder_}, {"entries", list}, {"skipped", skipped_}, {"added", added_}};
}

std::string Corpus::text() const {
    const auto failing = static_cast<std::size_t>(
        std::count_if(entries_.begin(), entries_.end(),
                      [](const Entry& entry) { return entry.status != Status::NoLonger; }));
    const auto count = [](std::size_t n, const char* one, const char* many) {
        return std::to_string(n) + " " + (n == 1 ? one : many);
    };
    if (entries_.empty() && skipped_ == 0) return "corpus " + folder_ + ": empty\n";
    std::string text =
        "corpus " + folder_ + ": " + count(entries_.size(), "entry", "entries") +
        " replayed first, " + count(failing, "still fails", "still fail") + " (known)" +
        (skipped_ == 0 ? "" : ", " + std::to_string(skipped_) + " of other scenarios left out") +
        "\n";
    for (const Entry& entry : entries_) {
        std::string status = "known    ";
        if (entry.status == Status::NoLonger) status = "no longer";
        if (entry.status == Status::FailsOtherwise) status = "otherwise";
        text += "      " + status + "  " + entry.scenario + "  " + entry.signature + "\n";
        if (entry.status == Status::FailsOtherwise)
            text += "                 now " + entry.now + "\n";
        if (!entry.exactly)
            text += "                 of " + entry.kernel + ", by the meaning of its steps\n";
        text += "                 " + entry.file + "\n";
    }
    return text;
}

}  // namespace app::cli
