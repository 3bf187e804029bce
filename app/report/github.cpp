#include "app/report/cases.h"
#include "app/report/escape.h"

namespace app::report {

namespace {

constexpr std::size_t shown_of_type = 9;  // ten of a type and step are kept by GitHub

std::string message_of(const Case& entry) {
    std::string text = entry.reason;
    for (const Defect& defect : entry.defects) {
        if (!text.empty()) text += "\n";
        text += defect.signature + (defect.text.empty() ? "" : ": " + defect.text);
        if (!defect.replay.empty()) text += "\n" + defect.replay;
    }
    return text.empty() ? entry.verdict : text;
}

std::string annotation(const std::string& type, const Case& entry) {
    std::string place;
    if (!entry.file.empty()) place = "file=" + in_command_property(entry.file) + ",line=1,";
    return "::" + type + " " + place +
           "title=" + in_command_property(entry.name() + " " + entry.verdict) +
           "::" + in_command(message_of(entry)) + "\n";
}

template <class Wanted>
std::string annotations(const Suite& suite, const std::string& type, Wanted&& wanted) {
    std::string text;
    std::size_t count = 0;
    for (const Case& entry : suite.cases)
        if (wanted(entry.outcome) && ++count <= shown_of_type) text += annotation(type, entry);
    if (count > shown_of_type)
        text += "::" + type + " title=interleaf " + in_command_property(suite.verb) + "::and " +
                std::to_string(count - shown_of_type) + " more; the table has them all\n";
    return text;
}

}  // namespace

std::string github(const Suite& suite) {
    using Outcome = Case::Outcome;
    return annotations(suite, "error",
                       [](Outcome outcome) {
                           return outcome == Outcome::Failed || outcome == Outcome::Broken;
                       }) +
           annotations(suite, "warning",
                       [](Outcome outcome) { return outcome == Outcome::Skipped; });
}

}  // namespace app::report
