#include "app/cli/lessons.h"

#include <algorithm>
#include <filesystem>

#include "app/cli/build_info.h"
#include "app/export/page.h"
#include "app/lesson/telling.h"
#include "app/scenario/words.h"

namespace app::cli {

namespace {

namespace fs = std::filesystem;
using lesson::Lesson;
using lesson::Telling;

constexpr const char* glossary_name = "glossary.json";
/// Executions that look where choices lead that no stop offers.
constexpr std::uint64_t branch_executions = 200;
/// Steps of a branch that are told, from its choice on.
constexpr std::uint32_t branch_steps = 1'500;

sim::Result<lesson::Glossary, Failure> load_lesson_glossary() {
    for (const std::string& folder : lesson_folders()) {
        const std::string file = folder + "/" + glossary_name;
        std::error_code ignored;
        if (!fs::is_regular_file(file, ignored)) continue;
        const auto text = read_file(file);
        if (!text.ok()) return text.error();
        auto glossary = lesson::load_glossary(text.value(), file);
        if (!glossary.ok()) return invalid_file(glossary.error());
        return std::move(glossary.value());
    }
    return invalid(std::string("the glossary that comes with the program (lessons/") +
                   glossary_name + ") is not there");
}

/// Runs, and what goes wrong where the lesson says something else.
class Teller {
  public:
    Teller(const Session& session, Lesson lesson) : session_(session), lesson_(std::move(lesson)) {}

    sim::Result<ToldLesson, Failure> tell() {
        const auto scenario = session_.library.find(lesson_.scenario);
        if (!scenario.ok()) return scenario.error();
        scenario_ = scenario.value();
        auto run = follow_turns();
        if (!run.ok()) return run.error();
        if (auto failure = check_verdict(run.value().recorded.result)) return *failure;
        ToldLesson told{.lesson = lesson_,
                        .run = std::move(run.value()),
                        .steps = {},
                        .branches = {},
                        .page = {}};
        auto described = about(session_, told.run, branch_executions);
        if (!described.ok()) return described.error();
        const SortedJson document = exporter::trace_document(told.run.recorded, described.value());
        if (auto failure = find_stops(document, told)) return *failure;
        return with_page(std::move(told), std::move(described.value()));
    }

  private:
    using RunResult = sim::Result<RecordedRun, Failure>;

    Failure mistake(const std::string& pointer, std::string message, std::string expected) const {
        return invalid_file(mistake_at(lesson_, pointer, std::move(message), std::move(expected)));
    }

    /// The default order, and from each turn on another task.
    RunResult follow_turns() {
        RunResult run = record_schedule(session_, scenario_, lesson_.kernel, {});
        std::uint32_t from = 0;
        for (const lesson::Turn& turn : lesson_.turns) {
            if (!run.ok()) return run;
            exporter::About plain;
            plain.scenario = scenario_;
            const SortedJson document = exporter::trace_document(run.value().recorded, plain);
            const Telling telling(document);
            const auto moment = telling.find(turn.at, from);
            if (!moment) return no_such_moment(turn.at.pointer);
            const auto choice = telling.choice({turn.task}, *moment);
            if (!choice)
                return mistake(turn.at.pointer,
                               "after this " + scenario::in_quotes(turn.task) +
                                   " could never come where another task did",
                               "a task of the execution that could");
            from = choice->step;
            run = branch(run.value(), choice->row, choice->candidates.front());
        }
        return run;
    }

    RunResult branch(const RecordedRun& run, std::size_t row, std::size_t candidate) const {
        const exporter::Recorded& recorded = run.recorded;
        return record_schedule(
            session_, scenario_, lesson_.kernel,
            exporter::branch_schedule(recorded, recorded.choices.at(row), candidate));
    }

    Failure no_such_moment(const std::string& pointer) const {
        return mistake(pointer, "this does not happen in the execution, or not this late",
                       "something that happens after the stop before");
    }

    std::optional<Failure> check_verdict(const sim::ExecutionResult& result) const {
        const Verdict verdict = verdict_of(result);
        if (verdict != lesson_.verdict)
            return mistake("/verdict",
                           std::string("the execution is ") + to_string(verdict) +
                               (result.violation ? " (" + signature_of(result) + ")" : ""),
                           to_string(lesson_.verdict));
        const std::string signature = signature_of(result);
        if (!lesson_.signature.empty() && signature != lesson_.signature)
            return mistake("/signature", "the execution fails with " + signature,
                           lesson_.signature);
        return std::nullopt;
    }

    std::optional<Failure> find_stops(const SortedJson& document, ToldLesson& told) {
        const Telling telling(document);
        std::uint32_t from = 0;
        for (const lesson::Stop& stop : lesson_.stops) {
            const auto moment = telling.find(stop.at, from);
            if (!moment || *moment < from) return no_such_moment(stop.at.pointer);
            from = *moment;
            if (!stop.choose.empty())
                if (auto failure = choose(telling, stop, from, told)) return failure;
            for (const lesson::Condition& condition : stop.expects)
                if (const std::string objection = telling.objection(condition, from);
                    !objection.empty())
                    return mistake(condition.pointer,
                                   "after " + std::to_string(from) + " steps: " + objection,
                                   "a state that the stop's text is true of");
            told.steps.push_back(from);
        }
        return std::nullopt;
    }

