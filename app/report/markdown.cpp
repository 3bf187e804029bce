#include "app/report/cases.h"
#include "app/report/escape.h"

namespace app::report {

namespace {

const char* word(Case::Outcome outcome) {
    switch (outcome) {
    case Case::Outcome::Passed:
        return "ok";
    case Case::Outcome::Known:
        return "known";
    case Case::Outcome::Failed:
        return "**failed**";
    case Case::Outcome::Skipped:
        return "undecided";
    case Case::Outcome::Broken:
        return "**could not run**";
    }
    return "";
}

std::string row(const Case& entry) {
    std::string known;
    for (const auto& [name, value] : entry.properties)
        if (name == "executions") known = value;
    std::string why = entry.reason;
    for (const Defect& defect : entry.defects)
        why += (why.empty() ? "" : ", ") + defect.signature;
    return "| " + in_markdown(entry.scenario) + " | " + in_markdown(entry.kernel) + " | " +
           in_markdown(entry.verdict) + " | " + word(entry.outcome) + " | " + in_markdown(known) +
           " | " + in_markdown(why) + " |\n";
}

}  // namespace

std::string markdown(const Suite& suite) {
    std::string text = "### interleaf " + in_markdown(suite.verb) +
                       "\n\n| scenario | kernel | verdict | | executions | |\n"
                       "| --- | --- | --- | --- | ---: | --- |\n";
    for (const Case& entry : suite.cases)
        text += row(entry);
    return text + markdown_failures(suite);
}

std::string markdown_failures(const Suite& suite) {
    std::string text;
    for (const Case& entry : suite.cases) {
        if (entry.outcome != Case::Outcome::Failed) continue;
        for (const Defect& defect : entry.defects) {
            text += "\n#### " + in_markdown(entry.name() + ": " + defect.signature) + "\n\n" +
                    in_markdown(defect.text) + "\n\n";
            if (!defect.replay.empty()) text += fenced(defect.replay);
            if (!defect.ladder.empty()) text += "\n" + fenced(defect.ladder);
        }
    }
    return text;
}

}  // namespace app::report
