#include "app/cli/cases.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "app/cli/build_info.h"
#include "app/cli/output.h"
#include "app/cli/recording.h"
#include "app/report/columns.h"
#include "app/report/ladder.h"

namespace app::cli {

namespace {

using report::Case;
using report::Defect;

/// Turns documents into cases, and looks up what they say only in few words.
class Suites {
  public:
    Suites(const Session& session, const Json& document, int exit)
        : session_(session), document_(document), good_(exit == exit_code::as_expected) {}

    report::Suite make() {
        report::Suite suite{
            .verb = session_.parsed.verb->name, .version = program_version(), .cases = {}};
        if (document_.contains("cells"))
            for (const Json& cell : document_["cells"])
                suite.cases.push_back(case_of_cell(cell));
        else if (document_.at("scenario").is_array())
            for (const Json& id : document_["scenario"])
                suite.cases.push_back(case_of(id.get<std::string>(), false));
        else
            suite.cases.push_back(case_of(scenario_word(), true));
        return suite;
    }

  private:
    std::string scenario_word() const {
        if (std::string id = string_at(document_, "scenario"); !id.empty()) return id;
        return session_.parsed.arguments.empty() ? "" : session_.parsed.arguments[0];
    }

    /// @param alone  whether the document's verdict is its
    Case case_of(const std::string& id, bool alone) {
        Case entry{.scenario = id,
                   .kernel = string_at(document_, "kernel"),
                   .verdict = string_at(document_, "verdict"),
                   .reason = {},
                   .file = {},
                   .title = {},
                   .defects = {},
                   .properties = {}};
        find_scenario(id, entry);
        for (const char* key : {"seed", "executions", "trace_hash"})
            add_property(entry, document_, key);
        if (document_.contains("failures")) {
            for (const Json& failure : document_["failures"])
                if (!failure.contains("scenario") || failure["scenario"] == id)
                    entry.defects.push_back(defect_of(failure));
        } else if (!string_at(document_, "signature").empty()) {
            entry.defects.push_back(defect_of(document_));
        }
        if (!alone && entry.defects.empty() && entry.verdict == to_string(Verdict::Fail))
            entry.verdict = to_string(Verdict::Clean);
        add_tokens(entry);
        judge(entry, good_);
        return entry;
    }

    Case case_of_cell(const Json& cell) {
        Case entry{.scenario = string_at(cell, "scenario"),
                   .kernel = string_at(cell, "kernel"),
                   .verdict = string_at(cell, "verdict"),
                   .reason = {},
                   .file = {},
                   .title = {},
                   .defects = {},
                   .properties = {}};
        find_scenario(entry.scenario, entry);
        for (const char* key : {"executions", "frequency", "expected"})
            add_property(entry, cell, key);
        if (!string_at(cell, "signature").empty()) entry.defects.push_back(defect_of(cell));
        add_tokens(entry);
        const bool failed = entry.verdict == to_string(Verdict::Fail);
        if (!cell.at("as_expected").get<bool>()) {
            entry.outcome = Case::Outcome::Failed;
            entry.reason = "expected " + string_at(cell, "expected") + ", got " + entry.verdict;
        } else if (entry.verdict == "N/A") {
            entry.outcome = Case::Outcome::Skipped;
            entry.reason = "not in this kernel";
        } else if (failed && !string_at(cell, "expected").empty()) {
            entry.outcome = Case::Outcome::Known;
            entry.reason = "expected";
        } else {
            judge(entry, !failed);
        }
        return entry;
    }

    void judge(Case& entry, bool good) const {
        const bool failed = entry.verdict == to_string(Verdict::Fail);
        if (document_.contains("error")) {
            entry.outcome = good ? Case::Outcome::Known : Case::Outcome::Broken;
            entry.reason = string_at(document_["error"], "message");
        } else if (failed) {
            entry.outcome = good ? Case::Outcome::Known : Case::Outcome::Failed;
            if (good) entry.reason = "expected";
        } else if (entry.verdict == to_string(Verdict::Inconclusive) && !good) {
            entry.outcome = Case::Outcome::Skipped;
            entry.reason = "no verdict inside the limits";
        } else if (!good && session_.settings.exit_rule.expect) {
            entry.outcome = Case::Outcome::Failed;
            entry.reason = std::string("expected ") +
                           to_string(*session_.settings.exit_rule.expect) + ", got " +
                           entry.verdict;
        }
    }