    /// The stop is before the choice, and what the others lead to is recorded.
    std::optional<Failure> choose(const Telling& telling, const lesson::Stop& stop,
                                  std::uint32_t& step, ToldLesson& told) {
        const auto choice = telling.choice(stop.choose, step);
        if (!choice)
            return mistake(stop.pointer + "/choose",
                           "there is no choice from here on at which all of these could come, and "
                           "did not",
                           "tasks that could come instead");
        step = choice->step;
        for (const std::size_t candidate : choice->candidates) {
            auto run = branch(told.run, choice->row, candidate);
            if (!run.ok()) return run.error();
            told.branches.push_back({.step = choice->step,
                                     .row = choice->row,
                                     .candidate = candidate,
                                     .run = std::move(run.value())});
        }
        return std::nullopt;
    }

    sim::Result<ToldLesson, Failure> with_page(ToldLesson told, exporter::About main) const {
        SortedJson traces = SortedJson::array({nullptr});
        for (const ToldLesson::Branch& branch : told.branches) {
            auto described = about(session_, branch.run, 0);
            if (!described.ok()) return described.error();
            const std::uint32_t steps = branch.run.recorded.result.steps;
            described.value().window =
                exporter::Window{branch.step, std::min(branch_steps, steps - branch.step)};
            traces.push_back(exporter::trace_document(branch.run.recorded, described.value()));
            main.outcomes.at(branch.row).at(branch.candidate) =
                exporter::outcome_of(branch.run.recorded.result);
        }
        traces[0] = exporter::trace_document(told.run.recorded, main);
        const SortedJson book = {{"format", "interleaf-book"},
                                 {"version", 1},
                                 {"compare", false},
                                 {"traces", std::move(traces)},
                                 {"lesson", lesson_json(told)}};
        told.page = exporter::page_with(exporter::document_text(book));
        return told;
    }

    static SortedJson lesson_json(const ToldLesson& told) {
        SortedJson stops = SortedJson::array(), branches = SortedJson::array();
        for (std::size_t i = 0; i < told.steps.size(); ++i) {
            const lesson::Stop& stop = told.lesson.stops[i];
            SortedJson entry = {{"step", told.steps[i]},
                                {"title", stop.title},
                                {"text", stop.text},
                                {"panels", stop.panels},
                                {"choose", !stop.choose.empty()}};
            if (stop.question)
                entry["question"] = {{"text", stop.question->text},
                                     {"answer", stop.question->answer}};
            stops.push_back(std::move(entry));
        }
        for (std::size_t i = 0; i < told.branches.size(); ++i)
            branches.push_back({{"step", told.branches[i].step},
                                {"candidate", told.branches[i].candidate},
                                {"trace", i + 1}});
        return {{"name", told.lesson.name},
                {"title", told.lesson.title},
                {"about", told.lesson.about},
                {"stops", std::move(stops)},
                {"branches", std::move(branches)}};
    }

    const Session& session_;
    Lesson lesson_;
    ScenarioPtr scenario_;
};

}  // namespace

std::map<std::string, std::string> lesson_files() {
    std::map<std::string, std::string> files;
    for (const std::string& folder : lesson_folders()) {
        std::error_code error;
        if (!fs::is_directory(folder, error)) continue;
        for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
            const std::string name = entry.path().stem().string();
            if (entry.path().extension() == ".json" && name != "schema" &&
                entry.path().filename() != glossary_name)
                files.emplace(name, entry.path().string());
        }
    }
    return files;
}

sim::Result<Lesson, Failure> find_lesson(const std::string& word) {
    const auto files = lesson_files();
    const auto found = files.find(word);
    if (found == files.end() && !is_file_name(word)) {
        std::vector<std::string> names;
        for (const auto& entry : files)
            names.push_back(entry.first);
        return invalid("unknown lesson " + scenario::in_quotes(word) + "; there are " +
                           scenario::join(names, ", "),
                       scenario::nearest(word, names));
    }
    const std::string& file = found == files.end() ? word : found->second;
    const auto glossary = load_lesson_glossary();
    if (!glossary.ok()) return glossary.error();
    const auto text = read_file(file);
    if (!text.ok()) return text.error();
    auto loaded = lesson::load(text.value(), file, glossary.value());
    if (!loaded.ok()) return invalid_file(loaded.error());
    if (found == files.end() || loaded.value().name == word) return std::move(loaded.value());
    return invalid_file(lesson::mistake_at(loaded.value(), "/name", "this is not the file's name",
                                           scenario::in_quotes(word)));
}

sim::Result<ToldLesson, Failure> tell(const Session& session, Lesson lesson) {
    return Teller(session, std::move(lesson)).tell();
}

}  // namespace app::cli
