#include "app/cli/certify.h"

#include <filesystem>

#include "app/cli/build_info.h"
#include "app/cli/output.h"
#include "model/invariants.h"
#include "sim/strategy_dfs.h"

namespace app::cli {

namespace {

/// Checks that look at several objects see every state but under DPOR (soundness, 1).
std::vector<std::string> sampled_checks(sim::Reduction reduction) {
    std::vector<std::string> names;
    if (reduction != sim::Reduction::Dpor) return names;
    for (const model::Invariant& invariant : model::invariants())
        if (invariant.cls == model::CheckClass::State) names.emplace_back(invariant.name);
    return names;
}

/// What a search without crash points and failures prepares, and the classes of the locks that an
/// execution takes: in the coarse grain their sections are merged.
void look_at_execution(const Session& session, const ScenarioPtr& scenario,
                       report::Certificate& certificate) {
    const auto execution =
        prepare(scenario, session.settings.kernel, execution_options(session.settings, false));
    if (!execution.ok()) return;
    const auto usual = sim::make_default();
    usual->next_execution();
    execution.value()->run(*usual);
    certificate.prepared_state = execution.value()->prepared_hash();
    if (session.settings.grain == sim::Grain::Coarse)
        certificate.merged_locks = execution.value()->scheduler().lockdep().classes();
}

}  // namespace

std::optional<report::Certificate> certificate_of(const Session& session,
                                                  const ScenarioPtr& scenario, const Bound& bound,
                                                  const sim::SearchReport& search,
                                                  Verdict verdict) {
    const bool all_failures = search.end == sim::SearchEnd::Found && keeps_going(session);
    if (search.end != sim::SearchEnd::Complete && !all_failures) return std::nullopt;
    if (!search.unordered.empty()) return std::nullopt;
    return describe_search(session, scenario, bound, search, verdict);
}

report::Certificate describe_search(const Session& session, const ScenarioPtr& scenario,
                                    const Bound& bound, const sim::SearchReport& search,
                                    Verdict verdict) {
    const Settings& settings = session.settings;
    report::Certificate certificate;
    certificate.program_version = program_version();
    certificate.scenario = scenario->id;
    certificate.content = scenario->content.digest();
    certificate.kernel = settings.kernel.name();
    certificate.kernel_hash = settings.kernel.hash();
    certificate.verdict = to_string(verdict);
    for (const sim::Failure& failure : search.failures)
        certificate.signatures.push_back(failure.signature);
    certificate.whole_space = search.whole_space;
    certificate.grain = settings.grain == sim::Grain::Fine ? "fine" : "coarse";
    if (bound.deviations != sim::DfsStrategy::unbounded) certificate.deviations = search.bound;
    certificate.split = search.split;
    certificate.max_steps = settings.max_steps;
    certificate.reduction = name_of(settings.reduction);
    if (settings.reduction == sim::Reduction::None)
        certificate.cache_entries = settings.state_cache;
    certificate.crash_at = settings.crash_at.text();
    certificate.check_images = to_string(settings.check_images);
    certificate.sampled_checks = sampled_checks(settings.reduction);
    certificate.executions = search.executions;
    certificate.blocked = search.blocked;
    certificate.steps = search.steps;
    certificate.depth = search.max_depth;
    certificate.jobs = settings.jobs;
    if (settings.self_check != 0) certificate.self_check = settings.self_check;
    certificate.pairs_swapped = search.pairs_checked;
    look_at_execution(session, scenario, certificate);
    return certificate;
}

std::optional<std::uint64_t> prepared_state(const Session& session, const ScenarioPtr& scenario,
                                            const model::KernelVersion& kernel) {
    const auto execution = prepare(scenario, kernel, execution_options(session.settings, false));
    if (!execution.ok()) return std::nullopt;
    return execution.value()->prepared_hash();
}

std::string write_certificate(const std::string& folder, const report::Certificate& certificate) {
    std::error_code ignored;
    std::filesystem::create_directories(folder, ignored);
    AtomicFile output;
    const std::string error =
        output.open(report::certificate_name(folder, certificate.scenario, certificate.kernel));
    return error.empty() ? output.commit(report::to_text(certificate)) : error;
}

std::optional<Failure> save_certificate(const Session& session,
                                        const report::Certificate& certificate, Report& report) {
    const std::string& folder = session.settings.artifacts;
    const std::string file =
        report::certificate_name(folder, certificate.scenario, certificate.kernel);
    const std::string error = write_certificate(folder, certificate);
    if (!error.empty() && session.has("artifacts")) return usage_failure(error);
    if (!error.empty()) {
        session.diagnostics.warning(error);
        return std::nullopt;
    }
    report.document["certificate"] = file;
    report.text += "      certificate " + file + "\n";
    return std::nullopt;
}

}  // namespace app::cli
