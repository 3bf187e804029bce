#include "app/report/certificate.h"

#include <algorithm>
#include <cstdio>

#include "app/json.h"
#include "app/report/checksum.h"
#include "app/report/hex.h"
#include "app/scenario/words.h"

namespace app::report {

namespace {

constexpr const char* certificate_format = "interleaf certificate";
constexpr int certificate_version = 1;
constexpr unsigned hash_bits = 128;

Json costs_json(const Costs& costs) {
    Json kinds = Json::array();
    for (const Costs::Kind& kind : costs.kinds)
        kinds.push_back({{"object", kind.object}, {"races", kind.races}});
    return {
        {"executions", costs.executions}, {"races", costs.races}, {"objects", std::move(kinds)}};
}

Costs read_costs(const Json& json) {
    Costs costs;
    json.at("executions").get_to(costs.executions);
    json.at("races").get_to(costs.races);
    for (const Json& kind : json.at("objects"))
        costs.kinds.push_back(
            {kind.at("object").get<std::string>(), kind.at("races").get<std::uint64_t>()});
    return costs;
}

Json answers_json(const Answers& answers) {
    Json json = Json::object();
    for (const Answer& answer : answers)
        json[answer.question] = answer.yes;
    return json;
}

Answers read_answers(const Json& json) {
    Answers answers;
    for (const auto& [question, yes] : json.items())
        answers.push_back({question, yes.get<bool>()});
    return answers;
}

template <class T> Json or_null(const std::optional<T>& value) {
    return value ? Json(*value) : Json();
}

template <class T> void read_or_null(const Json& json, std::optional<T>& value) {
    if (!json.is_null()) value = json.get<T>();
}

Json cell_json(const Certificate::Cell& cell) {
    Json json = {{"bound", or_null(cell.wanted)},
                 {"frequency", cell.frequency},
                 {"failing", cell.failing},
                 {"time_ms", cell.time_ms}};
    if (!cell.witness.empty()) json["witness"] = cell.witness;
    if (!cell.same_as.empty()) json["same_as"] = cell.same_as;
    return json;
}

Certificate::Cell read_cell(const Json& json) {
    Certificate::Cell cell;
    read_or_null(json.at("bound"), cell.wanted);
    json.at("frequency").get_to(cell.frequency);
    json.at("failing").get_to(cell.failing);
    json.at("time_ms").get_to(cell.time_ms);
    if (json.contains("witness")) json.at("witness").get_to(cell.witness);
    if (json.contains("same_as")) json.at("same_as").get_to(cell.same_as);
    return cell;
}

std::string percent(double share) {
    char text[16];
    std::snprintf(text, sizeof text, "%.1f%%", 100 * share);
    return text;
}

Certificate read(const Json& json) {
    Certificate read;
    json.at("interleaf").get_to(read.program_version);
    json.at("model_revision").get_to(read.model_revision);
    read.search_revision = json.value("search_revision", 1U);  // the first did not say so
    json.at("scenario").get_to(read.scenario);
    read.content = from_hex(json.at("content"));
    read.prepared_state = from_hex(json.at("prepared_state"));
    json.at("kernel").get_to(read.kernel);
    read.kernel_hash = from_hex(json.at("kernel_hash"));
    json.at("verdict").get_to(read.verdict);
    json.at("signatures").get_to(read.signatures);
    json.at("whole_space").get_to(read.whole_space);
    json.at("grain").get_to(read.grain);
    json.at("merged_locks").get_to(read.merged_locks);
    const Json& bounds = json.at("bounds");
    read_or_null(bounds.at("deviations"), read.deviations);
    bounds.at("max_steps").get_to(read.max_steps);
    json.at("reduction").get_to(read.reduction);
    json.at("cache").at("entries").get_to(read.cache_entries);
    json.at("crash_at").get_to(read.crash_at);
    json.at("check_images").get_to(read.check_images);
    json.at("sampled_checks").get_to(read.sampled_checks);
    const Json& counts = json.at("counts");
    counts.at("executions").get_to(read.executions);
    counts.at("blocked").get_to(read.blocked);
    counts.at("steps").get_to(read.steps);
    counts.at("depth").get_to(read.depth);
    counts.at("jobs").get_to(read.jobs);
    if (json.contains("split")) json.at("split").get_to(read.split);
    if (json.contains("costs")) read.costs = read_costs(json.at("costs"));
    if (json.contains("self_check")) {
        read.self_check = json.at("self_check").at("rate").get<double>();
        json.at("self_check").at("pairs").get_to(read.pairs_swapped);
    }
    if (json.contains("asked"))
        read.asked = Asked{.answers = read_answers(json.at("asked")),
                           .unasked = scenario::split_words(json.value("unasked", ""))};
    if (json.contains("cell")) read.cell = read_cell(json.at("cell"));
    return read;
}

/// "5.2 yes, 1bbb97b8ce7d no"
std::string in_words(const Answers& answers) {
    std::vector<std::string> words;
    for (const Answer& answer : answers)
        words.push_back(answer.question + (answer.yes ? " yes" : " no"));
    return words.empty() ? "nothing" : scenario::join(words, ", ");
}

void add_cell(const Certificate::Cell& cell,
              std::vector<std::pair<std::string, std::string>>& lines) {
    lines.emplace_back("Cell", cell.frequency + "; bound " +
                                   (cell.wanted ? std::to_string(*cell.wanted) : "none") +
                                   " was asked for, and the least at which something fails is "
                                   "where the search ends");
    if (!cell.witness.empty()) lines.emplace_back("Witness", "interleaf replay " + cell.witness);
    if (!cell.same_as.empty())
        lines.emplace_back("Same as", "on kernel " + cell.same_as + ", which answers alike");
}

std::string or_none(const std::vector<std::string>& words) {
    return words.empty() ? "none" : scenario::join(words, ", ");
}

}  // namespace

std::string to_text(const Certificate& of) {
    Json json = {{"format", certificate_format},
                 {"version", certificate_version},
                 {"interleaf", of.program_version},
                 {"model_revision", of.model_revision},
                 {"search_revision", of.search_revision},
                 {"scenario", of.scenario},
                 {"content", hex(of.content)},
                 {"prepared_state", hex(of.prepared_state)},
                 {"kernel", of.kernel},
                 {"kernel_hash", hex(of.kernel_hash)},
                 {"verdict", of.verdict},
                 {"signatures", of.signatures},
                 {"whole_space", of.whole_space},
                 {"grain", of.grain},
                 {"merged_locks", of.merged_locks},
                 {"bounds",
                  {{"deviations", or_null(of.deviations)},
                   {"max_steps", of.max_steps},
                   {"firings_of_a_timer", 1}}},
                 {"reduction", of.reduction},
                 {"cache",
                  {{"entries", of.cache_entries},
                   {"hash_bits", of.cache_entries == 0 ? Json() : Json(hash_bits)}}},
                 {"crash_at", of.crash_at},
                 {"check_images", of.check_images},
                 {"sampled_checks", of.sampled_checks},
                 {"counts",
                  {{"executions", of.executions},
                   {"blocked", of.blocked},
                   {"steps", of.steps},
                   {"depth", of.depth},
                   {"jobs", of.jobs},
                   {"same_for_any_jobs", of.counts_repeat()}}}};
    if (!of.split.empty()) json["split"] = of.split;
    if (of.costs) json["costs"] = costs_json(*of.costs);
    if (of.self_check) json["self_check"] = {{"rate", *of.self_check}, {"pairs", of.pairs_swapped}};
    if (of.asked) {
        json["asked"] = answers_json(of.asked->answers);
        json["unasked"] = scenario::join(of.asked->unasked, " ");
    }
    if (of.cell) json["cell"] = cell_json(*of.cell);
    add_checksum(json);
    return json.dump(1) + "\n";
}

sim::Result<Certificate, TokenError> parse_certificate(std::string_view text) {
    const auto json = open_artefact(text, certificate_format, certificate_version, "a certificate");
    if (!json.ok()) return json.error();
    try {
        return read(json.value());
    } catch (const Json::exception& error) {
        return TokenError{std::string("the certificate cannot be read: ") + error.what()};
    }
}

std::vector<std::pair<std::string, std::string>> in_words(const Certificate& of) {
    const std::string bound = of.deviations
                                  ? "at most " + std::to_string(*of.deviations) +
                                        " deviations from the default order" +
                                        (of.whole_space ? ", and no schedule has more" : "")
                                  : "none";
    const std::string cache = of.cache_entries == 0
                                  ? "none: nothing was cut because of a hash"
                                  : std::to_string(of.cache_entries) +
                                        " happens-before prefixes, told apart by hashes of " +
                                        std::to_string(hash_bits) + " bits";
    std::vector<std::pair<std::string, std::string>> lines = {
        {"Scenario", of.scenario + ", content " + hex(of.content)},
        {"Kernel", of.kernel + ", " + hex(of.kernel_hash)},
        {"Prepared", "state " + hex(of.prepared_state)},
        {"Verdict", of.verdict + (of.signatures.empty() ? "" : "  " + or_none(of.signatures))},
        {"Executions", std::to_string(of.executions) + ", " + std::to_string(of.blocked) +
                           " cut, " + std::to_string(of.steps) + " steps, depth " +
                           std::to_string(of.depth) +
                           (of.counts_repeat() ? "; the same for any number of jobs"
                                               : "; with " + std::to_string(of.jobs) + " jobs")},
        {"Bound", bound + "; " + std::to_string(of.max_steps) +
                      " steps of an execution, which none reached; each timer fires once at most"},
        {"Reduction", of.reduction},
        {"Cache", cache},
        {"Grain", of.grain},
        {"Merged", of.merged_locks.empty() ? "no critical sections"
                                           : "critical sections of " + or_none(of.merged_locks)},
        {"Crashes", of.crash_at + "; images checked: " + of.check_images},
        {"Sampled", or_none(of.sampled_checks)}};
    if (!of.split.empty())
        lines.emplace_back("Split", "accesses of " + or_none(of.split) +
                                        ": declared as locked, met without an order, so each is a "
                                        "step of its own");
    if (of.self_check)
        lines.emplace_back("Checked", percent(*of.self_check) + " of the executions: " +
                                          std::to_string(of.pairs_swapped) +
                                          " pairs of adjacent independent steps run in the other "
                                          "order, none made a difference");
    if (of.costs)
        lines.emplace_back("Costs", std::to_string(of.costs->races) +
                                        " reversible races: " + shares_in_words(*of.costs));
    if (of.asked)
        lines.emplace_back("Asked",
                           "of the kernel: " + in_words(of.asked->answers) +
                               "; on every kernel that answers alike, and has no change that "
                               "interleaf did not know then, the search is this one, step "
                               "by step");
    if (of.cell) add_cell(*of.cell, lines);
    lines.emplace_back("Made by", "interleaf " + of.program_version + ", model revision " +
                                      std::to_string(of.model_revision) + ", search revision " +
                                      std::to_string(of.search_revision));
    return lines;
}

std::string shares_in_words(const Costs& costs) {
    constexpr std::size_t shown = 5;
    std::string text;
    const std::size_t named = std::min(shown, costs.kinds.size());
    for (std::size_t i = 0; i < named; ++i)
        text += (i == 0 ? "" : ", ") + percent(costs.share(costs.kinds[i])) + " over " +
                costs.kinds[i].object;
    const std::size_t others = costs.kinds.size() - named;
    if (others != 0)
        text += ", " + std::to_string(others) + " other " +
                (others == 1 ? "kind of object" : "kinds of objects");
    return text;
}

std::string certificate_name(const std::string& folder, const std::string& scenario,
                             const std::string& kernel) {
    std::string name = scenario + "-" + kernel;
    for (char& c : name) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
        if (!plain) c = '-';
    }
    return folder + "/" + name + ".cert.json";
}

}  // namespace app::report
