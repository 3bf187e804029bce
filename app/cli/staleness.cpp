#include "app/cli/staleness.h"

#include <filesystem>

#include "app/scenario/kernel_spec.h"
#include "app/scenario/words.h"

namespace app::cli {

namespace {

std::optional<model::KernelVersion> kernel_named(const std::string& name) {
    const auto spec = scenario::parse_kernel_spec(name);
    if (!spec) return std::nullopt;
    const auto kernel = spec->resolve();
    if (!kernel.ok()) return std::nullopt;
    return kernel.value();
}

std::string then_and_now(std::uint64_t then, std::uint64_t now) {
    constexpr unsigned digits = 16;
    return scenario::hex_digits(then, digits) + " then, " + scenario::hex_digits(now, digits) +
           " now)";
}

/// `--kernel 5.5 --without Y`, of a kernel that may not be known any more.
std::string kernel_words(const std::string& name) {
    std::string text = "--kernel";
    for (const std::string& word : scenario::split_words(name))
        text += (word == "with" || word == "without" ? " --" : " ") + word;
    return text;
}

/// Whether the search would be the same now; without what it asked, whether the kernel is.
bool answers_as_then(const report::Certificate& certificate, const model::KernelVersion& kernel) {
    if (certificate.asked) return report::same_search_on(*certificate.asked, kernel);
    return certificate.kernel_hash == kernel.hash();
}

std::string folder_of(const std::string& file) {
    const std::filesystem::path folder = std::filesystem::path(file).parent_path();
    return folder.empty() ? "." : folder.string();
}

}  // namespace

std::string changed_inputs(const report::Certificate& certificate,
                           const scenario::Scenario& scenario) {
    std::vector<std::string> changed;
    if (certificate.content != scenario.content.digest())
        changed.push_back("the scenario is another (content " +
                          then_and_now(certificate.content, scenario.content.digest()));
    const auto kernel = kernel_named(certificate.kernel);
    if (!kernel)
        changed.push_back("there is no such kernel any more");
    else if (!answers_as_then(certificate, *kernel))
        changed.push_back("the kernel has other changes (hash " +
                          then_and_now(certificate.kernel_hash, kernel->hash()));
    if (certificate.model_revision != report::model_revision)
        changed.push_back("the model is another (revision " +
                          std::to_string(certificate.model_revision) + " then, " +
                          std::to_string(report::model_revision) + " now)");
    return scenario::join(changed, ", ");
}

std::string line_to_run_again(const report::Certificate& certificate, const std::string& file) {
    if (certificate.cell) {
        const bool plain = certificate.kernel.find(' ') == std::string::npos;
        return "interleaf matrix " + certificate.scenario + " --kernels " +
               (plain ? certificate.kernel : "\"" + certificate.kernel + "\"") +
               " --certificates " + folder_of(file);
    }
    return "interleaf explore " + certificate.scenario + " " + kernel_words(certificate.kernel) +
           " --preemptions " +
           (certificate.deviations ? std::to_string(*certificate.deviations) : "none") +
           " --artifacts " + folder_of(file);
}

std::optional<Failure> check_inputs(const Session& session, const report::Certificate& certificate,
                                    const std::string& file) {
    const auto scenario = session.library.find(certificate.scenario);
    if (!scenario.ok()) {
        Failure failure = scenario.error();
        failure.message = file + ": " + failure.message;
        return failure;
    }
    const std::string changed = changed_inputs(certificate, *scenario.value());
    if (changed.empty()) return std::nullopt;
    return differs(file + " is stale: " + changed +
                   "; run again: " + line_to_run_again(certificate, file));
}

}  // namespace app::cli