    static void add_property(Case& entry, const Json& json, const char* key) {
        const auto it = json.find(key);
        if (it == json.end() || it->is_null()) return;
        entry.properties.emplace_back(key, it->is_string() ? it->get<std::string>() : it->dump());
    }

    static void add_tokens(Case& entry) {
        for (const Defect& defect : entry.defects)
            if (!defect.token.empty()) entry.properties.emplace_back("token", defect.token);
    }

    /// By the words of the command line, since a file may have any id; else in the library.
    void find_scenario(const std::string& id, Case& entry) {
        scenario_ = nullptr;
        for (const std::string& word : session_.parsed.arguments) {
            if (!is_file_name(word)) continue;
            const auto loaded = load_scenario(word);
            if (loaded.ok() && loaded.value()->id == id) scenario_ = loaded.value();
        }
        if (session_.has("scenario"))
            if (const auto loaded = load_scenario(session_.parsed.last("scenario")); loaded.ok())
                scenario_ = loaded.value();
        if (scenario_ == nullptr)
            if (const auto loaded = session_.library.find(id); loaded.ok())
                scenario_ = loaded.value();
        if (scenario_ == nullptr) return;
        entry.file = near(scenario_->file);
        entry.title = scenario_->title;
    }
    /// As somebody in the working directory writes it, if it lies below that.
    static std::string near(const std::string& file) {
        std::error_code error;
        const std::string relative = std::filesystem::proximate(file, error).string();
        return error || relative.starts_with("..") ? file : relative;
    }

    Defect defect_of(const Json& json) {
        Defect defect{.signature = string_at(json, "signature"),
                      .text = string_at(json, "violation"),
                      .token = string_at(json, "token"),
                      .replay = {},
                      .ladder = {},
                      .remarks = {}};
        if (defect.token.empty()) return defect;
        defect.replay = "interleaf replay " + defect.token;
        if (scenario_ == nullptr) return defect;
        defect.replay += replay_options(session_, *scenario_);
        draw(defect);
        return defect;
    }

    void draw(Defect& defect) const {
        const auto recording = load_recording(defect.token);
        if (!recording.ok()) return;
        const auto replayed = replay_exactly(session_, recording.value(), scenario_, true);
        if (!replayed.ok()) return;
        const sim::Trace& trace = replayed.value().trace;
        if (defect.text.empty() && replayed.value().violation)
            defect.text = replayed.value().violation->text;
        defect.ladder = report::ladder(
            trace, report::Columns(*scenario_, report::Columns::By::Cpu),
            {.width = session_.settings.width, .full = false, .finding = defect.text});
        for (const sim::Narration& entry : trace.narration())
            if (entry.kind != sim::Narration::Kind::Enter &&
                entry.kind != sim::Narration::Kind::Leave)
                defect.remarks.emplace_back(trace.task_name(entry.task), entry.text);
    }

    const Session& session_;
    const Json& document_;
    bool good_;
    ScenarioPtr scenario_;
};

constexpr std::size_t largest_summary = 1 << 20;  // of a step, in bytes

}  // namespace

bool has_cases(VerbId verb) {
    return verb == VerbId::Run || verb == VerbId::Hunt || verb == VerbId::Explore ||
           verb == VerbId::Replay || verb == VerbId::Matrix;
}

report::Suite suite_of(const Session& session, const Json& document, int exit) {
    return Suites(session, document, exit).make();
}

std::string add_to_step_summary(const Environment& environment, const report::Suite& suite) {
    const auto it = environment.find("GITHUB_STEP_SUMMARY");
    if (it == environment.end() || it->second.empty()) return "";
    const int file = ::open(it->second.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (file < 0) return "cannot write " + it->second + ": " + std::strerror(errno);
    std::string text = report::markdown(suite);
    constexpr const char* cut = "\n(cut here: the summary would be too long)\n";
    if (text.size() > largest_summary) text = text.substr(0, largest_summary / 2) + cut;
    const std::string error = write_all(file, text);
    ::close(file);
    return error.empty() ? "" : "cannot write " + it->second + ": " + error;
}

}  // namespace app::cli
