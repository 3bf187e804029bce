#include "app/cli/lessons.h"
#include "app/cli/result_file.h"
#include "app/scenario/words.h"

namespace app::cli {

namespace {

constexpr std::size_t text_width = 100;

std::string filled_up(std::string word, std::size_t width) {
    word.resize(std::max(word.size(), width), ' ');
    return word;
}

/// "FAIL on 5.5 without 1bbb97b8ce7d"
std::string outcome(const lesson::Lesson& lesson) {
    return std::string(to_string(lesson.verdict)) + " on " + lesson.kernel.name();
}

VerbResult list_lessons() {
    Report report;
    report.document["lessons"] = Json::array();
    report.text = "NAME            STOPS  SCENARIO     TITLE\n";
    for (const auto& [name, file] : lesson_files()) {
        const auto found = find_lesson(name);
        if (!found.ok()) return found.error();
        const lesson::Lesson& lesson = found.value();
        report.text += filled_up(name, 16) + filled_up(std::to_string(lesson.stops.size()), 7) +
                       filled_up(lesson.scenario, 13) + lesson.title + "\n" + filled_up("", 36) +
                       outcome(lesson) + "\n";
        report.document["lessons"].push_back({{"name", name},
                                              {"title", lesson.title},
                                              {"scenario", lesson.scenario},
                                              {"kernel", lesson.kernel.name()},
                                              {"verdict", to_string(lesson.verdict)},
                                              {"stops", lesson.stops.size()},
                                              {"file", file}});
    }
    report.text += "\nNext: interleaf lesson NAME -o NAME.html, and open that in a browser\n";
    return report;
}

/// Each paragraph wrapped, as in a terminal; `first` begins it, its width in blanks every other
/// line.
std::string prose(const std::string& text, const std::string& first) {
    const std::string indent(first.size(), ' ');
    std::string result;
    for (const std::string& paragraph : scenario::split(lesson::plain(text), '\n'))
        if (!paragraph.empty())
            for (const std::string& line :
                 scenario::split(wrapped(paragraph, text_width - indent.size(), ""), '\n'))
                if (!line.empty()) result += (result.empty() ? first : indent) + line + "\n";
    return result;
}

/// The lesson to be read where there is no browser.
std::string as_text(const ToldLesson& told) {
    std::string text = prose(told.lesson.about, "");
    for (std::size_t i = 0; i < told.steps.size(); ++i) {
        const lesson::Stop& stop = told.lesson.stops[i];
        text += "\n" + std::to_string(i + 1) + ". " + stop.title + "  (after " +
                counted(told.steps[i], "step") + ")\n" + prose(stop.text, "   ");
        if (stop.question)
            text += prose(stop.question->text, "   ? ") + prose(stop.question->answer, "     ");
    }
    return text;
}

}  // namespace

VerbResult lesson(Session& session) {
    if (session.parsed.arguments.empty()) return list_lessons();
    if (session.settings.kernel_given)
        return usage_failure(
            "a lesson is told on its own kernel: no --kernel, --with or --without");
    auto found = find_lesson(session.argument(0));
    if (!found.ok()) return found.error();
    const auto told = tell(session, std::move(found.value()));
    if (!told.ok()) return told.error();
    const ToldLesson& lesson = told.value();

    Report report;
    report.document = {{"lesson", lesson.lesson.name},
                       {"token", lesson.run.recording.word},
                       {"stops", Json::array()},
                       {"branches", Json::array()}};
    for (std::size_t i = 0; i < lesson.steps.size(); ++i)
        report.document["stops"].push_back(
            {{"step", lesson.steps[i]}, {"title", lesson.lesson.stops[i].title}});
    for (const ToldLesson::Branch& branch : lesson.branches)
        report.document["branches"].push_back(
            {{"step", branch.step},
             {"token", branch.run.recording.word},
             {"verdict", to_string(verdict_of(branch.run.recorded.result))}});
    report.text = lesson.lesson.title + "\n\n";
    describe(report, *lesson.run.scenario, lesson.run.recording.token.kernel,
             lesson.run.recorded.result);
    // To have told it is the success of this command.
    report.forced_exit = exit_code::as_expected;
    const std::string& file = session.settings.result_file;
    if (file.empty()) {
        report.text += "\n" + as_text(lesson) + "\nThe page: interleaf lesson " +
                       session.argument(0) + " -o " + lesson.lesson.name + ".html\n";
        return report;
    }
    report.document["file"] = file;
    report.text += "wrote " + file + ": " + counted(lesson.steps.size(), "stop") + ", " +
                   counted(lesson.branches.size(), "other order") + "; " +
                   bytes_text(lesson.page.size()) + "\n";
    if (auto failure = deliver(file, lesson.page, report)) return *failure;
    return report;
}

}  // namespace app::cli
