#include "app/report/cases.h"
#include "app/report/escape.h"

namespace app::report {

namespace {

std::string attribute(const std::string& name, const std::string& value) {
    return " " + name + "=\"" + in_xml(value) + "\"";
}

std::string counts(const std::vector<Case>& cases) {
    std::size_t failures = 0, errors = 0, skipped = 0;
    for (const Case& entry : cases) {
        failures += entry.outcome == Case::Outcome::Failed ? 1 : 0;
        errors += entry.outcome == Case::Outcome::Broken ? 1 : 0;
        skipped += entry.outcome == Case::Outcome::Skipped ? 1 : 0;
    }
    return attribute("tests", std::to_string(cases.size())) +
           attribute("failures", std::to_string(failures)) +
           attribute("errors", std::to_string(errors)) +
           attribute("skipped", std::to_string(skipped));
}

std::string defect_text(const Case& entry) {
    std::string text;
    for (const Defect& defect : entry.defects) {
        text += defect.signature + "\n";
        if (!defect.text.empty()) text += defect.text + "\n";
        if (!defect.replay.empty()) text += defect.replay + "\n";
        if (!defect.ladder.empty()) text += "\n" + defect.ladder + "\n";
    }
    return text;
}

/// Line ends are for people here, and XML keeps them in text.
std::string in_text(const std::string& text) {
    std::string result = in_xml(text);
    for (std::size_t at = 0; (at = result.find("&#10;", at)) != std::string::npos;)
        result.replace(at, 5, "\n");
    return result;
}

std::string outcome(const Case& entry) {
    const std::string message = attribute("message", entry.summary());
    const std::string type =
        attribute("type", entry.defects.empty() ? entry.verdict : entry.defects.front().signature);
    switch (entry.outcome) {
    case Case::Outcome::Passed:
        return "";
    case Case::Outcome::Known:
        return "      <system-out>" + in_text(defect_text(entry)) + "</system-out>\n";
    case Case::Outcome::Failed:
        return "      <failure" + message + type + ">" + in_text(defect_text(entry)) +
               "</failure>\n";
    case Case::Outcome::Skipped:
        return "      <skipped" + message + "/>\n";
    case Case::Outcome::Broken:
        return "      <error" + message + type + "/>\n";
    }
    return "";
}

std::string suite_of(const Case& entry, const std::string& verb) {
    std::string text = "  <testsuite" + attribute("name", entry.name()) + counts({entry}) +
                       ">\n    <properties>\n";
    for (const auto& [name, value] : entry.properties)
        text += "      <property" + attribute("name", name) + attribute("value", value) + "/>\n";
    text += "    </properties>\n    <testcase" + attribute("name", entry.name()) +
            attribute("classname", "interleaf." + verb);
    const std::string inside = outcome(entry);
    text += inside.empty() ? "/>\n" : ">\n" + inside + "    </testcase>\n";
    return text + "  </testsuite>\n";
}

}  // namespace

std::string junit(const Suite& suite) {
    std::string text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites" +
                       attribute("name", "interleaf " + suite.verb) + counts(suite.cases) + ">\n";
    for (const Case& entry : suite.cases)
        text += suite_of(entry, suite.verb);
    return text + "</testsuites>\n";
}

}  // namespace app::report
