#include "app/report/cases.h"
#include "app/report/escape.h"

namespace app::report {

namespace {

std::string result_line(const Case& entry, std::size_t number) {
    const bool good =
        entry.outcome != Case::Outcome::Failed && entry.outcome != Case::Outcome::Broken;
    std::string line = std::string(good ? "ok " : "not ok ") + std::to_string(number) + " " +
                       in_ktap(entry.scenario + (entry.kernel.empty() ? "" : " " + entry.kernel));
    const std::string reason = entry.reason.empty() ? "" : " " + in_ktap(entry.reason);
    switch (entry.outcome) {
    case Case::Outcome::Known:
        return line + " # XFAIL" + reason;
    case Case::Outcome::Skipped:
        return line + " # SKIP" + reason;
    case Case::Outcome::Broken:
        return line + " # ERROR" + reason;
    default:
        return line;
    }
}

}  // namespace

std::string ktap(const Suite& suite) {
    std::string text = "KTAP version 1\n1.." + std::to_string(suite.cases.size()) + "\n";
    std::size_t number = 0;
    for (const Case& entry : suite.cases) {
        text += result_line(entry, ++number) + "\n";
        std::string known;
        for (const auto& [name, value] : entry.properties)
            known += (known.empty() ? "" : ", ") + name + " " + value;
        text += "# " + in_ktap(entry.verdict + (known.empty() ? "" : ", " + known)) + "\n";
        for (const Defect& defect : entry.defects)
            text += "# " +
                    in_ktap(defect.signature + (defect.text.empty() ? "" : ": " + defect.text) +
                            (defect.replay.empty() ? "" : "; " + defect.replay)) +
                    "\n";
    }
    return text;
}

}  // namespace app::report
