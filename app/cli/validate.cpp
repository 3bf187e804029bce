#include "app/cli/executions.h"
#include "app/cli/staleness.h"
#include "app/report/certificate.h"
#include "app/report/failure_file.h"

namespace app::cli {

namespace {

/// What kind of thing it is when it is good; otherwise why it is not.
sim::Result<std::string, Failure> check(const Session& session, const std::string& word) {
    if (report::looks_like_token(word)) {
        const auto token = report::decode(word);
        if (!token.ok()) return damaged(token.error().message);
        return "token of " + token.value().scenario;
    }
    if (word.ends_with(".cert.json")) {
        const auto text = read_file(word);
        if (!text.ok()) return text.error();
        const auto certificate = report::parse_certificate(text.value());
        if (!certificate.ok()) return damaged(word + ": " + certificate.error().message);
        if (auto stale = check_inputs(session, certificate.value(), word)) return *stale;
        return "certificate of " + certificate.value().scenario;
    }
    if (word.ends_with(".ilf")) {
        const auto text = read_file(word);
        if (!text.ok()) return text.error();
        const auto file = report::parse_failure_file(text.value());
        if (!file.ok()) return damaged(word + ": " + file.error().message);
        return "failure file of " + file.value().token.scenario;
    }
    const auto scenario = load_scenario(word);
    if (!scenario.ok()) return scenario.error();
    return "scenario " + scenario.value()->id;
}

/// A scenario is usable when its preparation works: on the kernel that was asked for, or on each
/// that it expects something of.
std::optional<Failure> check_preparation(const Session& session, const std::string& file) {
    const auto scenario = load_scenario(file);
    if (!scenario.ok()) return scenario.error();
    std::vector<model::KernelVersion> kernels;
    if (session.settings.kernel_given || scenario.value()->expect.empty())
        kernels.push_back(session.settings.kernel);
    else
        for (const scenario::Expectation& entry : scenario.value()->expect)
            kernels.push_back(entry.kernel);
    for (const model::KernelVersion& kernel : kernels)
        if (auto execution =
                prepare(scenario.value(), kernel, execution_options(session.settings, false));
            !execution.ok())
            return execution.error();
    return std::nullopt;
}

}  // namespace

VerbResult validate(Session& session) {
    Report report;
    report.verdict = Verdict::Pass;
    Json files = Json::array();
    for (const std::string& word : session.parsed.arguments) {
        const auto good = check(session, word);
        std::optional<Failure> failure;
        if (!good.ok())
            failure = good.error();
        else if (good.value().starts_with("scenario"))
            failure = check_preparation(session, word);
        Json entry = {{"file", word}, {"ok", !failure}};
        if (failure) {
            // The message is the result here, and the exit code is that of the first bad one.
            report.text += failure->text() + "\n";
            if (report.forced_exit < 0) report.forced_exit = failure->exit;
            report.verdict = Verdict::Invalid;
            entry["message"] = failure->text();
            if (failure->where) {
                entry["line"] = failure->where->line;
                entry["field"] = failure->where->field;
                entry["expected"] = failure->where->expected;
            }
            if (!failure->nearest.empty()) entry["nearest"] = failure->nearest;
        } else {
            report.text += word + ": ok, " + good.value() + "\n";
        }
        files.push_back(std::move(entry));
    }
    report.document["files"] = std::move(files);
    return report;
}

}  // namespace app::cli
