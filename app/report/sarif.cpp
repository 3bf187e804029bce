#include <algorithm>
#include <map>

#include "app/json.h"
#include "app/report/cases.h"
#include "app/report/escape.h"

namespace app::report {

namespace {

Json message(const std::string& text) {
    return {{"text", clean_text(text)}};
}

Json location(const Case& entry) {
    if (entry.file.empty()) return Json::object();
    return {
        {"physicalLocation",
         {{"artifactLocation", {{"uri", in_uri(entry.file)}}}, {"region", {{"startLine", 1}}}}}};
}

/// A flow for each task, its places numbered in the order of the whole execution.
Json code_flow(const Case& entry, const Defect& defect) {
    const std::size_t left_out =
        defect.remarks.size() - std::min(defect.remarks.size(), max_remarks);
    std::map<std::string, Json> by_task;
    for (std::size_t i = left_out; i < defect.remarks.size(); ++i) {
        Json place = location(entry);
        place["message"] = message(defect.remarks[i].second);
        Json& places = by_task[defect.remarks[i].first];
        if (places.is_null()) places = Json::array();
        places.push_back({{"location", std::move(place)}, {"executionOrder", i + 1}});
    }
    Json flows = Json::array();
    for (auto& [task, places] : by_task)
        flows.push_back({{"id", clean_text(task)}, {"locations", std::move(places)}});
    return {{"threadFlows", std::move(flows)}};
}

Json result_of(const Case& entry, const Defect& defect, std::size_t rule) {
    Json properties = {{"scenario", clean_text(entry.scenario)},
                       {"kernel", clean_text(entry.kernel)},
                       {"replay", clean_text(defect.replay)}};
    for (const auto& [name, value] : entry.properties)
        properties[clean_text(name)] = clean_text(value);
    const std::string said = defect.text.empty() ? defect.signature : defect.text;
    Json result = {{"ruleId", clean_text(defect.signature)},
                   {"ruleIndex", rule},
                   {"level", "error"},
                   {"message", message(entry.name() + ": " + said)}};
    if (!entry.file.empty()) result["locations"] = Json::array({location(entry)});
    result["partialFingerprints"] = {
        {"interleaf/v1", clean_text(entry.scenario + " " + entry.kernel + " " + defect.signature)}};
    if (!defect.remarks.empty()) result["codeFlows"] = Json::array({code_flow(entry, defect)});
    result["properties"] = std::move(properties);
    return result;
}

}  // namespace

std::string sarif(const Suite& suite) {
    Json rules = Json::array(), results = Json::array();
    std::map<std::string, std::size_t> rule_of;
    for (const Case& entry : suite.cases) {
        if (entry.outcome != Case::Outcome::Failed) continue;
        for (const Defect& defect : entry.defects) {
            const auto [it, fresh] = rule_of.try_emplace(defect.signature, rules.size());
            if (fresh)
                rules.push_back({{"id", clean_text(defect.signature)},
                                 {"shortDescription", message(defect.signature)}});
            results.push_back(result_of(entry, defect, it->second));
        }
    }
    const Json document = {{"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
                           {"version", "2.1.0"},
                           {"runs", Json::array({{{"tool",
                                                   {{"driver",
                                                     {{"name", "interleaf"},
                                                      {"version", suite.version},
                                                      {"rules", std::move(rules)}}}}},
                                                  {"results", std::move(results)}}})}};
    return document.dump(2) + "\n";
}

}  // namespace app::report
