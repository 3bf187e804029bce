#include "app/cli/self_check.h"

#include <charconv>

#include "app/cli/progress.h"

namespace app::cli {

std::optional<double> parse_share(std::string_view text) {
    double share = 0;
    const char* const end = text.data() + text.size();
    const auto [stopped, error] =
        std::from_chars(text.data(), end, share, std::chars_format::fixed);
    if (error != std::errc() || stopped != end || !(share >= 0 && share <= 1)) return std::nullopt;
    return share;
}

sim::SelfCheckOptions self_check_options(const Session& session, const ScenarioPtr& scenario,
                                         const model::KernelVersion& kernel) {
    return {.rate = session.settings.self_check,
            .factory = scenario::make_factory(scenario, kernel)};
}

std::optional<Failure> add_self_check(const Session& session, const ScenarioPtr& scenario,
                                      const sim::SearchReport& search, Report& report) {
    if (session.settings.self_check == 0) return std::nullopt;
    report.document["self_check"] = {{"rate", session.settings.self_check},
                                     {"pairs", search.pairs_checked}};
    report.text += "      self-check: " + counted(search.pairs_checked, "pair") + " ok\n";
    if (!search.undeclared) return std::nullopt;
    const sim::Undeclared& found = *search.undeclared;
    auto& json = report.document["self_check"]["undeclared"];
    json = {{"first", found.first}, {"second", found.second}, {"difference", found.difference}};
    report.text += "      " + wrapped(found.text(), 100, "      ");
    for (const auto& [key, result] :
         {std::pair("usual", &found.usual), std::pair("swapped", &found.swapped)}) {
        const auto token = recording_of(session, scenario, session.settings.kernel, *result);
        if (!token.ok()) return token.error();
        json[key] = token.value();
        report.text += std::string("      ") + key + ": interleaf replay " + token.value() +
                       scenario_option(session, *scenario) + "\n";
    }
    return std::nullopt;
}

}  // namespace app::cli
