#include "sim/explorer_checked.h"

#include <algorithm>

namespace sim {
namespace {

/// What the check of a search has come to. One worker writes, on its thread.
struct Findings {
    std::uint64_t pairs = 0;
    std::optional<Undeclared> undeclared;
    std::vector<ExecutionResult> failures;
    std::atomic<bool> stop{false};  // the search
};

/// Takes executions of a search by sample, and whoever else looks on sees all of them.
class Checker final : public Observer {
  public:
    Checker(const ProgramFactory& factory, const ExploreOptions& options, Findings& findings)
        : options_(options), findings_(findings),
          others_(options.execution.observer ? options.execution.observer() : nullptr),
          check_(options.self_check.factory ? options.self_check.factory : factory,
                 options.execution) {}

    void executed(const Scheduler& scheduler, const ExecutionResult& result) override {
        if (others_) others_->executed(scheduler, result);
        const std::atomic<bool>* const interrupted = options_.limits.interrupted;
        if (interrupted != nullptr && interrupted->load(std::memory_order_relaxed))
            findings_.stop = true;
        const bool ended = result.failed() || result.outcome == Outcome::Completed;
        if (findings_.stop || !ended || !in_sample(result.schedule, options_.self_check.rate))
            return;
        findings_.undeclared = check_.check(result);
        findings_.pairs = check_.pairs();
        findings_.failures = check_.failures();
        const bool failed = !findings_.failures.empty() && !options_.keep_going;
        if (findings_.undeclared || failed) findings_.stop = true;
    }

  private:
    const ExploreOptions& options_;
    Findings& findings_;
    std::unique_ptr<Observer> others_;
    SelfCheck check_;
};

/// Failures that only the check has met come after those of the search.
void add_failures(const std::vector<ExecutionResult>& found, SearchReport& report) {
    for (const ExecutionResult& result : found) {
        const auto known = std::find_if(report.failures.begin(), report.failures.end(),
                                        [&](const Failure& failure) {
                                            return failure.signature == result.violation->signature;
                                        });
        if (known != report.failures.end()) continue;
        report.failures.push_back({.signature = result.violation->signature,
                                   .count = 1,
                                   .first_run = 0,
                                   .result = result});
    }
}

}  // namespace

SearchReport explore_checked(const ProgramFactory& factory, const ExploreOptions& options,
                             const Search& search) {
    Findings findings;
    ExploreOptions inner = options;
    inner.self_check = {};
    inner.jobs = 1;
    inner.limits.interrupted = &findings.stop;
    inner.execution.observer = [&] {
        return std::make_unique<Checker>(factory, options, findings);
    };
    SearchReport report = search(factory, inner);
    report.pairs_checked = findings.pairs;
    add_failures(findings.failures, report);
    const bool cut_short = report.end == SearchEnd::Interrupted;
    if (!findings.failures.empty() && (cut_short || report.end == SearchEnd::Complete)) {
        report.end = SearchEnd::Found;
        report.left.reset();
    }
    if (!findings.undeclared) return report;
    report.end = SearchEnd::Nondeterministic;
    report.error = "an access is not declared";
    report.undeclared = std::move(findings.undeclared);
    report.left.reset();
    return report;
}

}  // namespace sim
